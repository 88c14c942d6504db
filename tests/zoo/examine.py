"""Puts the checks to a zoo in one process: `python -m tests.zoo.examine tests.zoo.broken.losses_weights [--only Name]`.

Prints a line per component: what must be found and what was found.
"""

import argparse
import importlib
import json
import os
import re
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras

from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.subject import source_subject, subject_of
from kerasmith.checks.engine.worker import split_processor
from tests.zoo.entries import Broken
from tests.zoo.reproducers import problem

# For one check; the machine may be busy.
SECONDS = 60.0


def entries(module):
    """The components of a zoo module that concern this backend."""
    found = [*getattr(module, "BROKEN", ()), *getattr(module, "RIGHT", ())]
    return [entry for entry in found if entry.backends is None or keras.config.backend() in entry.backends]


def name_of(entry):
    """What a table calls a component."""
    if isinstance(entry.component, str):
        return next(iter(re.findall(r"(?:class|def) (\w+)", entry.component)), "statements")
    return getattr(entry.component, "__name__", None) or type(entry.component).__name__


def subject_of_entry(entry):
    """The subject of a component; a text is looked at as a file would be."""
    if isinstance(entry.component, str):
        return source_subject(entry.component)
    return subject_of(entry.component, entry.init, kind=entry.kind, name=name_of(entry))


def examined(entry, module=""):
    """{"module", "component", "must", "found": {id: severity}, "open": {id: why}, "outcomes", "seconds", "findings", ...}."""
    start = time.monotonic()
    answer = {"module": module, "component": name_of(entry), "must": getattr(entry, "check", None)}
    answer |= {"found": {}, "open": {}, "findings": [], "outcomes": {}, "unshown": {}}
    try:
        for record in Examination(subject_of_entry(entry), like=entry.like, contract=entry.contract).records(lambda: SECONDS):
            answer["outcomes"][record.id] = record.outcome
            if record.finding is not None:
                answer["found"][record.id] = record.finding.severity
                answer["findings"].append(record.finding.as_dict())
            elif record.outcome in ("inconclusive", "timeout"):
                answer["open"][record.id] = record.why
    except CannotCheck as error:
        answer["cannot"] = str(error)
    answer["seconds"] = round(time.monotonic() - start, 2)
    for finding in answer["findings"] if isinstance(entry, Broken) else ():
        why = problem(finding)
        if why:
            answer["unshown"][finding["id"]] = why
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--only", help="part of a component's name")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="findings in full, and what stayed open")
    options = parser.parse_args()
    if keras.config.backend() == "tensorflow":
        split_processor()
    modules = [importlib.import_module(name.removesuffix(".py").replace("/", ".")) for name in options.modules]
    zoo = [(entry, module.__name__) for module in modules for entry in entries(module)]
    sys.path.insert(0, os.getcwd())
    with tempfile.TemporaryDirectory() as folder:
        home = os.getcwd()
        os.chdir(folder)
        for entry, module in zoo:
            if options.only and options.only not in name_of(entry):
                continue
            answer = examined(entry, module)
            print(json.dumps(answer) if options.json else _line(entry, answer, options.verbose), flush=True)
        os.chdir(home)


def _line(entry, answer, verbose):
    errors = [id for id, severity in answer["found"].items() if severity == "error" and id != answer["must"]]
    if "cannot" in answer:
        verdict = "CANNOT " + answer["cannot"][:200]
    elif isinstance(entry, Broken):
        verdict = "caught" if entry.check in answer["found"] else "MISSED"
        verdict += f" {entry.check}" + (f"  and errors {errors}" if errors else "")
    else:
        verdict = f"FALSE ALARM {errors}" if errors else "right"
    milder = [id for id, severity in answer["found"].items() if severity != "error" and id != answer["must"]]
    verdict += f"  unshown {list(answer['unshown'])}" if answer["unshown"] else ""
    text = f"{answer['component']:26} {answer['seconds']:6.1f}s  {verdict}" + (f"  milder {milder}" if milder else "")
    if verbose:
        for finding in answer["findings"]:
            text += f"\n    {finding['id']} {finding['title']}: expected {finding['expected']}; got {finding['actual']}"
            text += "\n" + "\n".join("      | " + line for line in finding["reproducer"].splitlines())
        text += "".join(f"\n    unshown {id}: {why}" for id, why in answer["unshown"].items())
        text += "".join(f"\n    open {id}: {why}" for id, why in answer["open"].items())
    return text


if __name__ == "__main__":
    main()
