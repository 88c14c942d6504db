"""Every broken component of the zoo is caught by the check named for it; nothing is said of the right ones."""

import importlib

import keras
import pytest

from kerasmith.checks.engine import registry
from tests.zoo import between_backends
from tests.zoo.answers import ROOT, answers, modules

# Share of the broken components that must be caught by the check named for them.
LEAST_RECALL = 0.95
KINDS = ("losses", "metrics", "callbacks", "layers", "equations", "source")
# All parts of Keras and of kerasmith, some two hundred: on TensorFlow and JAX, which compile each operation of each, that
# takes half an hour, and is done by `python -m tests.zoo.table`.
FINISHED = ("keras_", "kerasmith_")
# Of what compiles JAX is asked half of the modules of a kind, TensorFlow the others; a small kind is asked whole on both.
HALVES = {
    kind: ("whole",) if keras.config.backend() == "torch" or kind in ("equations", "source") else ("even", "odd")
    for kind in KINDS
}
START = {"whole": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}
# What asking the broken parts of a kind takes where each operation is compiled, and the right ones.
COST = {
    "losses": (100, 100),
    "metrics": (70, 100),
    "callbacks": (90, 90),
    "layers": (60, 60),
    "equations": (14, 8),
    "source": (5, 5),
}
# For one kind of component on one backend; a machine of two busy cores needs some ten minutes.
SECONDS = 2400

pytestmark = pytest.mark.skipif(
    not keras.__version__.startswith("3.15"),
    reason="the zoo holds the faults of Keras 3.15, which other versions do not share",
)


def on_one(kind, half):
    """What a row is asked for on JAX or TensorFlow: a kind as a whole on both, every other half of one on each."""
    return [kind] * (half == "whole" or (KINDS.index(kind) + (half == "odd")) % 2 == (keras.config.backend() == "jax"))


def cost(kind, half, column):
    """Seconds of a row; PyTorch, which compiles nothing, needs a third."""
    return COST[kind][column] * (0.5 if half != "whole" else 0.3 if keras.config.backend() == "torch" else 1)


@pytest.mark.thinned("each broken part is asked on one of the two that compile", by=on_one)
@pytest.mark.heavy(
    "asks every check of many parts",
    seconds=lambda kind, half: cost(kind, half, 0),
    light=lambda kind, half: kind in ("losses", "equations", "source") and keras.config.backend() == "torch",
)
@pytest.mark.parametrize(("kind", "half"), [(kind, half) for kind in KINDS for half in HALVES[kind]])
def test_broken_components_are_caught(kind, half):
    zoo = [
        one
        for one in answers(modules("broken", kind)[START[half]], keras.config.backend(), SECONDS)
        if one["must"] not in between_backends.CHECKS
    ]
    not_caught = [
        f"{one['component']} {one['must']}: {one['found'] or one.get('cannot')}"
        for one in zoo
        if one["must"] not in one["found"]
    ]
    assert len(not_caught) <= (1 - LEAST_RECALL) * len(zoo), not_caught
    unshown = [f"{one['component']} {id}: {why}" for one in zoo for id, why in one["unshown"].items()]
    assert not unshown, "reproducers that do not run as they stand, or show nothing"


@pytest.mark.host("asks parts on all three backends, whichever runs")
@pytest.mark.heavy("asks parts on all three backends", seconds=60)
def test_differences_between_backends_are_caught():
    entries = between_backends.entries([name for kind in KINDS for name in modules("broken", kind)])
    assert {entry.check for entry, _ in entries} == set(between_backends.CHECKS)
    for entry, target in entries:
        report = between_backends.report(entry, target)
        assert [finding.id for finding in report.findings] == [entry.check], str(report)


@pytest.mark.thinned("each right part is asked on one of the two that compile", by=on_one)
@pytest.mark.heavy("asks every check of many parts", seconds=lambda kind, half: cost(kind, half, 1))
@pytest.mark.parametrize(("kind", "half"), [(kind, half) for kind in KINDS for half in HALVES[kind]])
def test_no_error_is_reported_of_right_components(kind, half):
    names = modules("clean", kind)[START[half]]
    if keras.config.backend() != "torch":
        names = [name for name in names if not name.rsplit(".", 1)[1].startswith(FINISHED)]
    zoo = answers(names, keras.config.backend(), SECONDS)
    cannot = [f"{one['component']}: {one['cannot']}" for one in zoo if "cannot" in one]
    assert not cannot
    alarms = {one["component"]: [id for id, severity in one["found"].items() if severity == "error"] for one in zoo}
    assert not {name: ids for name, ids in alarms.items() if ids}
    timeouts = {one["component"]: why for one in zoo for id, why in one["open"].items() if one["outcomes"][id] == "timeout"}
    assert not timeouts


@pytest.mark.host("the list of checks and of parts")
def test_the_zoo_is_large_and_asks_every_check():
    broken = [entry for kind in KINDS for name in modules("broken", kind) for entry in importlib.import_module(name).BROKEN]
    right = [entry for kind in KINDS for name in modules("clean", kind) for entry in importlib.import_module(name).RIGHT]
    assert len(broken) >= 80
    assert len(right) >= 60
    checks = registry.load()
    assert len(checks) >= 60
    # Whole set-ups have a zoo of their own, tests/zoo/setups.
    asked = {id for id, one in checks.items() if one.kinds != ("setup",)}
    unproved = sorted(asked - {entry.check for entry in broken})
    assert not unproved, "no broken component shows that these checks can fail"


@pytest.mark.host("the list of checks and of parts")
def test_the_docs_list_every_check():
    rows = (ROOT / "docs" / "checks.md").read_text().splitlines()
    missing = [
        one.id
        for one in registry.load().values()
        if not any(one.title in row for row in rows if row.startswith(f"| {one.id} "))
    ]
    assert not missing, "write them with `python -m tests.zoo.table`"
