"""Kills processes of one training at random moments and launches it again until it ends; prints what came out, as JSON.

    python tests/distribution/killed_launches.py --engine torch --kills 50 --unequal 50 --seed 0

Half of the kills come from outside, at any time of the training, the others in a hook of callbacks. Each launch has a time
limit of its own. "differences" names what is not bit for bit that of an undisturbed training, "seconds" how long after the
kill, or after the first process had found that lengths are unequal, all processes had ended.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
LIMIT = 180
HOOKS = {"on_train_batch_begin": 7, "on_train_batch_end": 7, "on_test_batch_end": 1, "on_epoch_begin": 2, "on_epoch_end": 1}
KINDS = {"torch": ("generator", "arrays", "dataset", "own share"), "jax": ("generator", "arrays", "dataset")}
VARIABLES = {
    "PYTHONPATH": f"src{os.pathsep}.",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def launch(engine, processes, script, *arguments, **variables):
    """The launcher, running, with its errors in a file."""
    command = [sys.executable, "-m", "kerasmith", "launch", "--engine", engine, "--processes", str(processes)]
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | VARIABLES | variables
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
    asked = [*command, str(HERE / script), *map(str, arguments)]
    return subprocess.Popen(asked, env=environment, stdout=subprocess.DEVNULL, stderr=errors), errors


def ended(process, errors):
    """(status, the launcher's last line, when it ended); raises where it does not end."""
    try:
        status = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise RuntimeError(f"a launch has not ended within {LIMIT} s") from None
    when = time.time()
    errors.seek(0)
    lines = errors.read().splitlines()
    return status, "\n".join(line for line in lines if line.startswith("error: ")) or "\n".join(lines[-20:]), when


def killed_once(options, folder, rng):
    """(seconds from the kill to the end or None where it came too late, what the launcher said)."""
    rank = rng.randrange(options.processes)
    if rng.random() < 0.5:
        hook = rng.choice([*HOOKS])
        count = rng.randint(1, HOOKS[hook])
        process, errors = launch(options.engine, options.processes, "resumed_training.py", folder, hook, rank, count)
        status, text, when = ended(process, errors)
        return (status, text, when - float((folder / "killed").read_text())) if status else (0, text, None)
    files = [folder / f"{one}.pid" for one in range(options.processes)]
    for file in files:
        file.unlink(missing_ok=True)
    process, errors = launch(
        options.engine, options.processes, "resumed_training.py", folder, TEST_SECONDS_A_STEP=str(options.step)
    )
    begun = time.monotonic()
    while not all(file.exists() and file.read_text() for file in files):
        if process.poll() is not None or time.monotonic() - begun > LIMIT:
            return (*ended(process, errors)[:2], None)
        time.sleep(0.02)
    time.sleep(rng.uniform(0, 12 * options.step))
    killed = time.time()
    try:
        os.kill(int(files[rank].read_text()), signal.SIGKILL)
    except ProcessLookupError:
        return (*ended(process, errors)[:2], None)
    status, text, when = ended(process, errors)
    return status, text, when - killed


def undisturbed(options, folder):
    """What each process wrote."""
    status, text, _ = ended(*launch(options.engine, options.processes, "resumed_training.py", folder))
    assert status == 0, text
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(options.processes)]


def kills(options, scratch, rng):
    """{seconds, unnamed, differences, chains} of so many kills."""
    (scratch / "whole").mkdir()
    expected = undisturbed(options, scratch / "whole")
    seconds, unnamed, found, chains = [], [], [], 0
    while len(seconds) < options.kills:
        chains += 1
        folder = scratch / f"chain {chains}"
        folder.mkdir()
        for _ in range(rng.randint(1, 5)):
            _, text, after = killed_once(options, folder, rng)
            if after is None:
                break
            seconds.append(after)
            if " in epoch " not in text or "SIGKILL" not in text:
                unnamed.append(text)
        for rank, (one, two) in enumerate(zip(expected, undisturbed(options, folder), strict=True)):
            found += [f"chain {chains}, rank {rank}: {name}" for name in one if one[name] != two[name]]
        drafts = [path.name for path in (folder / "resume").iterdir() if path.name.endswith(".tmp")]
        found += [f"chain {chains}: {name}" for name in drafts]
        print(len(seconds), round(max(seconds, default=0), 1), found, unnamed, file=sys.stderr, flush=True)
    return {"seconds": seconds, "unnamed": unnamed, "differences": found, "chains": chains}


def unequal(options, scratch, rng):
    """[kind, lengths, status, seconds, text] of so many trainings with unequal lengths."""
    found = []
    for number in range(options.unequal):
        kind = rng.choice(KINDS[options.engine])
        lengths = [rng.randint(1, 9) for _ in range(options.processes)]
        if len({*lengths}) == 1:
            lengths[-1] += 1
        folder = scratch / f"unequal {number}"
        folder.mkdir()
        status, text, when = ended(*launch(options.engine, options.processes, "unequal_lengths.py", folder, kind, *lengths))
        found.append([kind, lengths, status, when - float((folder / "since").read_text()), text])
        print(found[-1], file=sys.stderr, flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="torch", choices=("torch", "jax", "tensorflow"))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--unequal", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", type=float, default=0.05, help="seconds that a step takes where a kill comes from outside")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        found = {}
        if options.kills:
            found["kills"] = kills(options, Path(scratch), rng)
        if options.unequal:
            found["unequal"] = unequal(options, Path(scratch), rng)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
