"""What the data decide about patches, the network and its training."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.expression import Call, text_of

_AREA = 6 * 128**2  # pixels of a batch of images that train well on two cores
_VOLUME = 2 * 48**3
_WIDTHS = (16, 32, 64, 96, 128)
_RATE = 3e-3
_EPOCHS = 30


def decide(decided: Callable[..., Any], config: Config, known_data: Mapping[str, Any]) -> None:
    """Decides on patch, batch, model, normalisation, augmentation, steps, epochs, optimizer and schedule."""
    axes = known_data["axes"]
    patch = _patch(decided, config, known_data)
    levels = _levels(patch, axes)
    widths = list(_WIDTHS[:levels])
    usual = f"unet(widths=[{', '.join(map(str, widths))}])"
    given = usual if model_text(config["model"]) == "unet" else model_text(config["model"])
    decided(
        "model",
        usual,
        f"{levels} levels: the coarsest sees {' x '.join(str(size // 2 ** (levels - 1)) for size in patch)} of a patch",
        written=given,
    )
    _check_patch(decided.values["model"], config, patch)
    pixels = math.prod(patch)
    most = _AREA if axes == 2 else _VOLUME
    batch = decided("batch", max(2, min(16, round(most / pixels))), f"about {most:,} pixels in a step")
    usual = -(-2 * known_data["pixels"] // (pixels * batch))
    steps = decided("steps", max(40, min(250, usual)), "each pixel about twice in an epoch, from 40 to 250")
    epochs = decided("epochs", _EPOCHS, f"{_EPOCHS * steps} steps; may be raised later")
    _normalization(decided, known_data)
    share = 1 - next(iter(known_data["class_shares"].values()))
    oversample = 0.5 if share < 0.05 else 0.33 if share < 0.2 else 0.0
    decided("oversample", oversample, f"{100 * share:.1f} % of the pixels are foreground")
    _augment(decided, config, axes)
    decided("optimizer", "adam", "default", written=None if config.is_auto("optimizer") else text_of(config["optimizer"]))
    own_rate = not config.is_auto("optimizer") and bool(
        config["optimizer"].arguments or "learning_rate" in config["optimizer"].named
    )
    # A cycle has at least one step; rounded up, so that no step is missing.
    cycle = math.ceil(max(epochs / 3, 1 / steps) * 1e4) / 1e4
    rate = _RATE if decided.values["model"].startswith("unet") else 1e-3
    decided(
        "schedule",
        "constant" if own_rate else f"cosine_restarts({text_of(cycle)}, 2, eta_max={rate:g}, eta_min=1e-05)",
        "the optimizer has a learning rate" if own_rate else "two cycles, the second twice as long, end with the last epoch",
        written=None if config.is_auto("schedule") else text_of(config["schedule"]),
    )


def model_text(model: Call | str) -> str:
    """A model as a configuration writes it."""
    return model if isinstance(model, str) else text_of(model)


def axis_divisor(model: str) -> int:
    """What the sides of a patch must be multiples of, for a model as text.

    >>> axis_divisor("unet(widths=[8, 16, 32])"), axis_divisor("resnet50"), axis_divisor("my.module:net")
    (4, 32, 1)
    """
    if ":" in model.split("(")[0]:
        return 1
    if not model.startswith("unet"):
        return 32
    return 2 ** (len(model.split("[")[1].split("]")[0].split(",")) - 1) if "[" in model else 8


def _patch(decided, config, known_data):
    axes, median = known_data["axes"], known_data["median"]
    large = known_data["objects"]["diameter"] > 48 and min(median) >= 256
    side = (256 if large else 128) if axes == 2 else 48
    multiple = 16 if axes == 2 else 8
    patch = [min(side, max(multiple, math.ceil(size / multiple) * multiple)) for size in median]
    if axes == 2:
        why = (
            f"objects are {known_data['objects']['diameter']:g} pixels across"
            if large
            else "enough for the objects of these images"
        )
    else:
        why = "volumes this large fit into memory on two cores"
    if patch != [side] * axes:
        why = f"images are {' x '.join(map(str, median))} pixels"
    given = None if config.is_auto("patch") else config["patch"]
    if given is not None and len(given) not in (1, axes):
        raise config.error("patch", f"images have {axes} axes: give one number, or {axes}. Received: {given}")
    return decided("patch", patch, why, written=None if given is None else given * axes if len(given) == 1 else given)


def _levels(patch, axes):
    most = 5 if max(patch) >= 256 else 4 if axes == 2 else 3
    levels = 1
    while levels < most and all(size % 2**levels == 0 and size // 2**levels >= 4 for size in patch):
        levels += 1
    return max(levels, 2) if all(size % 2 == 0 for size in patch) else 1


def _check_patch(model, config, patch):
    divisor = axis_divisor(model)
    wrong = [size for size in patch if size % divisor]
    if wrong:
        raise config.error(
            "patch" if not config.is_auto("patch") else "model",
            f"`{model}` needs patches whose sides are multiples of {divisor}: write `patch: "
            f"[{', '.join(str(math.ceil(size / divisor) * divisor) for size in patch)}]`. Received: {patch}",
        )


def _normalization(decided, known_data):
    intensity = known_data["intensity"]
    tail = intensity["most"] - intensity["high"] > 2 * max(intensity["high"] - intensity["low"], 1e-12)
    if tail:
        decided("normalization", "percentile", "a few values lie far outside of the others")
    else:
        decided("normalization", "zscore", "mean and deviation of the training images")


def _augment(decided, config, axes):
    if axes == 2:
        usual = {
            "rotate": True,
            "mirror": True,
            "scale": 0.25,
            "stretch": 0.15,
            "contrast": 0.3,
            "brightness": 0.15,
            "noise": 0.2,
        }
        why = "turned, mirrored, stretched, brighter, noisier"
    else:
        usual = {
            "rotate": False,
            "mirror": True,
            "scale": 0.0,
            "stretch": 0.0,
            "contrast": 0.3,
            "brightness": 0.15,
            "noise": 0.2,
        }
        why = "volumes are mirrored, not turned"
    given = config["augment"]
    if isinstance(given, dict):
        none = {name: False if isinstance(value, bool) else 0.0 for name, value in usual.items()}
        given = {**none, **given}
        wrong = [name for name in ("rotate", "scale", "stretch") if axes == 3 and given[name]]
        if wrong:
            raise config.error("augment", f"volumes are mirrored only, `{wrong[0]}` is for images. Remove it.")
        decided("augment", usual, why, written=given)
    else:
        decided("augment", usual, why)
