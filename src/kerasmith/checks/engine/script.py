"""Scripts that train: what tells them from files of parts, and the report of their `fit`. Imports no Keras."""

import ast
import os
import pathlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.report import Report, report_of
from kerasmith.checks.engine.signatures import syntax_tree, top_level
from kerasmith.checks.engine.target import FIRST, source_file
from kerasmith.checks.engine.workers import IN_WORKER, Run

# Seconds until a script has to reach its `fit`: it reads its data meanwhile.
LIMIT = 300.0
# What is fitted and is no network, by a part of its name.
_FITTED = ("scaler", "encoder", "tokenizer", "pca", "vectorizer", "imputer", "transformer", "kmeans", "binarizer", "curve")
_PART = re.compile(r"(Loss|Metric|Callback|Layer)$|(losses|metrics|callbacks|layers)\.\w+$")
_CALLS = ("fit", "fit_generator", "train_on_batch", "GradientTape", "value_and_grad", "backward")


def is_script(place: str) -> bool:
    """Whether a file or module trains when it is run: on its top level, under `__main__`, or in functions called there.

    Args:
        place: `train.py` or `package.module`.
    """
    tree = _tree(place)
    return tree is not None and any(_trains(call) for call in _calls(tree))


def trains_when_imported(place: str) -> bool:
    """Whether it also trains where it is only imported, not run."""
    tree = _tree(place)
    return tree is not None and any(_trains(call) for call in _calls(tree, run=False))


def defines_parts(place: str) -> bool:
    """Whether a script also defines what reads like a loss, metric, callback or layer; a model and a dataset are none."""
    tree = _tree(place)
    for node in [] if tree is None else tree.body:
        if isinstance(node, ast.ClassDef) and any(_PART.search(ast.unparse(base)) for base in node.bases):
            return True
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg in FIRST:
            return len(node.args.args) - len(node.args.defaults) == 2
    return False


def script_file(place: str) -> str | None:
    """The file that runs for `train.py` or `package.module`, None if there is none."""
    if place.endswith(".py"):
        return source_file(place)
    below = pathlib.Path.cwd().joinpath(*place.split("."))
    for file in (below.with_suffix(".py"), below / "__main__.py"):
        if file.is_file():
            return str(file)
    return source_file(place)


def report_of_script(
    target: str,
    backends: list[str] | None = None,
    *,
    arguments: list[str] | None = None,
    fit: int = 1,
    limit: float = LIMIT,
    budget: float = 60.0,
    on_event: Callable[[str, dict[str, Any]], None] = lambda backend, event: None,
    **request: Any,
) -> Report:
    """The `Report` of the `fit` that a script calls; one that never comes there has a `problem`.

    Args:
        target: `train.py` or `package.module`.
        backends: that Keras runs on unless the script chooses one; None for what the user's environment says.
        arguments: of the script.
        fit: which of its calls of `fit` is asked about, counted from 1.
        limit: seconds until it has to be there.
        budget: seconds for all checks on one backend.
        on_event: called with what the workers tell.
        **request: contract, select, ignore, seed; JSON.

    Raises:
        CannotCheck: for a selection that names nothing, or within a script that is asked about already.
    """
    if os.environ.get(IN_WORKER):
        raise CannotCheck("A script that is checked asks for a check of a script itself.")
    registry.planned("setup", request.get("select"), request.get("ignore"))
    start = time.monotonic()
    request = {"target": target, "arguments": list(arguments or ()), "fit": fit, "limit": limit, **request}
    answers, problems = {}, []
    for backend in [None] if backends is None else backends:
        run = ScriptRun(backend, {"contract": None, "select": None, "ignore": None, "seed": 7, **request}, budget, on_event)
        try:
            names, components = run.results()
        except CannotCheck as error:
            problems.append(str(error))
            continue
        finally:
            run.stop()
        if components:
            answers[run.backend or "default"] = (names[0], components[0])
    file = script_file(target)
    if not answers:
        return Report(subject=target, kind="setup", target=target, file=file, problem="\n".join(dict.fromkeys(problems)))
    name = next(iter(answers.values()))[0]
    report = report_of(name, {backend: answer for backend, (_, answer) in answers.items()}, time.monotonic() - start, target)
    if problems and report.problem is None:
        report.problem = "\n".join(dict.fromkeys(problems))
    return report


class ScriptRun(Run):
    """One backend: the process that runs the script; see `Run`."""

    module: str = "kerasmith.checks.engine.script_worker"
    share: int = registry.SHARE_OF_A_SETUP

    @property
    def import_limit(self) -> float:
        """Seconds until `fit`; the worker itself says where the script is when they are over."""
        return self.request["limit"] + 30.0


def _tree(place: str) -> ast.Module | None:
    file = script_file(place)
    return None if file is None else syntax_tree(file, place)


def _calls(tree: ast.Module, run: bool = True) -> Iterator[ast.Call]:
    """The calls of a module's statements, and of the functions and methods of its own that these call by name."""
    definitions: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            definitions.setdefault(node.name, []).append(node)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    waiting: list[ast.AST] = [node for node in top_level(tree, run) if not isinstance(node, kinds)]
    seen: set[str] = set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            if not isinstance(node, ast.Call):
                continue
            yield node
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # `fit` of another class is no function of this file's.
            if name in definitions and name not in seen and name not in _CALLS:
                seen.add(name)
                waiting += definitions[name]


def _trains(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name not in _CALLS:
        return False
    if name != "fit":
        return True
    # A scaler or a tokenizer is fitted, too.
    owner = ast.unparse(call.func.value).lower() if isinstance(call.func, ast.Attribute) else ""
    options = {"epochs", "callbacks", "batch_size", "validation_data", "validation_split", "steps_per_epoch", "verbose"}
    others = (
        "scaler",
        "encoder",
        "tokenizer",
        "pca",
        "vectorizer",
        "imputer",
        "transformer",
        "pipeline",
        "kmeans",
        "binarizer",
    )
    return bool(options & {one.arg for one in call.keywords}) or not any(word in owner for word in others)
