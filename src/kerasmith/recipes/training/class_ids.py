"""Which ids the masks hold, and which classes those are."""

from collections.abc import Sequence

from kerasmith.recipes.training.cases import Case, listed
from kerasmith.recipes.training.config import Config


def class_ids(config: Config, cases: Sequence[Case]) -> tuple[dict[int, int], str]:
    """({id of the masks: class}, why), of semantic masks.

    Raises:
        ConfigError: for ids that are no class, by file, and for masks of one class only.
    """
    classes, void = config["classes"], config["void"]
    _refuse_negative(config, cases, "ids of classes are 0 and above; `void: -1` leaves pixels out of everything.")
    result = sorted({number for case in cases for number in case.ids} - {void})
    why = "as `classes` says"
    if None in classes.values():
        others = [number for number in result if number != 0]
        if 0 in result and len(others) > 1:
            raise config.error("classes", _unknown(cases, {0, others[0], void}, len(classes), others))
        foreground = others[0] if others else 1
        why = "the masks hold 0 and this id" if foreground != 1 else why
        classes = {name: foreground if number is None else number for name, number in classes.items()}
    known = set(classes.values())
    if set(result) - known:
        raise config.error("classes", _unknown(cases, known | {void}, len(classes), sorted(set(result) - known)))
    if len(result) < 2:
        only = next((name for name, number in classes.items() if number in result), "void")
        raise config.error(
            "masks",
            f"all masks hold one class only, `{only}` (id {result[0] if result else void}): "
            f"nothing could be learned. Are these the masks? The first is {cases[0].mask}",
        )
    return {number: i for i, number in enumerate(classes.values())}, why


def check_instances(config: Config, cases: Sequence[Case]) -> None:
    """Raises `ConfigError` for masks that hold no ids of objects."""
    void = config["void"]
    _refuse_negative(config, cases, "ids of objects are 0 and above.")
    if any(len(case.shape) != 2 for case in cases):
        raise config.error("instances", "objects are kept apart in images of two axes only. Write `instances: false`.")
    objects = [len(set(case.ids) - {0, void}) for case in cases]
    if max(objects) == 0:
        raise config.error(
            "masks", f"no mask holds an object, all pixels are 0. Are these the masks? The first is {cases[0].mask}"
        )
    if max(objects) == 1 and len(cases) > 1:
        raise config.error(
            "instances",
            "no mask holds more than one id beside 0, so objects are not told apart. Give each object its own id, or write "
            "`instances: false`.",
        )


def _refuse_negative(config: Config, cases: Sequence[Case], rule: str) -> None:
    """No file of a predicted mask could hold them."""
    lowest = {case: min(set(case.ids) - {config["void"]}, default=0) for case in cases}
    negative = [f"{case.mask}: it holds {low}; {rule}" for case, low in lowest.items() if low < 0]
    if negative:
        raise config.error("masks", listed(negative))


def absent_classes(ids: dict[int, int], names: Sequence[str], cases: Sequence[Case]) -> list[str]:
    """The classes that no mask of these holds."""
    return [names[label] for number, label in ids.items() if not any(number in case.ids for case in cases)]


def _unknown(cases, known, count, ids):
    known = known - {None}
    files = [case for case in cases if set(case.ids) - known]
    displayed = ", ".join(map(str, ids[:8])) + (", ..." if len(ids) > 8 else "")
    lines = [
        f"{case.mask}: {', '.join(map(str, sorted(set(case.ids) - known)[:8]))}"
        + (", ..." if len(set(case.ids) - known) > 8 else "")
        for case in files[:8]
    ]
    more = [f"and {len(files) - 8} more files"] if len(files) > 8 else []
    return "\n  ".join(
        [
            f"the masks hold ids that are no class: {displayed}. There are {count} classes, "
            f"ids {', '.join(map(str, sorted(known)))}. "
            "Name all classes, `classes: {background: 0, ...}`; write `void: id` for pixels that count for nothing; or "
            "`instances: true` if each object has an id of its own:",
            *lines,
            *more,
        ]
    )
