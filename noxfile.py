"""What the project checks: `nox` runs the gate, `nox -s full` everything, `nox -l` lists the sessions.

All sessions share the environment that nox itself runs in (`scripts/test` makes it in `.venv`): the tests need one large
installation, and a second one would cost more than many of them. See `scripts/gate.py` for how the parts run.
"""

import os
import sys

import nox

nox.options.sessions = ["gate"]
nox.options.default_venv_backend = "none"

BACKENDS = ("tensorflow", "jax", "torch")


def _run(session, *names, options=()):
    session.run(sys.executable, "scripts/gate.py", *options, *names, *(["--", *session.posargs] if session.posargs else []))


@nox.session
def gate(session):
    """What has to pass before a change lands: each part within its budget."""
    _run(session, "gate", options=["--budget"])


@nox.session
def full(session):
    """Every test on every backend, the four shards of the heavy ones, the oldest Keras and the next one."""
    _run(session, "full")


@nox.session
def lint(session):
    """Style, formatting and the order of the packages."""
    _run(session, "lint")


@nox.session
def tests(session):
    """All tests on each backend with the pinned Keras; `nox -s tests -- -k dice` passes arguments on."""
    _run(session, *(f"all-{one}" for one in os.environ.get("KERASMITH_BACKENDS", ",".join(BACKENDS)).split(",")))


@nox.session
def oldest(session):
    """The tests that touch Keras, with the oldest supported one."""
    _run(session, "all-oldest")


@nox.session
def nightly(session):
    """The tests that touch Keras, with the next one, on PyTorch and JAX."""
    _run(session, "nightly-torch", "nightly-jax")


@nox.session
def benchmarks(session):
    """The benchmarks, on each backend; ratios only, see benchmarks/README.md."""
    session.run(sys.executable, "scripts/gate.py", "install")
    for backend in BACKENDS:
        command = (sys.executable, "-m", "benchmarks", *(session.posargs or ["losses"]))
        session.run(*command, env={"KERAS_BACKEND": backend})


@nox.session
def replicas(session):
    """The table of what several processes differ from one by; `nox -s replicas -- torch` of one engine, `ray` is one too."""
    session.run(sys.executable, "scripts/gate.py", "install")
    for engine in session.posargs or BACKENDS:
        session.run(sys.executable, "-m", "tests.distribution.table", "--engine", engine, env={"PYTHONPATH": "src"})


@nox.session
def docs(session):
    """The documentation, into site/; warnings are errors. `nox -s docs -- --quick` does not run the tutorials."""
    session.run(sys.executable, "scripts/gate.py", "install")
    session.run(sys.executable, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", "-e", ".[docs]")
    session.run(sys.executable, "scripts/docs.py", *session.posargs, env={"KERAS_BACKEND": "torch"})
