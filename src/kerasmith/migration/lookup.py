"""Finds the table row of a call."""

import difflib
import functools
import importlib

from kerasmith.migration.call import Call
from kerasmith.migration.line import Line
from kerasmith.migration.peers import ALIASES, TABLES, TASKS
from kerasmith.migration.reading import bind, read

_MICRO = ("Accuracy", "F1Score", "FBetaScore", "NegativePredictiveValue", "Precision", "Recall", "Specificity")
"""Metrics of torchmetrics that average over all decisions where the task is an argument."""


@functools.cache
def known_calls() -> dict[str, Call]:
    """{full name: Call} of every call that is known."""
    calls = (call for table in TABLES for call in importlib.import_module(f"kerasmith.migration.peers.{table}").CALLS)
    return {call.path: call for call in calls}


def migrate(text: str) -> Line:
    """Our line for a call of another library.

    Args:
        text: `"monai.losses.DiceCELoss(sigmoid=True)"`, or the name alone. It is parsed, not run.

    Returns:
        A `Line`: `line.code` runs as it stands, `line.lost` and `line.notes` say what differs, `str(line)` is all of it.

    Raises:
        ValueError: for an unknown call, with the nearest ones; for an argument that it does not have.

    Example:

    >>> line = migrate("monai.losses.TverskyLoss(sigmoid=True, alpha=0.3, beta=0.7)")
    >>> line.expression
    'Tversky(from_logits=True, alpha=0.3, beta=0.7)'
    """
    name, positional, keywords = read(text)
    task = (keywords.get("task") or (positional or [""])[0]).strip("'\"")
    path = _full(name, task)
    call = known_calls()[path]
    if path.startswith("torchmetrics.") and task in TASKS:
        positional = positional if keywords.pop("task", None) else positional[1:]
        # The classes of each task have "macro" by themselves, those that choose by `task` another default.
        is_micro = path.rpartition(".")[2].removeprefix(TASKS[task]) in _MICRO and "average" in call.defaults
        if is_micro and len(positional) <= list(call.defaults).index("average"):
            keywords.setdefault("average", "'micro'")
    line = Line(call)
    arguments = bind(call, positional, keywords)
    for argument in arguments.values():
        rule = call.rules.get(argument.name)
        if rule is not None:
            rule(line, argument)
        elif argument.given and argument.text != call.defaults[argument.name]:
            line.lost.append(f"`{argument.name}={argument.text}` has no counterpart.")
    if call.finish is not None:
        call.finish(line, arguments)
    return line


def _full(name, task):
    """The known name that was meant."""
    calls = known_calls()
    for alias, module in ALIASES.items():
        if name.startswith(alias):
            name = module + name[len(alias) :]
            break
    if name in calls:
        return name
    last = name.rpartition(".")[2]
    if name.startswith("torchmetrics.") or ("." not in name and task in TASKS):
        for candidate in (TASKS.get(task, "") + last, last):
            if f"torchmetrics.classification.{candidate}" in calls:
                return f"torchmetrics.classification.{candidate}"
    same = [path for path in calls if path.rpartition(".")[2] == last]
    library = name.partition(".")[0]
    same = [path for path in same if path.startswith(f"{library}.")] or ([] if "." in name else same)
    if len(same) == 1:
        return same[0]
    if same:
        raise ValueError(f"{name} may be {', '.join(same)}. Write which.")
    near = difflib.get_close_matches(name, calls, n=3, cutoff=0.6)
    ends: dict[str, list[str]] = {}
    for path in calls:
        ends.setdefault(path.rpartition(".")[2].lower(), []).append(path)
    near += [path for end in difflib.get_close_matches(last.lower(), ends, n=3, cutoff=0.6) for path in ends[end]]
    nearest = ", ".join(dict.fromkeys(near)) or "none that resembles it"
    raise ValueError(f"{name} is not known. Nearest: {nearest}. `kerasmith migrate --list` names all of them.")
