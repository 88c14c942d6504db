"""A file, a folder or a pattern as a list of image files."""

import glob
import os
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".npz", ".nii", ".nii.gz")


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix of an image file in small letters, `.nii.gz` as one; "" for other files.

    >>> suffix_of("brain.1.NII.gz"), suffix_of("notes.txt")
    ('.nii.gz', '')
    """
    name = Path(path).name.lower()
    return max((suffix for suffix in SUFFIXES if name.endswith(suffix) and name != suffix), key=len, default="")


def stem_of(path: str | os.PathLike[str]) -> str:
    """The name of an image file without its suffix.

    >>> stem_of("brain.1.nii.gz"), stem_of("dir/a.png")
    ('brain.1', 'a')
    """
    name = Path(path).name
    return name[: len(name) - len(suffix_of(name))]


def list_images(where: str | os.PathLike[str]) -> list[Path]:
    """The image files of a folder (not of folders in it), of a pattern, or the one file.

    Args:
        where: a path, or a pattern such as `"scans/*/t1.nii.gz"`.

    Returns:
        Sorted paths, at least one. A folder's hidden files and those of other kinds are passed over.

    Raises:
        ValueError: where there is nothing, or no image.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.png", "a.TIF", "notes.txt"):
    ...         Path(folder, name).touch()
    ...     [path.name for path in list_images(folder)], [path.name for path in list_images(folder + "/*.png")]
    (['a.TIF', 'b.png'], ['b.png'])
    """
    text = os.path.expanduser(os.fspath(where))
    path = Path(text)
    if path.is_file():
        if not suffix_of(path):
            raise ValueError(f"{path} is no image of a known kind. Expected a file that ends in one of {', '.join(SUFFIXES)}")
        return [path]
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        images = sorted(file for file in files if suffix_of(file))
        if not images:
            held = f"It holds {len(files)} other files" if files else "It holds no file"
            raise ValueError(
                f"There is no image in the folder {path}. {held}. Expected files that end in {', '.join(SUFFIXES)}"
            )
        return images
    if not glob.has_magic(text):
        raise ValueError(
            f"There is no file or folder {path}. Expected an image, a folder of images or a pattern such as 'a/*.png'"
        )
    matched = [Path(name) for name in glob.glob(text, recursive=True) if os.path.isfile(name)]
    images = sorted(file for file in matched if suffix_of(file))
    if not images:
        held = f"It matches {len(matched)} other files" if matched else "It matches no file"
        raise ValueError(f"There is no image that matches {text!r}. {held}. Expected files that end in {', '.join(SUFFIXES)}")
    return images
