"""Pictures of held-out cases: the raw image and the probability beside what came of them, worst and best side by side."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.report._image_grid import legend_entries
from kerasmith.report.extremes import better, worst_and_best, worst_first
from kerasmith.report.numbers import format_number
from kerasmith.report.page import Section
from kerasmith.report.pixels import as_pixels, data_uri
from kerasmith.report.templating import Markup, render_template

_MOST_DISPLAYED = 3
_MOST_RUNS = 4


@dataclasses.dataclass(frozen=True)
class CasePicture:
    """What a run shows of one held-out case (since 0.2).

    Attributes:
        case: its name, the one in `cases.csv`.
        panels: {what it shows: picture as `image_grid` takes them}; the last one is what came of the case, and the largest.
        scores: {name: number} of the case, the one that cases are ordered by first.
        note: plain text beside the scores.
    """

    case: str
    panels: Mapping[str, Any]
    scores: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    note: str = ""


def stored_pictures(pictures: Iterable[CasePicture], legend: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Plain data of pictures for the files of a run: {"cases": [{"case", "scores", "note", "panels"}], "legend"}.

    Raises:
        ValueError: for a case without panels, or two of one name.
    """
    cases = []
    for one in pictures:
        if not one.panels or any(one.case == other["case"] for other in cases):
            raise ValueError(f"Each case has pictures and a name of its own. Received: {one.case!r} again or without panels")
        panels = []
        for title, picture in one.panels.items():
            array = as_pixels(picture, title)
            size = {"width": int(array.shape[1]), "height": int(array.shape[0])}
            panels.append({"title": title, "uri": data_uri(array), **size})
        cases.append({"case": one.case, "scores": dict(one.scores), "note": one.note, "panels": panels})
    return {"cases": cases, "legend": legend_entries(legend)}


def case_grid(stored: Mapping[str, Any], hint: str = "") -> Markup:
    """HTML of all cases of what `stored_pictures` gave, in their order."""
    displayed = [{**case, "caption": _caption(case["scores"], case["note"])} for case in stored["cases"]]
    return _html([{"title": "", "cases": [case]} for case in displayed], stored["legend"], hint)


def chosen_cases(scores: Mapping[str, float | None], score: str, most: int = 12) -> list[str]:
    """The cases worth a picture, in the order of `scores`: the worst, the best, and some that any run would choose.

    >>> chosen_cases({str(i): i / 100 for i in range(100)}, "dice", most=6)
    ['0', '1', '33', '66', '98', '99']
    """
    names = list(scores)
    if len(names) <= most:
        return names
    worst, best = worst_and_best(worst_first(scores, better(score)), most // 3)
    # The same ones in each run on the same cases, so that runs have some in common.
    shared = [names[i] for i in np.linspace(0, len(names) - 1, most - len(worst) - len(best) + 2).astype(int)[1:-1]]
    return [name for name in names if name in {*worst, *best, *shared}]


def case_sections(stored: Mapping[str, Any] | None) -> list[Section]:
    """[worst and best cases] of what `stored_pictures` gave; nothing of None."""
    if not stored or not stored["cases"]:
        return []
    cases = {case["case"]: case for case in stored["cases"]}
    score = next((name for case in cases.values() for name in case["scores"]), None)
    if score is None or len(cases) < 2:
        return [Section("Cases", case_grid({**stored, "cases": stored["cases"][: 2 * _MOST_DISPLAYED]}))]
    displayed = {name: {**case, "caption": _caption(case["scores"], case["note"])} for name, case in cases.items()}
    ordered = worst_first({name: case["scores"].get(score) for name, case in cases.items()}, better(score))
    worst, best = worst_and_best(ordered, _MOST_DISPLAYED)
    groups = [{"title": title, "cases": [displayed[n] for n in names]} for title, names in (("Worst", worst), ("Best", best))]
    hint = f"By {_words(score)}, of {len(cases)} cases that the run keeps pictures of."
    return [Section("Worst and best cases", _html(groups, stored["legend"], hint))]


def compared_pictures(
    runs: Mapping[str, Mapping[str, Any] | None], ordered: Sequence[str], captions: Mapping[str, Mapping[str, str]]
) -> Markup:
    """What came of the worst and the best cases in each run, beside the raw image.

    Args:
        runs: {name: what `stored_pictures` gave of the run, or None}.
        ordered: names of cases that all runs have, the worst first.
        captions: {run: {case: its score in words}}.

    Returns:
        HTML; empty where no case has pictures of two runs.
    """
    pictured = {run: {case["case"]: case for case in stored["cases"]} for run, stored in runs.items() if stored}
    names = list(pictured)[:_MOST_RUNS]
    common = [case for case in ordered if all(case in pictured[run] for run in names)]
    if len(names) < 2 or not common:
        return Markup("")
    groups = []
    for title, chosen in zip(("Worst", "Best"), worst_and_best(common, _MOST_DISPLAYED), strict=True):
        cases = []
        for case in chosen:
            first = pictured[names[0]][case]["panels"]
            panels = [first[0]] if len(first) > 1 else []
            panels += [{**pictured[r][case]["panels"][-1], "title": f"{r}: {captions[r][case]}"} for r in names]
            cases.append({"case": case, "caption": "", "panels": panels})
        if cases:
            groups.append({"title": title, "cases": cases})
    hint = f"Of {len(common)} cases that these runs keep pictures of."
    if len(pictured) > len(names):
        hint += f" The first {len(names)} of {len(pictured)} runs with pictures."
    legend = next(stored["legend"] for stored in runs.values() if stored)
    return _html(groups, legend, hint, equal=True)


def _caption(scores: Mapping[str, float | None], note: str) -> str:
    parts = [f"{_words(name)} {'–' if value is None else format_number(value)}" for name, value in scores.items()]
    return ", ".join([*parts, *filter(None, [note])])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _html(
    groups: Sequence[Mapping[str, Any]], legend: Sequence[Mapping[str, Any]], hint: str = "", equal: bool = False
) -> Markup:
    return render_template("case_pictures.html", groups=groups, legend=legend, hint=hint, equal=equal)
