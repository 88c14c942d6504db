"""What the project checks, one session a concern: `nox` runs the default ones, `nox -l` lists all."""

import os
import pathlib

import nox

nox.options.sessions = ["lint", "tests", "oldest"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

BACKENDS = ("tensorflow", "jax", "torch")
# Outside oracles whose own requirements pull in GPU builds or a torchvision that does not fit; nothing they lack is used.
ORACLES = pathlib.Path("tests/oracles/requirements.txt")


def _install(session, *, keras=None):
    session.install("-c", "constraints.txt", "-e", ".[test]")
    session.install("-c", "constraints.txt", "--no-deps", "-r", str(ORACLES))
    if keras:
        session.install("--no-deps", f"keras=={keras}")


def _pytest(session, backend):
    # JAX compiles every operation for every shape; both test processes share what one of them has compiled.
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(pathlib.Path(session.create_tmp(), "jax")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    session.run(
        *("python", "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", "--durations=25", *session.posargs),
        env={"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", **(cache if backend == "jax" else {})},
    )


@nox.session
def lint(session):
    """Style, formatting and the order of the rooms."""
    session.install("-c", "constraints.txt", "ruff", "import-linter")
    session.install("--no-deps", "-e", ".")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def tests(session):
    """All tests on each backend with the pinned Keras; `nox -s tests -- -k dice` passes arguments on."""
    _install(session)
    for backend in os.environ.get("KERASMITH_BACKENDS", ",".join(BACKENDS)).split(","):
        _pytest(session, backend)


@nox.session
def oldest(session):
    """The tests with the oldest supported Keras; on PyTorch, which compiles nothing and so is the fastest by far."""
    _install(session, keras="3.12.0")
    _pytest(session, "torch")


@nox.session
def benchmarks(session):
    """The benchmarks, on each backend; ratios only, see benchmarks/README.md."""
    _install(session)
    for backend in BACKENDS:
        session.run("python", "-m", "benchmarks", *(session.posargs or ["losses"]), env={"KERAS_BACKEND": backend})
