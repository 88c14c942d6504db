"""`kerasmith launch`: what it starts, how it ends, and what it refuses. Without a backend: the scripts are plain Python."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys

import pytest

from kerasmith.cli import main
from kerasmith.cli.launching import engines, processes, ray_driver, ray_log
from kerasmith.cli.launching.verdict import verdict

ENGINES = engines.ENGINES
pytestmark = pytest.mark.host("starts plain scripts")


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(engines, "ENGINES", {"torch": engines.Engine("torch", "json", engines.torchrun)})


def launch(tmp_path, code, *arguments, count=2):
    script = tmp_path / "script.py"
    script.write_text(code)
    return main(["launch", "--engine", "torch", "--processes", str(count), str(script), *arguments])


def test_variables_of_torchrun_and_prefixes(tmp_path, capfd):
    code = "import os, sys\nprint(os.environ['RANK'], os.environ['WORLD_SIZE'], os.environ['KERAS_BACKEND'], sys.argv[1:])"
    assert launch(tmp_path, code, "--rate", "0.1", count=3) == 0
    said, warned = capfd.readouterr()
    assert sorted(said.splitlines()) == [f"[{rank}] {rank} 3 torch ['--rate', '0.1']" for rank in range(3)]
    assert "has not called `kerasmith.distribution.setup()`" in warned


def test_one_that_fails_ends_all(tmp_path, capfd):
    code = "import os, sys, time\nif os.environ['RANK'] == '1':\n    sys.exit(7)\ntime.sleep(600)"
    assert launch(tmp_path, code) == 1
    assert "error: rank 1 of 2 failed before it called `setup()`: it ended with exit status 7" in capfd.readouterr().err


def test_one_that_takes_long_to_leave_ends_all(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(processes, "LEAVE", 0.1)
    code = """import json, os, pathlib, time
note = pathlib.Path(os.environ["KERASMITH_LAUNCH_DIRECTORY"], os.environ["RANK"])
if os.environ["RANK"] == "1":
    note.with_suffix(".cause").write_text(json.dumps({"kind": "error", "text": "ValueError: no"}))
    note.with_suffix(".ends").touch()
time.sleep(600)"""
    assert launch(tmp_path, code) == 1
    assert "error: rank 1 of 2 failed before it called `setup()`: ValueError: no" in capfd.readouterr().err


def test_one_that_is_asked_to_end_ends_what_it_started():
    code = """import sys
from kerasmith.cli.launching.processes import Processes
started = Processes([sys.executable, "-c", "import time; time.sleep(600)"], [{}, {}], print)
print(*(one.pid for one in started.running), flush=True)
started.wait()"""
    launcher = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    started = [int(number) for number in launcher.stdout.readline().split()]
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(timeout=60) == 128 + signal.SIGTERM
    assert len(started) == 2
    for number in started:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.py"], "There is no script"),
        (["--port", "PORT", "SCRIPT"], "is in use"),
    ],
)
def test_bad_input(tmp_path, capsys, monkeypatch, arguments, says):
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "script.py").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        known = {"PORT": str(taken.getsockname()[1]), "SCRIPT": str(tmp_path / "script.py")}
        given = [known.get(one, one) for one in arguments]
        assert main(["launch", "--engine", "torch", "--processes", "2", *given]) == 2
    assert says in capsys.readouterr().err


def test_engines_that_are_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(engines, "ENGINES", {"torch": engines.Engine("torch", "no_such_package", engines.torchrun)})
    assert launch(tmp_path, "") == 2
    assert "pip install no_such_package" in capsys.readouterr().err
    monkeypatch.setattr(engines, "ENGINES", {"torch": ENGINES["ray"]._replace(package="no_such_ray")})
    assert launch(tmp_path, "") == 2
    assert 'Write `pip install "ray[train]"`.' in capsys.readouterr().err
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert launch(tmp_path, "") == 2
    assert "trains models of the backend 'torch' or 'tensorflow'" in capsys.readouterr().err
    monkeypatch.setattr(engines, "ENGINES", {"torch": engines.Engine("torch", "json", engines.torchrun)})
    assert launch(tmp_path, "") == 2
    assert "KERAS_BACKEND=jax" in capsys.readouterr().err


def test_the_first_cause_is_told(tmp_path):
    for rank, kind in ((0, "peer"), (2, "error")):
        (tmp_path / f"{rank}.cause").write_text(json.dumps({"kind": kind, "text": f"of {rank}"}))
    (tmp_path / "2.place").write_bytes(struct.pack("<qq", 1, 5))
    assert verdict(tmp_path, {0: 1, 2: 1, 1: -15}, 3) == (1, "rank 2 of 3 failed in epoch 1, step 5: of 2")
    assert verdict(tmp_path, {1: -9, 2: 1}, 3).text == "rank 1 of 3 failed before it called `setup()`: it was ended by SIGKILL"
    (tmp_path / "1.cause").write_text(json.dumps({"kind": "input", "text": "wrong"}))
    assert verdict(tmp_path, {0: 1, 2: 1}, 3) == (2, "wrong")
    assert verdict(tmp_path, {}, 3) == (0, "")


def test_lines_of_workers_of_ray(capsys):
    show = ray_log.WorkersOfRay()
    lines = [
        "(TrainController pid=1) Started training worker group of size 2:",
        "(RayTrainWorker pid=7, ip=10.0.0.2) before its rank is known",
        f"(RayTrainWorker pid=7, ip=10.0.0.2) {ray_log.RANK_LINE}1",
        "(RayTrainWorker pid=7, ip=10.0.0.2) Epoch 1/2",
        "(RayTrainWorker pid=7, ip=10.0.0.2) Error in training function:",
        "(RayTrainWorker pid=7, ip=10.0.0.2) Traceback",
        "(RayTrainWorker pid=7, ip=10.0.0.2) ",
        "(RayTrainWorker pid=7, ip=10.0.0.2) the end",
    ]
    for line in lines:
        show(0, line, False)
    assert capsys.readouterr().out.splitlines() == ["[1] Epoch 1/2", "[1] the end"]


def test_what_ray_says_of_a_failure(tmp_path, monkeypatch):
    class Several(Exception):
        worker_failures = {1: ValueError("a\nb"), 0: RuntimeError("The actor died unexpectedly")}

    monkeypatch.setenv("KERASMITH_LAUNCH_DIRECTORY", str(tmp_path))
    (tmp_path / "0.cause").write_text('{"kind": "peer", "text": "another"}')
    ray_driver.note_causes(Several(), 2)
    assert verdict(tmp_path, {0: 1}, 2).text == "rank 1 of 2 failed before it called `setup()`: b"
    (tmp_path / "1.cause").unlink()
    (tmp_path / "1.pid").write_text("77")
    ray_driver.note_causes(RuntimeError("The actor died\n\tpid: 77\n"), 2)
    assert "rank 1 of 2 failed" in verdict(tmp_path, {0: 1}, 2).text
    assert "its process has died" in verdict(tmp_path, {0: 1}, 2).text
