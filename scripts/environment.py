"""The one environment of all checks: `.venv`, and a thin one inside it for each other Keras."""

import hashlib
import pathlib
import subprocess
import sys
import sysconfig

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = pathlib.Path(sys.prefix)
# What the environment is made from; when one of them changes, it is brought up to date.
SOURCES = ("pyproject.toml", "constraints.txt", "tests/oracles/requirements.txt", "scripts/environment.py")
# Other versions of Keras that tests run with.
KERAS = {"oldest": "keras==3.12.0", "nightly": "keras-nightly==3.16.0.dev2026102704"}


def install():
    """Installs what the tests need, unless nothing changed since the last time."""
    stamp, now = HERE / "kerasmith-installed", _fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    # pip for PyTorch only: it looks where its own configuration says that the build without CUDA is, uv does not.
    _run(sys.executable, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", "torch", "uv")
    _uv("-c", "constraints.txt", "-e", ".[test]")
    # Outside oracles whose own requirements pull in GPU builds or a torchvision that does not fit; nothing they lack is used.
    _uv("-c", "constraints.txt", "--no-deps", "-r", "tests/oracles/requirements.txt")
    for name, requirement in KERAS.items():
        _another_keras(name, requirement)
    stamp.write_text(now)


def python(keras=None):
    """The interpreter that sees the pinned Keras, or the one called "oldest" or "nightly"."""
    return sys.executable if keras is None else str(_bin(HERE / keras) / "python")


def _another_keras(name, requirement):
    """An environment that holds another Keras only and finds everything else in this one.

    A directory on PYTHONPATH would do the same, until a test starts a process with a PYTHONPATH of its own.
    """
    folder = HERE / name
    _run(_uv_path(), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    pathlib.Path(packages, "environment_below.pth").write_text(line)
    _uv("--no-deps", requirement, python=python(name))


def _uv(*arguments, python=sys.executable):
    _run(_uv_path(), "pip", "install", "--quiet", "--python", python, *arguments)


def _uv_path():
    return str(_bin(HERE) / "uv")


def _bin(folder):
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def _run(*command):
    subprocess.run(command, cwd=ROOT, check=True)


def _fingerprint():
    text = b"".join((ROOT / name).read_bytes() for name in SOURCES)
    return hashlib.sha256(text + sys.version.encode()).hexdigest()
