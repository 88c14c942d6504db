"""A plan as a table for the terminal."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.resolved_file import yaml_text


def plan_text(plan: Plan) -> Any:
    """What `--plan` shows: the data, every decision with its reason, what is noteworthy."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold", expand=False)
    table.add_column("key", style="cyan", no_wrap=True)
    table.add_column("value", overflow="fold", ratio=3)
    table.add_column("why", style="dim", overflow="fold", ratio=2)
    for one in plan.decisions:
        if one.why != "default":
            value = one.value if isinstance(one.value, str) else yaml_text(one.value, inside=False)
            table.add_row(one.key, Text(value), Text(one.why))
    return Group(Text(_about(plan)), Text(""), table, *(Text(f"note: {note}", style="yellow") for note in plan.notes))


def _about(plan: Plan) -> str:
    known_data = plan.fingerprint
    size = " x ".join(map(str, known_data["median"]))
    shares = ", ".join(f"{name} {100 * share:.3g} %" for name, share in known_data["class_shares"].items())
    objects = known_data["objects"]
    result = f"{objects['number']} objects, {objects['diameter']:g} pixels across" if objects["number"] else "no objects"
    spacing = "" if known_data["spacing"] is None else f", spacing {' x '.join(f'{one:g}' for one in known_data['spacing'])}"
    return (
        f"{len(plan.train)} images to train on, {len(plan.held_out)} held out; {size} pixels, {known_data['channels']} "
        f"channel{'s' * (known_data['channels'] > 1)}, {known_data['dtype']}{spacing}\n{shares}; {result}"
    )
