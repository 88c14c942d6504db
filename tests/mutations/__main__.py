"""Plants each fault of the table in a copy and runs the tests that should see it: `python -m tests.mutations`."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from tests.mutations import forked
from tests.mutations.table import ALL, MUTATIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    file = tree / "src" / "kerasmith" / one.file
    right = file.read_text()
    file.write_text(right.replace(one.old, one.new))
    start, log = time.monotonic(), tree / "pytest.log"
    try:
        status = forked.run(tree, ["-x", "-q", f"--select={selection}", *one.tests], options.seconds, log)
    finally:
        file.write_text(right)
    lines = log.read_text().strip().splitlines() or [""]
    if status not in (0, 1, 5, None):
        raise RuntimeError("pytest did not run: " + "\n".join(lines[-40:]))
    last = f"not finished after {options.seconds:.0f} s" if status is None else lines[-1]
    told = next((line for line in lines if line.startswith(("FAILED", "ERROR"))), last)
    verdict = "noticed " if status in (1, None) else "SURVIVED"
    print(f"{verdict} {time.monotonic() - start:5.0f} s  {one}\n{'':18}{told[:150]}", flush=True)
    return status in (1, None)


if __name__ == "__main__":
    main()
