"""`kerasmith check TARGET` and `kerasmith explain ID`."""

import argparse
import contextlib
import importlib
import json
import pathlib
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from kerasmith.cli.arguments import add_traceback, whole_number

# Folders of a project that hold nobody's own parts.
_SKIPPED = ("tests", "test", "venv", "env", "build", "dist", "node_modules", "site-packages", "__pycache__")
FORMATS = ("text", "short", "json", "sarif", "junit")
EXITS = "Exit status: 0 it was called and no error was found, 1 findings of severity error, 2 it could not be checked."


def check(options: argparse.Namespace) -> int:
    """Says what is wrong with your loss, metric, callback or layer, or with what a script trains, and what to write."""
    from kerasmith.checks.engine.checker import installed
    from kerasmith.checks.engine.contract import Contract
    from kerasmith.checks.engine.report import exit_status

    backends = installed(options.backends)
    request = {
        "init": options.init,
        "like": options.like,
        "contract": None if options.contract is None else vars(Contract.of(options.contract)),
        "select": options.select,
        "ignore": options.ignore,
        "seed": options.seed,
        "kind": options.kind,
    }
    if not options.target.strip():
        raise ValueError("Name a part as path.py:Name, a file or a folder; `.` is this folder. Received: ''")
    folder = pathlib.Path(options.target)
    if options.processes is not None:
        reports = _of_processes(options, backends, request)
    elif folder.is_dir():
        reports = _of_folder(folder, backends, options, request)
    else:
        reports = _of_script_or_parts(options.target, backends, options, request)
    form = importlib.import_module(f"kerasmith.checks.formats.{options.format}")
    if options.format == "text":
        form.show(reports, verbose=options.verbose)
    else:
        print(form.render(reports), end="")
    return exit_status(reports)


def _of_processes(options, backends, request):
    """The report of one part in several real processes."""
    from kerasmith.checks.engine import processes
    from kerasmith.checks.engine.signatures import look_at_signature

    if options.processes < 2:
        raise ValueError(
            f"`--processes` must be 2 or more: one process has no other to differ from. Received: {options.processes}"
        )
    if options.fit is not None or options.arguments is not None or options.select or options.ignore:
        raise ValueError("`--processes` asks one question of a loss or a metric: leave out --fit, --select, --ignore and --")
    look_at_signature(options.target, options.init, options.kind)
    given = {key: request[key] for key in ("init", "like", "contract", "seed", "kind")}
    return processes.reports_of(options.target, backends, options.processes, limit=max(options.budget, 300.0), **given)


def _of_script_or_parts(target, backends, options, request):
    """The report of what a script trains, and those of the parts of a file: of both where importing it does not train."""
    from kerasmith.checks.engine import script
    from kerasmith.checks.engine.target import split

    place, name = split(target)
    asked = options.fit is not None or options.arguments is not None
    if name is not None and asked:
        raise ValueError(f"--fit and arguments behind -- are for a script: write {place}. Received: {target!r}")
    about = options.select or ["T", "L"]
    is_script = name is None and (asked or script.is_script(place))
    reports = []
    if is_script and any(id.upper().startswith("T") for id in about):
        given = {key: request[key] for key in ("contract", "select", "ignore", "seed")}
        with _progress(target) as on_event:
            reports.append(
                script.report_of_script(
                    place,
                    None if options.backends is None else backends,
                    arguments=options.arguments,
                    fit=options.fit or 1,
                    limit=options.script_limit,
                    budget=options.budget,
                    on_event=on_event,
                    **given,
                )
            )
        if asked or not script.defines_parts(place) or all(id.upper().startswith("T") for id in options.select or ["L"]):
            return reports
        if script.trains_when_imported(place):
            from kerasmith.files.messages import warn

            warn(
                f"{place} defines parts, too. They are not asked here, as importing the file trains: put that under "
                f'`if __name__ == "__main__":`, or ask them one by one, as `kerasmith check {place}:Name`.'
            )
            return reports
    return reports + _of(target, backends, options, request)


def _of(target, backends, options, request):
    from kerasmith.checks.engine.signatures import training_on_import
    from kerasmith.checks.engine.target import split
    from kerasmith.checks.engine.workers import reports_of

    split(target)
    trains = training_on_import(target)
    if trains is not None:
        from kerasmith.files.messages import warn

        warn(f'{trains} runs whenever this file is imported, here on each backend: put it under `if __name__ == "__main__":`')
    with _progress(target) as on_event:
        return reports_of(target, backends, budget=options.budget, on_event=on_event, **request)


def _of_folder(target, backends, options, request):
    """Reports of every file of a folder that defines a part; one that cannot be checked is said to be, and the others are."""
    from kerasmith.checks.engine.finding import CannotCheck
    from kerasmith.checks.engine.report import Report
    from kerasmith.checks.engine.signatures import has_parts

    folder = pathlib.Path(target)
    files = [
        file
        for file in sorted(folder.rglob("*.py"))
        if not file.name.startswith(("test_", "conftest", "setup."))
        and not any(part.startswith(".") or part in _SKIPPED for part in file.relative_to(folder).parts)
        and has_parts(file)
    ]
    if not files:
        raise CannotCheck(f"No file in {folder} defines a loss, metric, callback or layer.")
    reports = []
    for file in files:
        try:
            reports += _of(str(file), backends, options, request)
        except CannotCheck as error:
            reports.append(Report(subject=str(file), kind="source", problem=str(error), details=error.details))
    return reports


def explain(options: argparse.Namespace) -> None:
    """Prints what a check asks, why it matters, and what to write instead; lists all checks without an id."""
    from rich.console import Console
    from rich.markup import escape

    from kerasmith.checks.engine import registry

    console = Console(highlight=False)
    checks = registry.load()
    if options.id is None:
        for one in checks.values():
            kinds = one.kinds[0] if len(one.kinds) == 1 else "several"
            console.print(f"[bold]{one.id}[/] {one.severity:<8} {kinds:<9}", escape(one.title), soft_wrap=True)
        return
    one = checks.get(options.id.upper())
    if one is None:
        near = [id for id in checks if id.startswith(options.id.upper()[:1])]
        raise ValueError(f"There is no check {options.id!r}. There are: {', '.join(near or checks)}")
    console.print(f"[bold]{one.id} {one.name}[/] ({one.severity}, asks: {', '.join(one.kinds)}, since {one.since})\n")
    for paragraph in one.explanation.split("\n\n"):
        # Lines of code keep theirs, text is wrapped as wide as the terminal is.
        code = paragraph.startswith((" ", ">>>"))
        console.print(paragraph if code else " ".join(paragraph.split()), markup=False, end="\n\n")
    if one.requires:
        console.print(f"Asked after: {', '.join(one.requires)}", markup=False)


def add_to(commands: Any) -> None:
    """The parsers of both commands."""
    command = commands.add_parser(
        "check",
        help="find the faults of a loss, metric, callback or layer that you wrote, or of a whole training",
        description=check.__doc__,
        epilog=EXITS,
    )
    command.add_argument(
        "target",
        help="path.py:Name or package.module:Name, where Name is a class, an instance, a function of (y_true, y_pred), or a "
        "factory: a function without arguments that returns one; a file, a module or a folder with all its parts; or a script "
        "that trains, with its arguments behind two dashes: train.py -- --epochs 3",
    )
    command.add_argument(
        "--fit", type=whole_number(1), metavar="N", help="of a script: which call of `fit` to ask about; default: 1, the first"
    )
    command.add_argument(
        "--script-limit", type=_seconds, default=300.0, metavar="S", help="seconds for a script to reach it; default: 300"
    )
    command.add_argument(
        "--init",
        type=_init,
        metavar="JSON",
        help="constructor arguments: '{\"alpha\": 0.7}', or path.py:make, a function that returns the part",
    )
    command.add_argument(
        "--like", type=_specs, metavar="SPECS", help="inputs: 'y_true=float32[4,8]onehot y_pred=float32[4,8]simplex', or JSON"
    )
    command.add_argument("--contract", type=_specs, metavar="PROMISES", help="what is meant to differ: 'per_sample=false'")
    kinds = ("loss", "metric", "equation")
    command.add_argument("--kind", choices=kinds, help="of plain functions; default: loss, or equation for one of a field")
    command.add_argument(
        "--backends",
        type=_names,
        metavar="A,B",
        help="default: all that are installed; for a script what it or your environment says",
    )
    command.add_argument("--select", type=_names, metavar="IDS", help="only these checks: L1,X104")
    command.add_argument("--ignore", type=_names, metavar="IDS", help="all but these")
    command.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    command.add_argument(
        "--budget", type=_seconds, default=60.0, metavar="S", help="seconds a component and backend; default: 60"
    )
    command.add_argument(
        "--processes",
        type=whole_number(1),
        metavar="N",
        help="of a loss or metric: train with it alone and in N processes of each backend, and compare; asks nothing else",
    )
    command.add_argument("--seed", type=whole_number(0), default=7, metavar="N", help="of the inputs; default: 7")
    command.add_argument("-v", "--verbose", action="store_true", help="say what came of every check")
    add_traceback(command)
    command.set_defaults(command=check, arguments=None)

    command = commands.add_parser("explain", help="say what a check asks", description=explain.__doc__)
    command.add_argument("id", nargs="?", help="such as L104; all are listed without one")
    add_traceback(command)
    command.set_defaults(command=explain)


@contextlib.contextmanager
def _progress(target: str) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """What the workers are doing, on one line of a terminal; nothing where standard error is a file.

    Gives a function for `reports_of(on_event=...)`; the line is gone when the block ends.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda backend, event: None
        return
    doing, names = {}, {}

    def show(backend: str, event: dict[str, Any]) -> None:
        if event["event"] == "components":
            names[backend] = event["names"]
        elif event["event"] == "importing":
            doing[backend or "script"] = "importing" if backend else "runs up to its fit"
        elif event["event"] == "backend":
            doing.pop(backend or "script", None)
        elif event["event"] == "begin":
            doing[backend] = f"{names[backend][event['index']]} {event['id']}"
        elif event["event"] == "done":
            doing[backend] = "done"
        status.update(f"{target}  " + "  ".join(f"[bold]{name}[/] {text}" for name, text in doing.items()))

    with console.status(f"{target}  starting") as status:
        yield show


def _init(text: str) -> dict[str, Any] | str:
    return text if re.fullmatch(r"[\w./\\-]+:\w+", text) else _json_dict(text)


def _json_dict(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected JSON such as '{{\"alpha\": 0.7}}': {error}; received {text!r}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object such as '{{\"alpha\": 0.7}}', received {text!r}")
    return value


def _specs(text: str) -> dict[str, Any]:
    """{name: value} of `name=value name=value` or of JSON; values that are JSON are read as such."""
    if text.lstrip().startswith("{"):
        return _json_dict(text)
    pairs = {}
    for part in shlex.split(text):
        name, equals, value = part.partition("=")
        if not equals or not name.isidentifier() or not value:
            raise argparse.ArgumentTypeError(f"expected name=value pairs, received {part!r}")
        pairs[name] = {"true": True, "false": False, "True": True, "False": False}.get(value, value)
    return pairs


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"expected names with commas between them, received {text!r}")
    return names


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"expected seconds, received {text!r}")
    return seconds
