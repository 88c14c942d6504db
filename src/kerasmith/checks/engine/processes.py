"""Trains with one part alone and in several real processes, and says where they differ. Imports no Keras."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.child_process import child_environment
from kerasmith.checks.engine.finding import CannotCheck, Finding, Inconclusive, Record
from kerasmith.checks.engine.report import Answer, Report, report_of
from kerasmith.checks.engine.target import split

SCRIPT = pathlib.Path(__file__).parents[1] / "harness" / "in_processes.py"
# The question of each kind, which one process asks of two devices of TensorFlow.
QUESTIONS = {"loss": "L124", "metric": "M118"}
# What the order of sums changes: five digits of a number, three of a gradient, which is read from weights of about 1.
_NUMBERS, _MOVED = 1e-4, 2e-3
_TRAINED = """inputs = keras.Input(y_pred.shape[1:])
class Weighted(keras.layers.Layer):
    def build(self, shape): self.w = self.add_weight(shape=shape[1:], initializer="ones")
    def call(self, x): return x * self.w
model = keras.Model(inputs, Weighted()(inputs))
model.compile(keras.optimizers.SGD({rate}), {loss}, metrics=[{metric}])
print(model.fit(y_pred, y_true, batch_size={batch}, shuffle=False, verbose=0).history, model.get_weights())"""


def reports_of(target: str, backends: list[str], processes: int, *, limit: float = 300.0, **request: Any) -> list[Report]:
    """[Report] of one part: one training on each backend, alone and in several processes with unequal shares.

    Args:
        target: `path.py:Name` or `package.module:Name` of a loss or a metric.
        backends: ["torch", ...], each installed.
        processes: how many.
        limit: seconds for each training.
        **request: init, like, contract, seed, kind; JSON.

    Raises:
        CannotCheck: for a whole file, or a part that is not found or cannot be made.
    """
    if split(target)[1] is None:
        raise CannotCheck(f"Several processes are asked of one part: write {target}:Name. Received: {target!r}")
    start = time.monotonic()
    asked = {**dict.fromkeys(("init", "like", "contract", "kind")), "seed": 7, **request, "target": target}
    answers = {backend: _answer(backend, processes, asked, limit) for backend in backends}
    return [report_of(target.rpartition(":")[2], answers, time.monotonic() - start, target)]


def _answer(backend, processes, asked, limit):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kerasmith-check-") as folder:
        alone = _train(folder, "alone", backend, 1, asked, limit)[0]
        if alone.get("outcome") == "cannot":
            raise CannotCheck(alone["why"])
        kind = alone.get("kind", "loss")
        base, question = registry.BASE[kind], registry.load()[QUESTIONS[kind]]
        if "outcome" in alone:
            records = [Record(question.id, alone["outcome"], alone["why"])]
        else:
            records = [Record(base, "pass"), _record(question, alone, folder, backend, processes, asked, limit)]
    names = ("kind", "file", "line", "inputs", "contract")
    known = {name: alone[name] for name in names if name in alone}
    plan = [record.id for record in records]
    return Answer(**{"kind": kind, **known}, plan=plan, records=records, seconds=time.monotonic() - start)


def _record(question, alone, folder, backend, processes, asked, limit):
    try:
        several = _train(folder, "several", backend, processes, {**asked, "like": alone["specs"]}, limit)
    except Inconclusive as reason:
        return Record(question.id, "inconclusive", str(reason))
    except _Ended as problem:
        difference = ("a training as in one process", str(problem), None)
    else:
        difference = _difference(alone, several, processes)
    if difference is None:
        if alone["kind"] == "loss" and not any(alone["moved"]):
            return Record(question.id, "inconclusive", "the loss has no gradient on these inputs")
        return Record(question.id, "pass")
    expected, actual, title = difference
    finding = Finding(
        question.id,
        question.severity,
        title or question.title,
        expected,
        actual,
        _reproducer(alone, backend, processes),
        question.fix,
        file=alone["file"],
        line=alone["line"],
    )
    return Record(question.id, "fail", finding=finding)


def _difference(alone, several, processes):
    """(expected, actual, title or None) of the first difference; None where there is none."""
    for name, values in alone["columns"].items():
        seen = [one["columns"].get(name) for one in several]
        for rank, other in enumerate(seen):
            if not _near(other, seen[0], _NUMBERS):
                return (
                    f"the same numbers in every process: {name} {_text(seen[0])} in rank 0",
                    f"{_text(other)} in rank {rank}",
                    "Processes show different numbers: the part keeps something that is of one process alone",
                )
        if not _near(seen[0], values, _NUMBERS):
            actual = f"{_text(seen[0])} from {processes} processes with unequal shares of the samples{_ratio(alone, several)}"
            return f"{name} {_text(values)}, as from one process", actual, None
    for one in several:
        if not _near(one["moved"], alone["moved"], _MOVED, 1e-7):
            return "the gradient of one process", f"another on {processes} processes{_ratio(alone, several)}", None
    return None


def _ratio(alone, several):
    length = sum(value**2 for value in alone["moved"]) ** 0.5
    return f", {sum(value**2 for value in several[0]['moved']) ** 0.5 / length:.3g} times the gradient" if length else ""


def _flat(values):
    return [one for value in values for one in _flat(value)] if isinstance(values, list) else [values]


def _near(found, expected, relative, absolute=1e-6):
    """Whether two nested lists hold the same numbers, up to a part of the largest; NaN is equal to NaN."""
    first, second = _flat(found), _flat(expected)
    largest = max((abs(value) for value in second if value == value and abs(value) < float("inf")), default=0.0)
    allowed = relative * largest + absolute
    pairs = zip(first, second)
    return len(first) == len(second) and all(a == b or (a != a and b != b) or abs(a - b) <= allowed for a, b in pairs)


def _text(values):
    numbers = _flat(values)
    return ", ".join(f"{value:.6g}" for value in numbers[:3]) + (", ..." if len(numbers) > 3 else "")


def _reproducer(alone, backend, processes):
    is_loss = alone["kind"] == "loss"
    batch = 2 * processes - 1
    trained = _TRAINED.format(
        rate=1e-3 if is_loss else 0.0,
        loss="loss" if is_loss else "lambda y_true, y_pred: keras.ops.sum(y_pred)",
        metric="" if is_loss else "metric",
        batch=batch,
    )
    lines = [
        f"# KERAS_BACKEND={backend} python this.py, and kerasmith launch --engine {backend} --processes {processes} this.py",
        "from kerasmith.distribution import setup; setup()",
        *alone["lines"].splitlines(),
        *trained.splitlines(),
    ]
    return "\n".join(lines)


class _Ended(Exception):
    """Several processes did not train to the end."""


def _train(folder, name, backend, processes, asked, limit):
    """[what each process found]."""
    request, answers = pathlib.Path(folder, f"{name}.json"), pathlib.Path(folder, name)
    request.write_text(json.dumps(asked))
    answers.mkdir()
    launcher = ["-m", "kerasmith", "launch", "--engine", backend, "--processes", str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, str(SCRIPT), str(request), str(answers)]
    environment = child_environment(backend, CUDA_VISIBLE_DEVICES="", COLUMNS="1000")
    for variable in ("RANK", "WORLD_SIZE", "TF_CONFIG", "KERASMITH_ENGINE"):
        environment.pop(variable, None)
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        errors = process.communicate(timeout=limit)[1]
    except subprocess.TimeoutExpired:
        # The launcher ends its processes.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        raise Inconclusive(f"not finished after {limit:g} s") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode == 0:
        return [json.loads((answers / f"{rank}.json").read_text()) for rank in range(processes)]
    lines = [line for line in errors.splitlines() if line.strip()] or ["nothing was said"]
    last = next((line for line in reversed(lines) if line.startswith("error:")), lines[-1]).removeprefix("error: ")
    if processes == 1:
        raise CannotCheck(f"The process for {backend} ended with status {process.returncode}.\n{last}")
    if process.returncode == 2:
        raise Inconclusive(last)
    raise _Ended(last)
