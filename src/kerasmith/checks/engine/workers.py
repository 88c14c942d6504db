"""Runs the checks of a target in one worker process per backend, ends what hangs, and joins the answers. Imports no Keras."""

import concurrent.futures
import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

from kerasmith.checks.engine import inference, registry, signatures
from kerasmith.checks.engine.child_process import ChildProcess
from kerasmith.checks.engine.finding import CannotCheck, Finding, Record
from kerasmith.checks.engine.report import Answer, Report, report_of

# Keras and its backend; nothing of the user's runs before they are there.
START = 180.0
IMPORT = 30.0
# More restarts than this on one backend mean that the target ends its process by itself.
MOST_RESTARTS = 8
IN_WORKER = "KERASMITH_WORKER"


def reports_of(
    target: str,
    backends: list[str],
    *,
    budget: float = 60.0,
    on_event: Callable[[str, dict[str, Any]], None] = lambda backend, event: None,
    **request: Any,
) -> list[Report]:
    """[Report] of every component of a target.

    Args:
        target: `path.py:Name`, `package.module:Name`, or a file or module.
        backends: ["tensorflow", ...], each installed.
        budget: seconds for all checks of one component on one backend; one check may take a fourth of it.
        on_event: called with what the workers tell, for a progress display.
        **request: init, like, contract, select, ignore, seed, kind; JSON.

    Raises:
        CannotCheck: if the target cannot be imported or holds nothing to check.
    """
    if os.environ.get(IN_WORKER):
        raise CannotCheck('A module that is checked asks for a check itself. Put that under `if __name__ == "__main__":`')
    _look_at(target, request)
    start = time.monotonic()
    optional = dict.fromkeys(("init", "like", "contract", "select", "ignore", "kind"))
    request = {"target": target, **optional, "seed": 7, **request}
    at_once = max(1, min(len(backends), os.cpu_count() or 1))
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        runs = {backend: Run(backend, request, budget, on_event) for backend in backends}
        futures = {backend: pool.submit(run.results) for backend, run in runs.items()}
        try:
            results = {backend: future.result() for backend, future in futures.items()}
        except BaseException:
            for run in runs.values():
                run.stop()
            raise
    return _joined(target, results, time.monotonic() - start)


def _look_at(target: str, request: dict[str, Any]) -> None:
    """Refuses what can be seen to be wrong before a process is started."""
    signatures.look_at_signature(target, request.get("init"), request.get("kind"))
    if request.get("like") is not None:
        inference.parsed(request["like"])
    for kind in (*registry.CHECKED, "source"):
        registry.planned(kind, request.get("select"), request.get("ignore"))


class Run:
    """One backend: its worker, restarted after a check that hangs or ends the process."""

    module: str = "kerasmith.checks.engine.worker"
    import_limit: float = IMPORT
    share: int = registry.SHARE

    def __init__(
        self, backend: str | None, request: dict[str, Any], budget: float, on_event: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self.backend, self.request, self.budget, self.on_event = backend, request, budget, on_event
        self.process = None
        self.stopped = False
        self.names = []
        self.components: dict[int, Answer] = {}
        self.finished = set()

    def stop(self) -> None:
        """Ends the worker and keeps it from being started again."""
        self.stopped = True
        if self.process is not None:
            self.process.stop()

    def results(self) -> tuple[list[str], dict[int, Answer]]:
        """(names, components by index) after all checks."""
        for _ in range(MOST_RESTARTS):
            if self.stopped or self._one_process():
                break
        else:
            for index in self.components:
                self._end(index, "the process was started too often")
        return self.names, self.components

    def _one_process(self) -> bool:
        """Starts a worker and follows it; True if everything is done."""
        done = {index: {r.id: r.outcome for r in part.records} for index, part in self.components.items()}
        request = {**self.request, "finished": sorted(self.finished), "done": done}
        with tempfile.TemporaryFile() as output:
            self.process = ChildProcess(self.module, self.backend, stderr=output, group=True, **{IN_WORKER: "1"})
            try:
                self.process.write(request)
                return self._follow(output)
            except BrokenPipeError:
                return self._died("starting", None, output)
            finally:
                self.process.stop()

    def _follow(self, output: IO[bytes]) -> bool:
        phase, index, limit = "starting", None, START
        while True:
            begun = time.monotonic()
            try:
                event = self.process.read(limit)
            except TimeoutError:
                return self._too_long(phase, index, limit)
            if event is None:
                return self._died(phase, index, output)
            self.on_event(self.backend, event)
            kind, index = event["event"], event.get("index", index)
            part = self.components.get(index)
            if part is not None and phase not in ("starting", "importing"):
                part.seconds += time.monotonic() - begun
            if kind == "done":
                return True
            if kind == "importing":
                phase, limit = "importing", self.import_limit
            elif kind == "backend":
                self.backend = event["name"]
            elif kind == "components":
                self.names, phase, limit = event["names"], "planning", self.budget
            elif kind == "component":
                known = {key: event[key] for key in ("kind", "file", "line", "plan")}
                self.components.setdefault(index, Answer(**known))
                phase, limit = "planning", self.budget
            elif kind == "begin":
                phase, limit = event["id"], self._limit(index)
            elif kind == "end":
                part.records.append(_record(event))
                phase, limit = "planning", self.budget
            elif kind == "finished":
                for name in ("inputs", "inferred", "contract", "unrun", "details"):
                    setattr(part, name, event[name])
                self.finished.add(index)
            elif kind == "cannot":
                if index is None:
                    raise CannotCheck(event["message"])
                part = self.components.setdefault(index, Answer())
                part.problem, part.details = event["message"], event.get("details", "")
                self.finished.add(index)

    def _limit(self, index: int) -> float:
        left = self.budget - self.components[index].seconds
        return min(self.budget / self.share, left)

    def _too_long(self, phase: str, index: int | None, limit: float) -> bool:
        """Notes a check that hangs; the next worker goes on behind it."""
        self.process.stop()
        target = self.request["target"]
        if phase == "starting":
            raise CannotCheck(f"Keras with {self.backend or 'its default backend'} did not start within {START:g} s")
        if phase == "importing":
            raise CannotCheck(
                f"Importing {target} took more than {self.import_limit:g} s. What trains or reads data must stand under "
                '`if __name__ == "__main__":`'
            )
        part = self.components.get(index)
        if part is None or phase == "planning":
            raise CannotCheck(
                f"Finding inputs of {self.names[index or 0]} took more than {limit:g} s; declare them with --like"
            )
        spent = part.seconds + limit >= self.budget
        part.seconds += limit
        part.records.append(Record(phase, "timeout", f"not finished after {limit:.3g} s"))
        if spent:
            self._end(index, f"the budget of {self.budget:g} s was spent")
        return False

    def _end(self, index: int, why: str) -> None:
        """What is left of a component's plan is not asked any more."""
        part = self.components[index]
        have = {record.id for record in part.records}
        part.records += [Record(id, "timeout", why) for id in part.plan if id not in have]
        self.finished.add(index)

    def _died(self, phase: str, index: int | None, output: IO[bytes]) -> bool:
        """Notes a check that ended the process."""
        status = self.process.wait()
        output.seek(0)
        last = output.read()[-1500:].decode(errors="replace").strip()
        part = self.components.get(index)
        if part is None or phase in ("starting", "importing", "planning"):
            raise CannotCheck(f"The process for {self.backend or 'Keras'} ended with status {status} while {phase}.\n{last}")
        part.records.append(Record(phase, "timeout", f"the process ended with status {status}"))
        return False


def _record(event: dict[str, Any]) -> Record:
    finding = None if event["finding"] is None else Finding(**event["finding"])
    return Record(event["id"], event["outcome"], event["why"], finding, event["data"], event["cause"])


def _joined(target: str, results: dict[str, tuple[list[str], dict[int, Answer]]], seconds: float) -> list[Report]:
    """[Report], one per component, of {backend: (names, answers)}."""
    names = next((names for names, _ in results.values() if names), [])
    reports = []
    for index, name in enumerate(names):
        answers = {backend: components[index] for backend, (_, components) in results.items() if index in components}
        whole = next(iter(answers.values())).kind == "source" or target.endswith(f":{name}")
        place = target if whole else f"{target}:{name}"
        reports.append(report_of(name, answers, seconds if len(names) == 1 else None, place))
    return without_repeated_names(reports)


# Old names that a file as a whole is told of, and the check that says of a part what comes of each.
_SAME = {"optimizer.lr": "C110", "reset_states": "M128"}


def without_repeated_names(reports: list[Report]) -> list[Report]:
    """The reports of a file without old names in its text that the reports of its parts speak of."""
    found = {finding.id for report in reports if report.kind != "source" for finding in report.findings}
    for report in reports:
        if report.kind != "source":
            continue
        for records in report.records.values():
            for index, record in enumerate(records):
                if record.id == "S101" and record.finding is not None:
                    records[index] = _shortened(record, found)
    return reports


def _shortened(record: Record, found: set[str]) -> Record:
    places = record.finding.actual.split("; ")
    left = [place for place in places if not any(name in place and id in found for name, id in _SAME.items())]
    if len(left) == len(places):
        return record
    if not left:
        return Record(record.id, "pass")
    return dataclasses.replace(record, finding=dataclasses.replace(record.finding, actual="; ".join(left)))
