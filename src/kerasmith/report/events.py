"""What happened in a run: a section of its page, and marks on its curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from kerasmith.report.numbers import format_number
from kerasmith.report.page import Section
from kerasmith.report.templating import render_template

_MOST_LISTED = 60


def event_sections(events: Sequence[Mapping[str, Any]]) -> list[Section]:
    """[what happened] of events {"epoch", "kind", "by", "text"} in order; nothing of none."""
    if not events:
        return []
    rows = [{**event, "when": _when(event["epoch"])} for event in events[:_MOST_LISTED]]
    more = len(events) - len(rows)
    return [Section("What happened", render_template("events.html", events=rows, more=more), kind="events")]


def event_marks(events: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """(position, text) of those that belong to a place of the curves."""
    return [(e["epoch"], f"{e['by']}: {_short(e['text'])}") for e in events if e["epoch"] > 0 and e["kind"] != "warning"]


def _when(epoch: float) -> str:
    if epoch <= 0:
        return "at the start"
    return f"epoch {format_number(int(epoch) if epoch == round(epoch) else round(epoch, 2), 2)}"


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:89].rstrip() + "…"
