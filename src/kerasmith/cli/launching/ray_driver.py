"""Started by `kerasmith launch --engine ray`, `COUNT SCRIPT ...`: runs a script in the workers of one training of Ray.

A Ray that runs already is found as Ray finds it (RAY_ADDRESS); without one Ray is started on this machine.
"""

import json
import logging
import os
import pathlib
import re
import runpy
import sys
import tempfile
import traceback
from typing import Any

from kerasmith.cli.launching.ray_log import RANK_LINE

_DIED = "its process has died, or was killed"


def main(count: int, script: str, arguments: list[str]) -> int:
    """The exit status."""
    import ray
    import ray.train

    if os.environ["KERAS_BACKEND"] == "tensorflow":
        from ray.train.tensorflow import TensorflowTrainer as Trainer
    else:
        from ray.train.torch import TorchTrainer as Trainer

    if "RAY_ADDRESS" in os.environ:
        ray.init()
    else:
        # More workers than processors are slow, and right.
        ray.init(num_cpus=max(count, os.cpu_count() or 1), include_dashboard=False)
    has_gpus = ray.cluster_resources().get("GPU", 0) >= count
    passed_on = {name: os.environ[name] for name in ("KERAS_BACKEND", "KERASMITH_ENGINE", "KERASMITH_LAUNCH_DIRECTORY")}
    given = {
        "script": str(pathlib.Path(script).resolve()),
        "arguments": arguments,
        "folder": os.getcwd(),
        "variables": {**passed_on, "OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"]},
    }
    with tempfile.TemporaryDirectory(prefix="kerasmith-ray-") as storage:
        trainer = Trainer(
            run_script,
            train_loop_config=given,
            scaling_config=ray.train.ScalingConfig(num_workers=count, use_gpu=has_gpus),
            run_config=ray.train.RunConfig(storage_path=storage),
        )
        try:
            trainer.fit()
        except Exception as problem:
            note_causes(problem, count)
            return 1
        finally:
            ray.shutdown()
    return 0


def run_script(given: dict[str, Any]) -> None:
    """What each worker runs: the script as if it had been started by itself."""
    import ray.train

    context = ray.train.get_context()
    rank = context.get_world_rank()
    print(f"{RANK_LINE}{rank}", flush=True)
    # Those that Ray sets for PyTorch alone.
    place = {"RANK": rank, "WORLD_SIZE": context.get_world_size(), "LOCAL_RANK": context.get_local_rank()}
    os.environ.update({**given["variables"], **{name: str(value) for name, value in place.items()}})
    directory = pathlib.Path(given["variables"]["KERASMITH_LAUNCH_DIRECTORY"])
    if directory.is_dir():
        (directory / f"{rank}.pid").write_text(str(os.getpid()))
    # Ray shows what any library notes; TensorFlow notes each exchange.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    script = given["script"]
    if not os.path.isfile(script):
        raise FileNotFoundError(f"The machine of rank {rank} has no script {script}. Put it on every machine, at one place.")
    if os.path.isdir(given["folder"]):
        os.chdir(given["folder"])
    sys.argv = [script, *given["arguments"]]
    sys.path.insert(0, os.path.dirname(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise RuntimeError(f"{os.path.basename(script)} ended with exit status {end.code}") from None
    except BaseException as problem:
        # Ray runs the script in a thread, whose errors reach no hook by themselves.
        sys.excepthook(type(problem), problem, problem.__traceback__)
        _note(rank, f"{type(problem).__name__}: {problem}".splitlines()[0])
        raise


def note_causes(problem: Exception, count: int) -> None:
    """Notes for the launcher which worker failed, and why, where the worker could not do so itself."""
    failures = getattr(problem, "worker_failures", None) or {}
    for rank, failure in failures.items():
        died = "actor is dead" in str(failure) or "actor died" in str(failure)
        _note(rank, _DIED if died else str(failure).strip().splitlines()[-1])
    if not failures:
        text = str(problem)
        died = re.search(r"^\s*pid: (\d+)", text, re.MULTILINE)
        ranks = [rank for rank in range(count) if died and _pid_of(rank) == died.group(1)]
        for rank in ranks:
            _note(rank, _DIED)
        if not ranks:
            _note(0, f"Ray could not train: {text.strip().splitlines()[-1] if text.strip() else type(problem).__name__}")
            traceback.print_exception(problem)


def _file(rank, ending):
    return pathlib.Path(os.environ["KERASMITH_LAUNCH_DIRECTORY"], f"{rank}.{ending}")


def _pid_of(rank):
    try:
        return _file(rank, "pid").read_text()
    except OSError:
        return None


def _note(rank, text):
    cause = _file(rank, "cause")
    if cause.parent.is_dir() and not cause.exists():
        cause.write_text(json.dumps({"kind": "error", "text": text}))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
