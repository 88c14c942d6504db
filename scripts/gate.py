"""Runs the parts of the gate, three at a time on two cores, and says what each cost: `python scripts/gate.py gate`.

A part is one process: pytest on one backend, or the linters. Two backends side by side with a process each are faster than two
processes on one backend: JAX and TensorFlow compile every operation for every shape, and two processes would both do it. One
part more than there are cores, as each part waits now and then: for a process that it started, a lock, a thread of TensorFlow.
"""

import argparse
import dataclasses
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scripts import environment, times

ROOT = environment.ROOT
BACKENDS = ("tensorflow", "jax", "torch")
SHARDS = 4
# A part that hangs is ended, so that what the others said is printed.
LONGEST = 80 * 60


@dataclasses.dataclass(frozen=True)
class Part:
    """One process of the gate.

    Attributes:
        name: what the table and the budget call it.
        commands: one after the other, without the interpreter.
        backend: of Keras.
        keras: "oldest", "nightly" or None for the pinned one.
    """

    name: str
    commands: tuple
    backend: str = "torch"
    keras: str | None = None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", help="parts, or the groups 'gate' and 'full'")
    parser.add_argument("--budget", action="store_true", help="fail when a part takes more than tests/budget.toml allows")
    parser.add_argument("--shard", type=int, help="of the heavy tests, 0 to 3; otherwise by the commit's hash")
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options, extra = parser.parse_args(arguments[:split]), arguments[split + 1 :]
    start = float(os.environ.get("KERASMITH_TEST_START", time.time()))
    folder = times.new_folder(ROOT, commit())
    shard = int(commit()[:8], 16) % SHARDS if options.shard is None else options.shard
    known = parts(shard, extra, folder)
    groups = {"gate": [name for name in known if name in GATE], "full": [name for name in known if name in FULL]}
    chosen = [one for name in options.names for one in groups.get(name, [name]) if one != "install"]
    budget = times.Budget.read(ROOT / "tests" / "budget.toml")
    # The longest first, so that no core waits for it at the end.
    done = [_installation(), *run([known[name] for name in sorted(chosen, key=budget.minutes_of, reverse=True)], folder)]
    sys.exit(times.report(done, time.time() - start, budget if options.budget else None, folder))


# TensorFlow is left out: it costs most, and what a new Keras changes for it alone is little.
NIGHTLY = ("torch", "jax")
# What a new Keras breaks first: its private names, files of released versions, sums over processes.
NIGHTLY_GATE = ("keras_internals", "released", "checkpoints", "base", "distribution/test_counts.py")
GATE = ("lint", *BACKENDS, "oldest", *(f"heavy-{name}" for name in BACKENDS), *(f"heavy-nightly-{name}" for name in NIGHTLY))
FULL = ("lint", *(f"all-{name}" for name in BACKENDS), "all-oldest", *(f"nightly-{name}" for name in NIGHTLY))


def parts(shard, extra=(), folder=None):
    """Every part by its name; `extra` goes to pytest."""

    def tests(name, *options, backend="torch", keras=None):
        command = ("-m", "pytest", "-q", "--durations=15", *options)
        report = (f"--junitxml={folder / (name + '.xml')}",) if folder else ()
        return Part(name, ((*command, *report, *extra),), backend, keras)

    heavy = ("--select=heavy", f"--shard={shard}")
    nightly = ("--select=keras", *(f"tests/{name}" for name in NIGHTLY_GATE))
    found = [
        Part("lint", LINT),
        *(tests(name, "--select=gate", backend=name) for name in BACKENDS),
        *(tests(f"all-{name}", "--select=all", backend=name) for name in BACKENDS),
        *(tests(f"heavy-{name}", *heavy, backend=name) for name in BACKENDS),
        tests("oldest", "--select=keras", f"--shard={shard}", keras="oldest"),
        tests("all-oldest", "--select=keras", keras="oldest"),
        *(tests(f"nightly-{name}", "--select=keras", backend=name, keras="nightly") for name in NIGHTLY),
        *(tests(f"heavy-nightly-{name}", *nightly, backend=name, keras="nightly") for name in NIGHTLY),
    ]
    return {part.name: part for part in found}


LINT = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ("scripts/type_completeness.py",),
)


def commit():
    """The hash of the commit that is tested; zeros outside of a clone."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "0" * 40


def run(chosen, folder, slots=None):
    """Runs parts side by side, in the order given; prints what each said when it is done."""
    waiting, done, lock = queue.SimpleQueue(), [], threading.Lock()
    for part in chosen:
        waiting.put(part)

    def work():
        while True:
            try:
                part = waiting.get_nowait()
            except queue.Empty:
                return
            with lock:
                print(f"{part.name} ...", flush=True)
            one = _run(part, folder)
            with lock:
                print(f"\n===== {part.name} =====\n{one.text}", flush=True)
                done.append(one)

    workers = [threading.Thread(target=work) for _ in range(min(slots or (os.cpu_count() or 1) + 1, len(chosen)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return done


def _run(part, folder):
    log, start, cpu, status = folder / f"{part.name}.log", time.monotonic(), 0.0, 0
    with open(log, "wb") as stream:
        for command in part.commands:
            process = subprocess.Popen(
                [environment.python(part.keras), *command],
                cwd=ROOT,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=variables(part.backend, fast=part.name in GATE),
                start_new_session=True,
            )
            end = threading.Timer(LONGEST, os.killpg, (process.pid, signal.SIGKILL))
            end.start()
            # Also counts the processes that the tests start and wait for.
            _, code, usage = os.wait4(process.pid, 0)
            end.cancel()
            process.returncode = os.waitstatus_to_exitcode(code)
            cpu += usage.ru_utime + usage.ru_stime
            # A shard may be empty.
            empty = process.returncode == 5 and part.name.startswith("heavy-")
            status = status or (0 if empty else process.returncode)
    return times.Time(part.name, status, cpu, time.monotonic() - start, log.read_text(errors="replace"))


# Four times faster to compile, slower to run. The full selection is asked with what XLA does for users.
FAST_TO_COMPILE = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_cpu_parallel_codegen_split_count=1",
)

# For JAX: labels that a compiled function closes over are constants, with which XLA computes for seconds. Not for TensorFlow,
# whose window of SSIM takes a minute where it is no constant.
NO_FOLDING = "--xla_disable_hlo_passes=constant_folding"


def variables(backend, fast=True):
    """The environment of a process that tests on a backend; `fast`: to compile, not to run."""
    # JAX compiles every operation for every shape; the parts share what one of them has compiled.
    jax = {
        "JAX_COMPILATION_CACHE_DIR": str(environment.HERE / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    # TensorFlow compiles the steps of a `fit` with XLA too. Its graphs are those of users: a process rounds as one it starts.
    # The second is what tests/support/fast_to_compile.py does; JAX writes where each operation was called only for debuggers.
    flags = {
        "XLA_FLAGS": " ".join(
            [os.environ.get("XLA_FLAGS", ""), *FAST_TO_COMPILE, *([NO_FOLDING] if backend == "jax" else [])]
        ).strip(),
        "KERASMITH_FAST_TO_COMPILE": "1",
        "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",
    }
    # One thread each: the parts share the cores.
    quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    # As in an environment that is activated: some tools are found by name only.
    path = {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])}
    # Hundreds of processes import Keras and a backend: 2 to 5 seconds each with the compiled files, 7 to 12 without them.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled = flags if fast and backend != "torch" else {}
    return {**inherited, **quiet, **path, **(jax if backend == "jax" else {}), **compiled}


def _installation():
    start, before = time.monotonic(), os.times()
    environment.install()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return times.Time("install", 0, cpu, time.monotonic() - start, "")


if __name__ == "__main__":
    main()
