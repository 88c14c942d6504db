"""Builds the documentation: `nox -s docs`, or `python scripts/docs.py`; opens as site/index.html, without a network.

What stands in docs/ is put together with what is made: the reference of the API from docstrings, the README of each package
as "how it works", the tables of other libraries, and the tutorials with the output of the commands that they show, which
run anew. `--write` writes those outputs into docs/ too.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
BUILD = ROOT / "build" / "docs"
_FETCHED = "https://unpkg.com/iframe-worker/shim"
_GUIDES = (
    "parts.md",
    "own_parts.md",
    "check_setup.md",
    "checks.md",
    "train.md",
    "predict.md",
    "migrate.md",
    "figures.md",
    "benchmarks.md",
)
# Pages that have a place of their own in the navigation.
_ELSEWHERE = ("index.md", "which.md", "glossary.md", "contributing.md", "changelog.md")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)")


def assemble(run: bool = True, write: bool = False) -> pathlib.Path:
    """Puts all pages into build/docs and returns it.

    Args:
        run: whether the commands of the tutorials run.
        write: whether their output is written into docs/, too.
    """
    from scripts import api_pages, doc_blocks

    shutil.rmtree(BUILD, ignore_errors=True)
    shutil.copytree(ROOT / "docs", BUILD)
    (BUILD / "README.md").unlink()
    for path in sorted((ROOT / "docs" / "tutorials").glob("*.md")) if run else ():
        if "console" in path.read_text():
            page = doc_blocks.with_fresh_output(path.read_text())
            (BUILD / "tutorials" / path.name).write_text(page)
            if write:
                path.write_text(page)
    sources = {
        "index.md": ROOT / "README.md",
        "contributing.md": ROOT / "CONTRIBUTING.md",
        "changelog.md": ROOT / "CHANGELOG.md",
    }
    sources |= {f"how/{path.parent.name}.md": path for path in sorted((ROOT / "src" / "kerasmith").glob("*/README.md"))}
    sources["benchmarks.md"] = ROOT / "benchmarks" / "README.md"
    places = {path.resolve(): BUILD / target for target, path in sources.items()}
    places |= {(ROOT / "docs" / path.relative_to(BUILD)).resolve(): path for path in BUILD.rglob("*") if path.is_file()}
    for target, path in sources.items():
        (BUILD / target).parent.mkdir(exist_ok=True)
        (BUILD / target).write_text(_moved(path.read_text(), path, BUILD / target, places))
    for path in BUILD.rglob("*.md"):
        origin = ROOT / "docs" / path.relative_to(BUILD)
        if origin.exists():
            path.write_text(_moved(path.read_text(), origin, path, places))
    for name, text in api_pages.pages().items():
        (BUILD / "api").mkdir(exist_ok=True)
        (BUILD / "api" / name).write_text(text)
    return BUILD


def _moved(text, origin, target, places):
    """The text with links to where their files lie now; a link out of the documentation is its text."""

    def picture(path):
        place = places.get((origin.parent / path).resolve())
        return path if place is None else os.path.relpath(place, target.parent)

    def link(found):
        image, shown, path, anchor = found[1], found[2], found[3], found[4] or ""
        place = places.get((origin.parent / path).resolve())
        if place is None:
            return shown if not image else ""
        return f"{image}[{shown}]({os.path.relpath(place, target.parent)}{anchor})"

    text = re.sub(r'(<img src=")([^"]+)', lambda found: found[1] + picture(found[2]), text)
    parts = re.split(r"(^```.*?^```)", text, flags=re.M | re.S)
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)


def navigation() -> list[str]:
    """The lines of `nav` in the configuration: guides first, then what is made for each package."""

    def section(title, folder, first=()):
        names = [*first, *sorted(path.name for path in (BUILD / folder).glob("*.md") if path.name not in first)]
        return [f"  - {title}:", *(f"    - {folder}/{name}" for name in names)]

    others = sorted(path.name for path in BUILD.glob("*.md") if path.name not in (*_GUIDES, *_ELSEWHERE))
    return [
        "nav:",
        "  - Start: index.md",
        "  - Which one do I need?: which.md",
        *section("Tutorials", "tutorials", ["index.md"]),
        "  - Guides:",
        *(f"    - {name}" for name in [*_GUIDES, *others]),
        *section("Reference", "api", ["index.md"]),
        *section("How it works", "how"),
        "  - Project:",
        *(f"    - {name}.md" for name in ("glossary", "contributing", "changelog")),
    ]


def main() -> int:
    """Assembles and builds; a warning is an error."""
    assemble(run="--quick" not in sys.argv, write="--write" in sys.argv)
    config = BUILD.parent / "mkdocs.yml"
    config.write_text("\n".join(["INHERIT: ../mkdocs.yml", "docs_dir: docs", "site_dir: ../site", *navigation()]) + "\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(config)]
    status = subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode
    if status == 0:
        _without_network(ROOT / "site")
    return status


def _without_network(site):
    """Puts our worker in the place of one that the theme fetches where pages are opened from disk."""
    for page in site.rglob("*.html"):
        ours = os.path.relpath(site / "assets" / "worker_from_disk.js", page.parent)
        text = page.read_text().replace(_FETCHED, ours)
        page.write_text(text)
        if re.search(r'<(script|link|img)[^>]* (src|href)="https?:', re.sub(r'<link rel="canonical"[^>]*>', "", text)):
            raise RuntimeError(f"{page} fetches something from a network.")


if __name__ == "__main__":
    sys.exit(main())
