"""Peak memory of value and gradient, in units of `unit_bytes` of the batch.

One method for all backends: the growth of the resident set. A fresh process is told to map every array on its own
(`MALLOC_MMAP_THRESHOLD_`), so that a freed array leaves the resident set at once; after a warm-up the peak counter of the
kernel is reset, the loss runs, and the peak above the state before is read. Inputs are not counted, the gradient is.
Linux only.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

LINUX = pathlib.Path("/proc/self/clear_refs").exists()


def peaks(loss, case, mode):
    """{library: peak / unit_bytes of the case}, measured in a process of its own."""
    request = json.dumps([loss, type(case).__name__, dataclasses.asdict(case), mode])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", request], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"Measuring the memory of {loss} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def environment():
    """What a process must be started with for `peak_growth` to see every array."""
    return {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "TF_ENABLE_ONEDNN_OPTS": "0"}


def _measure(request):
    from benchmarks import one_thread

    one_thread.pin()
    from benchmarks import cases
    from benchmarks.contenders import contenders
    from benchmarks.modes import prepare

    loss, kind, fields, mode = json.loads(request)
    case = getattr(cases, kind)(**{key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()})
    result = {}
    for library, contender in contenders(loss, case).items():
        _, both = prepare(contender, mode)
        try:
            both()
        except Exception:  # named in the table of times
            continue
        both()
        result[library] = min(peak_growth(both) for _ in range(3)) / case.unit_bytes
    return result


def peak_growth(call):
    """How far the resident set rises above what it was, in bytes, while `call` runs."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    kept = call()
    growth = _resident("VmHWM") - before
    del kept
    return growth


def _resident(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
