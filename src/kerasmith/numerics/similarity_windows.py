"""The Gaussian windows in which images are compared, and the weights of the places where they stand."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.gaussian_filter import filter_valid, gaussian_window


def similarity_windows(shape: tuple[int | None, ...], window: Any, sigma: Any, scales: int = 1) -> Any:
    """One window for each spatial axis.

    Args:
        shape: static (B, *spatial, C) of the images.
        window, sigma: length and standard deviation, numbers or lists with one for each spatial axis.
        scales: the windows must still fit after halving the images `scales` - 1 times.

    Raises:
        ValueError: for a list of another length, or images smaller than the window.
    """
    spatial = tuple(shape)[1:-1]
    known = [isinstance(size, int) for size in spatial]
    sizes, sigmas = listed(window, len(spatial)), listed(sigma, len(spatial))
    for name, value in (("window", sizes), ("sigma", sigmas)):
        if len(value) != len(spatial):
            raise ValueError(
                f"`{name}` needs one number for each of the {len(spatial)} spatial axes of y_pred. "
                f"Received: {name}={value}, y_pred with {len(spatial)} spatial axes."
            )
    needed = [(size - 1) * 2 ** (scales - 1) + 1 for size in sizes]
    if any(is_known and have < need for is_known, have, need in zip(known, spatial, needed)):
        raise ValueError(
            f"Images must be at least {' x '.join(map(str, needed))} pixels large for window={window}"
            f"{f' and {scales} scales' if scales > 1 else ''}. Received: y_pred of {' x '.join(map(str, spatial))} pixels. "
            f"Pass a smaller `window`{' or fewer `scale_weights`' if scales > 1 else ''}."
        )
    return [gaussian_window(size, float(deviation)) for size, deviation in zip(sizes, sigmas)]


def weights_of_places(pixel: Tensor, valid: Tensor, windows: Any) -> Tensor:
    """Pixel weights at the middle of each window; a place is valid if all pixels that its window reads are.

    Args:
        pixel, valid: None or (B, *spatial).
        windows: what `similarity_windows` gave.

    Returns:
        (pixel, valid) in the shape of the filtered images.
    """
    if pixel is not None:
        middles = [slice(len(window) // 2, -(len(window) // 2) or None) for window in windows]
        pixel = pixel[(slice(None), *middles)]
    if valid is not None:
        invalid = filter_valid(ops.expand_dims(ops.cast(valid == 0, "float32"), -1), windows)
        valid = ops.cast(ops.squeeze(invalid, -1) == 0, valid.dtype)
    return pixel, valid


def listed(value: Any, count: int = 1) -> list[Any]:
    """A list as it is, a number `count` times."""
    return list(value) if hasattr(value, "__len__") else [value] * count
