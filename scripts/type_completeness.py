"""Fails if less than 95 % of the public symbols have a known type; lists those that have none.

Usage: python scripts/type_completeness.py [PACKAGE ...]    # lists only what is unknown in these packages, such as `losses`
"""

import collections
import json
import os
import pathlib
import subprocess
import sys

LEAST = 0.95
ROOT = pathlib.Path(__file__).resolve().parents[1]


def measured():
    """pyright's account of what a user of the package can see."""
    command = ["pyright", "--verifytypes", "kerasmith", "--ignoreexternal", "--outputjson"]
    # pyright asks the first `python` on the path, and does not follow an editable installation to the source.
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return json.loads(run.stdout)["typeCompleteness"]


def main(packages):
    account = measured()
    known, total = collections.Counter(), collections.Counter()
    for symbol in (symbol for symbol in account["symbols"] if symbol["isExported"]):
        package = symbol["name"].split(".")[1]
        total[package] += 1
        known[package] += symbol["isTypeKnown"]
        if not symbol["isTypeKnown"] and (package in packages or not packages):
            print(f"  unknown: {symbol['name']}")
    for package in sorted(total):
        print(f"{package:20} {known[package]:5} of {total[package]:5}")
    score = account["completenessScore"]
    print(f"{score:.1%} of the public symbols have a known type; at least {LEAST:.0%} must")
    return 0 if score >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
