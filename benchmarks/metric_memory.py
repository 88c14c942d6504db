"""Peak memory of one update, in sizes of its inputs; measured as in `memory.py`, in a process of its own."""

import json
import subprocess
import sys

from benchmarks import memory


def peaks(name, mode):
    """{library: peak / size of the inputs} of the subject with this name."""
    request = [sys.executable, "-m", "benchmarks.metric_memory", json.dumps([name, mode])]
    done = subprocess.run(request, env=memory.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Measuring the memory of {name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(request):
    from benchmarks import one_thread

    one_thread.pin()
    from benchmarks.metric_subjects import SUBJECTS

    name, mode = json.loads(request)
    subject = next(s for s in SUBJECTS if s.name == name)
    calls, _ = subject.make(mode)
    result = {}
    for library, call in calls.items():
        call()
        result[library] = min(memory.peak_growth(call) for _ in range(3)) / subject.unit_bytes
    return result


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
