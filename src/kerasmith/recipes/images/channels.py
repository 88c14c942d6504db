"""Images with the number of channels that a model expects."""

import dataclasses

import numpy as np

from kerasmith.recipes.images.image_file import ImageFile

_NAMES = {1: "L", 3: "RGB", 4: "RGBA"}


def with_channels(image: ImageFile, channels: int) -> ImageFile:
    """The image, without its opacity where that is one channel too many and opaque everywhere.

    Args:
        image: (.., C).
        channels: how many the model takes.

    Raises:
        ValueError: for any other number; names the file and what to write.
    """
    array, has = image.array, image.array.shape[-1]
    if has == channels:
        return image
    if (
        has == channels + 1
        and has in (2, 4)
        and array.dtype.kind in "iu"
        and np.all(array[..., -1] == np.iinfo(array.dtype).max)
    ):
        return dataclasses.replace(image, array=array[..., :-1])
    advice = f"save it with {channels}"
    if has in (1, 2, 3, 4) and channels in _NAMES and image.path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        advice += f", for example with `Image.open({str(image.path)!r}).convert({_NAMES[channels]!r})`"
    elif array.ndim > 2 and array.shape[0] == channels:
        advice = "its first axis has that many: save `np.moveaxis(array, 0, -1)`"
    raise ValueError(
        f"The image {image.path} has {has} channel{'s' * (has != 1)}, and the model takes {channels}: {advice}. "
        f"(Read as an array of shape {array.shape}.)"
    )
