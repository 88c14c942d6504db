"""Several runs on one page: their curves over each other, what differs in them, how much better which is."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.base.direction import direction_of
from kerasmith.files.plain_data import flat_text, plain
from kerasmith.report.case_pictures import compared_pictures
from kerasmith.report.curves import VALIDATION, line_chart
from kerasmith.report.extremes import better, worst_first
from kerasmith.report.numbers import format_duration, format_number
from kerasmith.report.page import Section, render
from kerasmith.report.pairing import NotPaired, differences
from kerasmith.report.run_data import best_value
from kerasmith.report.tables import table
from kerasmith.report.templating import Markup, render_template
from kerasmith.report.training import BETTER, LEARNING_RATE, quantities

_DIGITS = 6
_MOST_CASES = 8


def comparison_page(runs: Mapping[str, Mapping[str, Any]], cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Markup:
    """The page.

    Args:
        runs: {name: data of a run, as `run_page` takes it}, at least two; the first is what the others are compared with.
        cases: {name: rows of its `cases.csv`}.
    """
    sections = [
        Section("Runs", _runs(runs)),
        Section("Settings that differ", _settings(runs)),
        Section("Results", _results(runs, cases)),
        Section("Curves", _curves(runs)),
        *_extreme_cases(cases, {name: run["case_pictures"] for name, run in runs.items()}),
    ]
    first = next(iter(runs))
    held = {
        "runs": {name: {k: run[k] for k in ("title", "status", "config", "results", "events")} for name, run in runs.items()}
    }
    return render(f"{len(runs)} runs", sections, lead=f"Compared with {first}, the first one.", data=plain(held))


def _runs(runs: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = []
    for name, run in runs.items():
        best = best_value(run)
        rows.append(
            {
                "run": name,
                "state": run["status"],
                "epochs": run["rows"][-1]["epoch"] if run["rows"] else 0,
                "best": None if best is None else f"{best[0]} {format_number(best[1])} (epoch {best[2]})",
                "training time": format_duration(run["seconds"]),
                "events": len(run["events"]),
            }
        )
    return table(rows)


def settings_that_differ(runs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows {"setting", run: value} of what is not the same in all runs: configuration, compilation, environment, origin."""
    rows = []
    for part in ("config", "compiled", "environment", "origin"):
        for name in dict.fromkeys(key for run in runs.values() for key in run[part]):
            if part == "environment" and any(name in run["config"] for run in runs.values()):
                continue  # a seed is in both
            values = {run: _setting(name, data[part]) for run, data in runs.items()}
            if len(set(map(repr, values.values()))) > 1:
                rows.append({"setting": name, **{run: "–" if v is None else format_number(v) for run, v in values.items()}})
    return rows


def _setting(name: str, part: Mapping[str, Any]) -> Any:
    """A setting in one line; the number that Keras appends to the names of models says which came first, and is no setting."""
    value = flat_text(part[name]) if name in part else None
    return re.sub(r"_\d+$", "", value) if name == "model" and isinstance(value, str) else value


def _settings(runs: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = settings_that_differ(runs)
    if not rows:
        return Markup("<p>None: configuration, compilation and environment are the same.</p>")
    if len(runs) > len(rows):  # runs below each other where there are more of them than settings
        rows = [{"run": run, **{str(row["setting"]): row[run] for row in rows}} for run in runs]
    return table(rows)


def _results(runs: Mapping[str, Mapping[str, Any]], cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Markup:
    """Final and recipe's figures beside each other, and paired differences from the first run."""
    names = list(runs)
    values = {name: _figures(run) for name, run in runs.items()}
    columns = list(dict.fromkeys(key for one in values.values() for key in one))
    figures = table(
        [{"run": name, **values[name]} for name in names],
        ["run", *columns],
        best=_best(columns, values, runs[names[0]]),
        caption="Results on held-out data that the run has stored, then the values of the last epoch.",
    )
    rows, refused = [], []
    for name in names[1:]:
        if not cases.get(names[0]) or not cases.get(name):
            without = names[0] if not cases.get(names[0]) else name
            refused.append(f"{name}: not paired, as {without} has no cases.csv")
            continue
        try:
            found = differences(cases[names[0]], cases[name])
        except NotPaired as problem:
            refused.append(f"{name}: not paired, {problem}")
            continue
        for score, difference in found.items():
            direction = better(score)
            rows.append(
                {
                    "run": name,
                    "score": score,
                    "difference": difference.sentence(names[0], name, direction),
                    "cases": difference.cases,
                }
            )
    parts = [figures]
    if rows:
        parts.append(table(rows, caption="Mean over the same held-out cases, with the 95 % interval of a paired bootstrap."))
    if refused:
        parts.append(render_template("charts.html", notes=refused, charts=[], hint=None))
    return Markup("".join(parts))


def _figures(run: Mapping[str, Any]) -> dict[str, Any]:
    own = {k: v for k, v in run["results"].items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    own = {k: v for k, v in own.items() if k not in ("seconds", "parameters")}
    last = {k: v for k, v in (run["rows"][-1] if run["rows"] else {}).items() if k not in ("epoch", LEARNING_RATE)}
    validation = {k: v for k, v in last.items() if k.startswith(VALIDATION)}
    return {**own, **{k: v for k, v in (validation or last).items() if k not in own}}


def _best(columns: Sequence[str], values: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> dict[str, int]:
    best = {}
    for column in columns:
        direction = better(column, run["directions"], run["terms"])
        numbers = [one.get(column) for one in values.values()]
        finite = [(v, i) for i, v in enumerate(numbers) if isinstance(v, (int, float)) and np.isfinite(v)]
        if direction and len(finite) > 1:
            best[column] = (max if direction == "max" else min)(finite, key=lambda pair: pair[0])[1]
    return best


def _curves(runs: Mapping[str, Mapping[str, Any]]) -> Markup:
    """A chart for each quantity; of the validation where there is one."""
    epochs = sorted({row["epoch"] for run in runs.values() for row in run["rows"]})
    place = {epoch: i for i, epoch in enumerate(epochs)}
    names: dict[str, None] = {}
    for run in runs.values():
        logged = dict.fromkeys(n for row in run["rows"] for n in row)
        names.update(dict.fromkeys(VALIDATION + q if VALIDATION + q in logged else q for q in quantities(run["rows"])))
    charts = []
    for name in [*names, LEARNING_RATE]:
        series = {}
        for label, run in runs.items():
            values: list[float | None] = [None] * len(epochs)
            for row in run["rows"]:
                values[place[row["epoch"]]] = row.get(name)
            series[label] = values
        if any(v is not None for values in series.values() for v in values):
            quantity = name.removeprefix(VALIDATION)
            known = ((run["directions"], run["terms"]) for run in runs.values())
            says = next(((metrics, terms) for metrics, terms in known if quantity in metrics or quantity in terms), ())
            best_is = BETTER[direction_of(name, *says)]
            charts.append(
                line_chart(
                    series, x=epochs, title=name, x_label="epoch", y_label=best_is, sync="epoch", legend="runs", digits=_DIGITS
                )
            )
    if not charts:
        return Markup("<p>No epoch has ended in any of them.</p>")
    hint = "A click hides a run in all charts; with shift it shows no other."
    return Markup('<div data-legend="runs"></div>') + render_template("charts.html", notes=[], charts=charts, hint=hint)


def _extreme_cases(
    cases: Mapping[str, Sequence[Mapping[str, Any]]], pictures: Mapping[str, Mapping[str, Any] | None]
) -> list[Section]:
    """The worst and the best cases by the mean of the runs with the data of the first, in pictures and in numbers."""
    scored = {name: {row["case"]: row for row in rows} for name, rows in cases.items() if rows}
    if not scored:
        return []
    first = next(iter(scored.values()))
    # A case of the same name with other data is another case.
    scored = {
        name: rows
        for name, rows in scored.items()
        if any(case in rows and row.get("digest") == rows[case].get("digest") for case, row in first.items())
    }
    score = next((k for row in first.values() for k in row if k not in ("case", "digest")), None)
    common = [
        case
        for case, row in first.items()
        if all(
            case in rows and score in rows[case] and rows[case].get("digest") == row.get("digest") for rows in scored.values()
        )
    ]
    if score is None or not common or len(scored) < 2:
        return []
    means = {case: float(np.mean([rows[case][score] for rows in scored.values()])) for case in common}
    ordered = worst_first(means, better(score))
    chosen = ordered if len(ordered) <= 2 * _MOST_CASES else [*ordered[:_MOST_CASES], *ordered[-_MOST_CASES:]]
    rows = [{"case": case, **{name: of[case][score] for name, of in scored.items()}} for case in chosen]
    caption = f"{score} of {len(chosen)} of {len(common)} common cases, the worst first."
    words = {name: {c: f"{score} {format_number(of[c][score])}" for c in common} for name, of in scored.items()}
    displayed = compared_pictures({name: pictures.get(name) for name in scored}, ordered, words)
    return [Section("Worst and best cases", displayed + table(rows, caption=caption))]
