"""Plants each fault of the table in a copy and runs the tests that should see it: `python -m tests.mutations`."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from tests.mutations import forked
from tests.mutations.table import ALL, MUTATIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
# {fault: the test that noticed it last}. It is asked first: all tests of a row take minutes on JAX and TensorFlow.
SEEN_BY = ROOT / ".timings" / "faults.json"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".timings", ".nox", "runs", "__pycache__", ".*_cache")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=ALL, help="all of them by default, one after the other")
    parser.add_argument(
        "--selection",
        choices=("gate", "all"),
        default="gate",
        help="what each run of the gate asks, then the heavy tests, of which it asks a quarter; or every test",
    )
    parser.add_argument("--only", default="", help="part of the file or the reason of a row")
    parser.add_argument("--seconds", type=float, default=900, help="for the tests of one fault; a hang is noticed too")
    options = parser.parse_args()
    if options.backend is None:
        for backend in ALL:
            subprocess.run(
                [sys.executable, "-m", "tests.mutations", *sys.argv[1:], "--backend", backend], cwd=ROOT, check=True
            )
        return
    forked.import_libraries(options.backend)
    rows = [one for one in MUTATIONS if options.backend in one.backends and options.only in str(one)]
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "tree")
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        selections = ("gate", "heavy") if options.selection == "gate" else ("all",)
        survivors = rows
        for selection in selections:
            before, survivors = survivors, [one for one in survivors if not noticed(tree, one, selection, options)]
            share = f"{len(before) - len(survivors)} of {len(rows)}"
            print(f"{options.backend}: {share} faults noticed by the selection {selection!r}", flush=True)


def noticed(tree, one, selection, options):
    """Whether a test fails in the tree with the fault; the tree is mended afterwards."""
    seen_by = json.loads(SEEN_BY.read_text()) if SEEN_BY.exists() else {}
    first = seen_by.get(str(one))
    if first and _noticed(tree, one, selection, (first,), options):
        return True
    return bool(_noticed(tree, one, selection, one.tests, options))


def _noticed(tree, one, selection, tests, options):
    file = tree / "src" / "kerasmith" / one.file
    right = file.read_text()
    _write(file, right.replace(one.old, one.new))
    start, log = time.monotonic(), tree / "pytest.log"
    try:
        status = forked.run(tree, ["-x", "-q", f"--select={selection}", *tests], options.seconds, log)
    finally:
        _write(file, right)
    lines = log.read_text().strip().splitlines() or [""]
    # 4: the test that is asked first does not exist any more.
    if status not in (0, 1, 4, 5, None):
        raise RuntimeError("pytest did not run: " + "\n".join(lines[-40:]))
    last = f"not finished after {options.seconds:.0f} s" if status is None else lines[-1]
    told = next((line for line in lines if line.startswith(("FAILED", "ERROR"))), last)
    verdict = "noticed " if status in (1, None) else "SURVIVED"
    print(f"{verdict} {time.monotonic() - start:5.0f} s  {one}\n{'':18}{told[:150]}", flush=True)
    if told.startswith("FAILED "):
        _remember(one, told.split()[1].partition("[")[0])
    return status in (1, None)


def _write(file, text):
    """Python knows a compiled file by the seconds and the length of its source: each text gets a time of its own."""
    seconds = file.stat().st_mtime + 1
    file.write_text(text)
    os.utime(file, (seconds, seconds))


def _remember(one, test):
    SEEN_BY.parent.mkdir(exist_ok=True)
    seen_by = json.loads(SEEN_BY.read_text()) if SEEN_BY.exists() else {}
    SEEN_BY.write_text(json.dumps({**seen_by, str(one): test}, indent=1))


if __name__ == "__main__":
    main()
