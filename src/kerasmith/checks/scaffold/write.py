"""Writes a component and its test from the templates of its kind."""

import keyword
import os
import pathlib
import re
import sys

from kerasmith.checks.engine.registry import KINDS

# A file of this name would hide the package from the code beside it.
_TAKEN = frozenset({"keras", "kerasmith", "numpy", "tensorflow", "jax", "torch", "pytest", "scipy"})


def write(kind: str, name: str, folder: str | os.PathLike[str] = ".") -> list[pathlib.Path]:
    """Writes `<snake_name>.py` and `test_<snake_name>.py`.

    Args:
        kind: "loss", "metric", "callback" or "layer".
        name: of the class, `FocalDice`; `focal_dice` is understood.
        folder: where to; made if it does not exist. In a package the test imports the class from there.

    Returns:
        The two paths.

    Raises:
        ValueError: for another kind, a name that Python does not allow or that hides a package, or a file that exists.
    """
    if kind not in KINDS:
        raise ValueError(f"A scaffold is of kind {', '.join(KINDS)}. Received: {kind!r}")
    name = class_name(name)
    module = snake_case(name)
    if keyword.iskeyword(module):
        raise ValueError(
            f"{module!r} is a word of Python: a file {module}.py cannot be imported. Write another name, such as My{name}. "
            f"Received: {name!r}"
        )
    if module in _TAKEN or module in sys.stdlib_module_names:
        raise ValueError(
            f"A file {module}.py would hide the package {module} from the code beside it. "
            f"Write another name, such as My{name}. Received: {name!r}"
        )
    folder = pathlib.Path(folder)
    parts = _package(folder)
    texts = {}
    for template, file in ((f"{kind}.py.txt", f"{module}.py"), (f"test_{kind}.py.txt", f"test_{module}.py")):
        texts[folder / file] = _filled(_template(template), kind, name, module, parts)
    for path in texts:
        if path.exists():
            raise ValueError(f"{path} exists and is not overwritten. Choose another name or --dir.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{folder} cannot be made a folder: {error.strerror or error}") from None
    for path, text in texts.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return list(texts)


def class_name(name: str) -> str:
    """`focal_dice` or `FocalDice` as `FocalDice`.

    Raises:
        ValueError: if Python does not allow the name for a class.

    Example:

    >>> class_name("focal_dice")
    'FocalDice'
    """
    text = str(name)
    if text == text.lower():
        text = "".join(part[:1].upper() + part[1:] for part in text.split("_"))
    if not (text.isidentifier() and text.isascii() and text[:1].isupper()) or "_" in text or keyword.iskeyword(text):
        raise ValueError(f"The name must be one for a Python class, such as FocalDice or focal_dice. Received: {name!r}")
    return text


def snake_case(name: str) -> str:
    """The name of the file of a class.

    Example:

    >>> snake_case("FocalDice"), snake_case("SSIMLoss"), snake_case("SoftIoU")
    ('focal_dice', 'ssim_loss', 'soft_iou')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace("IoU", "Iou")).lower()


def _template(name: str) -> str:
    return (pathlib.Path(__file__).with_name("templates") / name).read_text(encoding="utf-8")


def _filled(text: str, kind: str, name: str, module: str, parts: list[str]) -> str:
    """A template, which is Python with the names MyLoss, my_loss and my_package, with the real ones."""
    stem = f"my_{kind}"
    imports = ".".join([*parts, module])
    values = {
        f"from {stem} import": f"from {imports} import",
        f"My{kind.capitalize()}": name,
        stem: module,
        "my_package": parts[0] if parts else "my_package",
    }
    return re.sub("|".join(re.escape(key) for key in values), lambda match: values[match[0]], text)


def _package(folder: pathlib.Path) -> list[str]:
    """["pkg", "losses"]: the package that a folder is, [] if it is none."""
    parts, folder = [], folder.resolve()
    while (folder / "__init__.py").is_file():
        parts, folder = [folder.name, *parts], folder.parent
    return parts
