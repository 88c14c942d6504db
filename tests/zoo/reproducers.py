"""Whether the reproducer of a finding runs as it stands and shows the fault."""

import contextlib
import io
import subprocess
import sys

import keras

from kerasmith.checks.engine.examination import MOST_LINES

# They split the processor into two devices, which a process can do once only.
IN_A_PROCESS_OF_ITS_OWN = ("L124", "M118")
# Of the source: the lines of the file, nothing to run.
PRINTED_ONLY = "S"
SECONDS = 120


def problem(finding):
    """What is wrong with the reproducer of a finding (a dict), "" if it prints numbers or raises what the finding says."""
    code = finding["reproducer"]
    if finding["id"].startswith(PRINTED_ONLY):
        return "" if code.strip() else "shows no line"
    if len(code.splitlines()) > MOST_LINES:
        return f"{len(code.splitlines())} lines:\n{code}"
    run = _alone if finding["id"] in IN_A_PROCESS_OF_ITS_OWN else _here
    printed, raised = run(code)
    if raised:
        kind, _, output = raised.partition(": ")
        actual = finding["actual"]
        named = kind in actual or (output and output in actual) or actual[-40:] in raised or "never calls" in actual
        return "" if named else f"{raised}, not {finding['actual']}:\n{code}"
    return "" if printed.strip() else f"prints nothing:\n{code}"


def _here(code):
    """(what is printed, "Exception: what it says" or "")."""
    policy, printed = keras.config.dtype_policy(), io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "reproducer", "exec"), {"__name__": "reproducer"})
    except Exception as error:
        return printed.getvalue(), f"{type(error).__name__}: {error}"
    finally:
        keras.config.set_dtype_policy(policy)
    return printed.getvalue(), ""


def _alone(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False)
    return run.stdout, "" if run.returncode == 0 else (run.stderr.strip().splitlines() or ["ended"])[-1]
