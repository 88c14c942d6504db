"""A loss as a configuration writes it: a sum of losses of kerasmith, each times numbers and schedules."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kerasmith.recipes.training import catalogue
from kerasmith.recipes.training.checked_call import check_arguments, part_of
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.expression import Call, Product, Range
from kerasmith.recipes.training.schedule_call import RAMP, check_schedule

GIVEN: dict[str, str] = {
    "from_logits": "the networks give logits",
    "axis": "channels are last",
    "labels": "masks hold ids",
    "ignore_class": "write `void:` for the id of pixels that count for nothing",
    "multi_label": "a pixel has one class",
    "missing": "masks have no missing labels",
    "maps": "masks hold ids",
    "name": "a term has the name of its loss",
    "dtype": "write `precision:`",
    "reduction": "terms are means over samples",
}
WITH_TERM_ON_PIXELS = ("dice_ce", "dice_focal", "unified_focal")
"""Losses on regions of which one term is on pixels and takes the class weights of a single channel."""
_OF_OTHER_THINGS = {
    "EmbeddingLoss": "compares embeddings",
    "ImageLoss": "compares images",
    "AdversarialLoss": "judges what a generator makes",
    "ElementwiseLoss": "compares numbers",
}


@dataclasses.dataclass(frozen=True)
class LossTerm:
    """One term of a loss.

    Attributes:
        name: its column: the loss, with a number behind it where it comes again.
        part: the loss.
        arguments: {argument: plain value}; `class_weights` may be "auto".
        factor: a number.
        schedule: what multiplies it over epochs, or None.
        places: {argument: where it stands}.
        place: of the name of the loss.
    """

    name: str
    part: catalogue.Part
    arguments: dict[str, Any]
    factor: float
    schedule: Call | None
    places: dict[str, Place | None]
    place: Place | None

    @property
    def weighs_pixels(self) -> bool:
        """Whether `class_weights` of a single channel are those of background and foreground."""
        return "PixelLoss" in self.part.bases or self.part.name in WITH_TERM_ON_PIXELS


def terms_of(products: Sequence[Product]) -> list[LossTerm]:
    """The terms of a sum.

    Raises:
        ConfigError: for a name that is no loss on masks and no schedule, arguments that do not fit, a product of two losses, a
            number alone.

    Example:

    >>> from kerasmith.recipes.training.expression import parse_sum
    >>> [(t.name, t.factor) for t in terms_of(parse_sum("0.6*dice + ramp(0, 0.3, epochs=2:6)*dice", Place("here")))]
    [('dice', 0.6), ('dice_2', 1.0)]
    """
    terms = []
    for product in products:
        losses = [call for call in product.calls if not _is_schedule(call)]
        schedules = [call for call in product.calls if _is_schedule(call)]
        if not losses:
            what = "a schedule" if schedules else "a number"
            raise ConfigError(product.place, f"{what} alone is no loss. Write `*` and a loss behind it, such as `dice`.")
        if len(losses) > 1:
            raise ConfigError(losses[1].place, "two losses are not multiplied. Write `+` between them.")
        if len(schedules) > 1:
            raise ConfigError(schedules[1].place, "a term has one schedule. Remove one.")
        for schedule in schedules:
            check_schedule(schedule)
        terms.append(_term(losses[0], product.factor, schedules[0] if schedules else None, [one.name for one in terms]))
    if all(term.factor == 0 for term in terms):
        raise ConfigError(products[0].place, "every factor is 0: nothing would be learned.")
    if all(term.factor <= 0 for term in terms):
        raise ConfigError(
            products[0].place, "no factor is above 0, and training would make the loss larger. Leave the minus out."
        )
    return terms


def _is_schedule(call):
    return call.name == RAMP or (
        catalogue.part("losses", call.name) is None and catalogue.part("schedules", call.name) is not None
    )


def _term(call, factor, schedule, taken):
    part = part_of(call, ("losses",), [RAMP, *catalogue.names("schedules")])
    if "SegmentationLoss" not in part.bases:
        what = next((text for base, text in _OF_OTHER_THINGS.items() if base in part.bases), "reads no masks")
        raise ConfigError(
            call.place,
            f"`{call.name}` {what}, and a mask is learned by a loss on pixels: such as `dice`, `ce`, `focal_tversky`.",
        )
    result = check_arguments(call, part.arguments, part.positional, given=GIVEN)
    places = {name: call.places.get(name) or call.places.get(i) for i, name in enumerate(_names(part, result))}
    arguments = {name: plain(value, name, places.get(name) or call.place) for name, value in result.items()}
    if any(value == "auto" and name != "class_weights" for name, value in arguments.items()):
        name = next(name for name, value in arguments.items() if value == "auto" and name != "class_weights")
        raise ConfigError(places.get(name) or call.place, f"only `class_weights` can be `auto`. Give `{name}` a value.")
    name, number = part.name, 2
    while name in taken:
        name, number = f"{part.name}_{number}", number + 1
    return LossTerm(name, part, arguments, factor, schedule, places, call.place)


def _names(part, result):
    return [*part.positional, *(name for name in result if name not in part.positional)]


def plain(value: Any, name: str, place: Place | None) -> Any:
    """A value without calls: a bare word is a text; raises `ConfigError` for a call with arguments."""
    if isinstance(value, Call):
        if value.arguments or value.named:
            raise ConfigError(value.place or place, f"`{name}` takes a value, no call.")
        return value.name
    if isinstance(value, Range):
        raise ConfigError(place, f"`{name}` takes no range. Write one value.")
    if isinstance(value, list):
        return [plain(one, name, place) for one in value]
    return value
