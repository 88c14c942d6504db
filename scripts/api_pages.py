"""The reference of the public API as Markdown: a page for each package, an entry for each name in its `__all__`."""

import importlib
import inspect
import re
import textwrap
import types

import kerasmith

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Call arguments|Limits|Note|Examples?|References?)[\w, ]*:\s*(.*)$")
_ENTRY = re.compile(r"^(\*{0,2}\w[\w*, ]*?)(?: \([^)]*\))?: (.*)$")
_PACKAGES = tuple(
    name for name in kerasmith.__all__ if isinstance(getattr(kerasmith, name), types.ModuleType) and name != "recipes"
)


def pages() -> dict[str, str]:
    """{"losses.md": text} of every package, and "index.md"."""
    links = _links()
    texts = {}
    for package in ("", *_PACKAGES):
        module = importlib.import_module(f"kerasmith.{package}".rstrip("."))
        names = [name for name in sorted(_public(module)) if not isinstance(getattr(module, name), types.ModuleType)]
        title = f"kerasmith.{package}".rstrip(".")
        parts = [f"# {title}", _prose(inspect.getdoc(module) or "", links)]
        parts += [_entry(name, getattr(module, name), package, links) for name in names]
        texts[f"{package or 'index'}.md"] = "\n\n".join(part for part in parts if part) + "\n"
    texts["index.md"] += "\n## Packages\n\n" + "\n".join(_listed(package) for package in _PACKAGES) + "\n"
    return texts


def _listed(package):
    module = importlib.import_module(f"kerasmith.{package}")
    return f"- [kerasmith.{package}]({package}.md): {(inspect.getdoc(module) or '').splitlines()[0]}"


def _public(module):
    return getattr(module, "__all__", ())


def _links():
    """{"losses.Dice": "losses.md#Dice"} of every name that has an entry."""
    found = {}
    for package in _PACKAGES:
        module = importlib.import_module(f"kerasmith.{package}")
        for name in _public(module):
            if not isinstance(getattr(module, name), types.ModuleType):
                found[f"{package}.{name}"] = found[f"kerasmith.{package}.{name}"] = f"{package}.md#{name}"
    for name in kerasmith.__all__:
        if not isinstance(getattr(kerasmith, name), types.ModuleType):
            found[f"kerasmith.{name}"] = f"index.md#{name}"
    return found


def _entry(name, value, package, links):
    heading = f"## {name} {{ #{name} }}"
    if not callable(value):
        return f"{heading}\n\n```python\n{name} = {value!r}\n```" if isinstance(value, (int, float, str)) else heading
    try:
        signature = _wrapped(f"{name}{inspect.signature(value)}")
    except (ValueError, TypeError):
        signature = name
    return f"{heading}\n\n```python\n{signature}\n```\n\n{_prose(inspect.getdoc(value) or '', links)}"


def _wrapped(text):
    """A signature as people write it: short names of types, one line or one parameter a line."""
    text = re.sub(r"\b(?:collections\.abc|typing|keras\.src[\w.]*|kerasmith[\w.]*|numpy|os)\.(?=\w)", "", text)
    text = re.sub(r"<[^<>]*? (\w+)>|<(?:class )?'?([\w.]+)'?[^<>]*>", lambda found: found[1] or found[2], text)
    if len(text) <= 100:
        return text
    head, _, rest = text.partition("(")
    body, _, tail = rest.rpartition(")")
    parts, depth, current = [], 0, ""
    for letter in body:
        depth += letter in "([{"
        depth -= letter in ")]}"
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return f"{head}(\n" + "".join(f"    {part},\n" for part in [*parts, current.strip()] if part) + f"){tail}"


def _prose(text, links):
    """A docstring as Markdown."""
    blocks = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        found = _SECTION.match(lines[0])
        if lines[0].lstrip().startswith(">>>"):
            blocks.append("```pycon\n" + textwrap.dedent(paragraph) + "\n```")
        elif found and len(lines) > 1 and all(line.startswith("    ") or not line for line in lines[1:]) and not found[2]:
            body = textwrap.dedent("\n".join(lines[1:]))
            blocks.append(f"**{lines[0].rstrip(':')}**\n\n" + (_entries(body, links)))
        elif found and not found[2]:
            blocks.append(f"**{lines[0].rstrip(':')}**" + ("\n\n" + _linked(" ".join(lines[1:]), links) if lines[1:] else ""))
        elif _is_formula(lines) or paragraph.startswith("    "):
            blocks.append("```text\n" + textwrap.dedent(paragraph) + "\n```")
        else:
            blocks.append(_linked(paragraph, links))
    return "\n\n".join(blocks)


def _is_formula(lines):
    signs = (" = ", " <- ")
    return any(sign in lines[0] for sign in signs) and "`" not in lines[0].split(" = ")[0] and not lines[0].endswith(".")


def _entries(body, links):
    """`name: text` with continuations, as a list; plain text as it is."""
    items = []
    for line in body.splitlines():
        found = _ENTRY.match(line)
        if found:
            items.append(f"- `{found[1]}`: {found[2]}")
        elif items and line.startswith("    "):
            items[-1] += " " + line.strip()
        else:
            items.append(line)
    return "\n".join(_linked(item, links) for item in items)


def _linked(text, links):
    """Markdown with the names of entries as links, and without what only looks like HTML or a table."""
    pieces = re.split(r"(`[^`]*`)", text)
    for i, piece in enumerate(pieces):
        if piece.startswith("`"):
            target = links.get(piece.strip("`"))
            pieces[i] = f"[{piece}]({target})" if target else piece
        else:
            pieces[i] = re.sub(r"([*_<|])", r"\\\1", re.sub(r"^- ", "\x00", piece, flags=re.M)).replace("\x00", "- ")
            pieces[i] = pieces[i].replace("[", "\\[")
    return "".join(pieces)
