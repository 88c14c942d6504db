"""Runs the checks of a target in one worker process per backend, ends what hangs, and joins the answers. Imports no Keras."""

import concurrent.futures
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

from kerasmith.checks.engine import inference, registry
from kerasmith.checks.engine.child_environment import child_environment
from kerasmith.checks.engine.cross_backend import compare_backends
from kerasmith.checks.engine.finding import CannotCheck, Finding
from kerasmith.checks.engine.record import Record
from kerasmith.checks.engine.report import Report

# Keras and its backend; nothing of the user's runs before they are there.
START = 180.0
IMPORT = 30.0
# More restarts than this on one backend mean that the target ends its process by itself.
MOST_RESTARTS = 8
IN_WORKER = "KERASMITH_WORKER"


def reports_of(target, backends, *, budget=60.0, on_event=lambda backend, event: None, **request):
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
    _look_at(request)
    start = time.monotonic()
    request = {
        "target": target,
        "init": None,
        "like": None,
        "contract": None,
        "select": None,
        "ignore": None,
        "seed": 7,
        **request,
    }
    request.setdefault("kind", None)
    at_once = max(1, min(len(backends), os.cpu_count() or 1))
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        runs = {backend: _Run(backend, request, budget, on_event) for backend in backends}
        futures = {backend: pool.submit(run.results) for backend, run in runs.items()}
        try:
            results = {backend: future.result() for backend, future in futures.items()}
        except BaseException:
            for run in runs.values():
                run.stop()
            raise
    return _joined(target, results, time.monotonic() - start)


def _look_at(request):
    """Refuses what can be seen to be wrong before a process is started."""
    if request.get("like") is not None:
        inference.parsed(request["like"])
    for kind in (*registry.KINDS, "source"):
        registry.planned(kind, request.get("select"), request.get("ignore"))


class _Run:
    """One backend: its worker, restarted after a check that hangs or ends the process."""

    def __init__(self, backend, request, budget, on_event):
        self.backend, self.request, self.budget, self.on_event = backend, request, budget, on_event
        self.process = None
        self.stopped = False
        self.names = []
        self.components = {}  # index -> {"kind", "file", "line", "plan", "records", "inputs", ..., "seconds", "problem"}
        self.finished = set()

    def stop(self):
        """Ends the worker and keeps it from being started again."""
        self.stopped = True
        self._kill()

    def results(self):
        """(names, components by index) after all checks."""
        for _ in range(MOST_RESTARTS):
            if self.stopped or self._one_process():
                break
        else:
            for index in self.components:
                self._end(index, "the process was started too often")
        return self.names, self.components

    def _one_process(self):
        """Starts a worker and follows it; True if everything is done."""
        done = {index: {r.id: r.outcome for r in part["records"]} for index, part in self.components.items()}
        request = {**self.request, "finished": sorted(self.finished), "done": done}
        with tempfile.TemporaryFile() as said:
            self.process = _start(self.backend, said)
            lines = queue.Queue()
            threading.Thread(target=_read, args=(self.process.stdout, lines), daemon=True).start()
            try:
                self.process.stdin.write((json.dumps(request) + "\n").encode())
                self.process.stdin.flush()
                return self._follow(lines, said)
            except BrokenPipeError:
                return self._died("starting", None, said)
            finally:
                self._kill()

    def _follow(self, lines, said):
        phase, index, limit = "starting", None, START
        while True:
            begun = time.monotonic()
            try:
                event = lines.get(timeout=max(0.0, limit))
            except queue.Empty:
                return self._too_long(phase, index, limit)
            if event is None:
                return self._died(phase, index, said)
            self.on_event(self.backend, event)
            kind, index = event["event"], event.get("index", index)
            part = self.components.get(index)
            if part is not None and phase not in ("starting", "importing"):
                part["seconds"] += time.monotonic() - begun
            if kind == "done":
                return True
            if kind == "importing":
                phase, limit = "importing", IMPORT
            elif kind == "components":
                self.names, phase, limit = event["names"], "planning", self.budget
            elif kind == "component":
                self.components.setdefault(index, {**event, "records": [], "seconds": 0.0, "problem": None})
                phase, limit = "planning", self.budget
            elif kind == "begin":
                phase, limit = event["id"], self._limit(index)
            elif kind == "end":
                part["records"].append(_record(event))
                phase, limit = "planning", self.budget
            elif kind == "finished":
                part.update({key: event[key] for key in ("inputs", "inferred", "contract")})
                self.finished.add(index)
            elif kind == "cannot":
                if index is None:
                    raise CannotCheck(event["message"])
                self.components.setdefault(
                    index, {"kind": "", "file": None, "line": None, "plan": [], "records": [], "seconds": 0.0}
                )
                self.components[index]["problem"] = event["message"]
                self.finished.add(index)

    def _limit(self, index):
        left = self.budget - self.components[index]["seconds"]
        return min(self.budget / 4, left)

    def _too_long(self, phase, index, limit):
        """Notes a check that hangs; the next worker goes on behind it."""
        self._kill()
        target = self.request["target"]
        if phase == "starting":
            raise CannotCheck(f"Keras with {self.backend} did not start within {START:g} s")
        if phase == "importing":
            raise CannotCheck(
                f"Importing {target} took more than {IMPORT:g} s. What trains or reads data must stand under "
                '`if __name__ == "__main__":`'
            )
        part = self.components.get(index)
        if part is None or phase == "planning":
            raise CannotCheck(
                f"Finding inputs of {self.names[index or 0]} took more than {limit:g} s; declare them with --like"
            )
        spent = part["seconds"] + limit >= self.budget
        part["seconds"] += limit
        part["records"].append(Record(phase, "timeout", f"not finished after {limit:.3g} s"))
        if spent:
            self._end(index, f"the budget of {self.budget:g} s was spent")
        return False

    def _end(self, index, why):
        """What is left of a component's plan is not asked any more."""
        part = self.components[index]
        have = {record.id for record in part["records"]}
        part["records"] += [Record(id, "timeout", why) for id in part["plan"] if id not in have]
        self.finished.add(index)

    def _died(self, phase, index, said):
        """Notes a check that ended the process."""
        status = self.process.wait()
        said.seek(0)
        last = said.read()[-1500:].decode(errors="replace").strip()
        part = self.components.get(index)
        if part is None or phase in ("starting", "importing", "planning"):
            raise CannotCheck(f"The process for {self.backend} ended with status {status} while {phase}.\n{last}")
        part["records"].append(Record(phase, "timeout", f"the process ended with status {status}"))
        return False

    def _kill(self):
        process = self.process
        if process is None:
            return
        if process.poll() is None:
            # Its own children too: a hanging loader, or what the component has started.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError, AttributeError):
                process.kill()
        process.wait()
        process.stdout.close()
        if not process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _start(backend, said):
    return subprocess.Popen(
        [sys.executable, "-m", "kerasmith.checks.engine.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env=child_environment(backend, **{IN_WORKER: "1"}),
        start_new_session=True,
    )


def _read(stream, lines):
    try:
        for line in stream:
            lines.put(json.loads(line))
    except ValueError:
        pass  # Closed, or the last line of a process that was ended.
    lines.put(None)


def _record(event):
    finding = None if event["finding"] is None else Finding(**event["finding"])
    return Record(event["id"], event["outcome"], event["why"], finding, event["data"])


def _joined(target, results, seconds):
    """[Report], one per component, of {backend: (names, components)}."""
    names = next((names for names, _ in results.values() if names), [])
    reports = []
    for index, name in enumerate(names):
        parts = {backend: components[index] for backend, (_, components) in results.items() if index in components}
        problems = dict.fromkeys(part["problem"] for part in parts.values() if part["problem"])
        first = next(iter(parts.values()))
        report = Report(
            subject=name,
            kind=next((part["kind"] for part in parts.values() if part["kind"]), ""),
            target=target if target.endswith(f":{name}") else f"{target}:{name}" if first["kind"] != "source" else target,
            file=first["file"],
            line=first["line"],
            inputs=next((part["inputs"] for part in parts.values() if part.get("inputs")), ""),
            inferred=any(part.get("inferred") for part in parts.values()),
            contract=next((part["contract"] for part in parts.values() if part.get("contract")), []),
            records={backend: part["records"] for backend, part in parts.items() if not part["problem"]},
            seconds=seconds if len(names) == 1 else max(part["seconds"] for part in parts.values()),
            problem="\n".join(problems) if problems else None,
        )
        compare_backends(report)
        reports.append(report)
    return reports
