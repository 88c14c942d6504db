"""The list of checks and the order in which they are asked."""

import inspect
import re

import pytest

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import SEVERITIES, CannotCheck
from kerasmith.checks.engine.registry import BASE, CHECKED, KINDS

pytestmark = pytest.mark.host("the list of checks")

ALL = registry.load()


def test_every_check_explains_itself():
    for id, one in ALL.items():
        assert re.fullmatch(r"[LMCYXSEPT]\d{3}", id), id
        assert one.severity in SEVERITIES, id
        assert 10 < len(one.title) < 127, id
        assert not one.title.endswith("."), id
        assert len(one.fix) > 20, id
        assert list(inspect.signature(one.run).parameters) == ["case"], id
        assert re.fullmatch(r"\d+\.\d+\.\d+", one.since), id
        assert set(one.kinds) <= {*CHECKED, "source"}, id


def test_checks_require_checks_that_exist():
    known = {*ALL, "base"}
    unknown = {id: set(one.requires) - known for id, one in ALL.items() if not set(one.requires) <= known}
    assert not unknown


@pytest.mark.parametrize("kind", [*CHECKED, "source"])
def test_requirements_come_first(kind):
    plan = [one.id for one in registry.planned(kind)]
    assert len(plan) == len(set(plan))
    for one in registry.planned(kind):
        for required in registry.requirements(one, kind):
            if required in plan:
                assert plan.index(required) < plan.index(one.id)


@pytest.mark.parametrize("kind", KINDS)
def test_the_base_check_waits_for_the_constructor(kind):
    assert {"X100", "X103"} <= set(registry.requirements(ALL[BASE[kind]], kind))


def test_a_selection_keeps_the_base_check():
    assert {one.id for one in registry.planned("loss", select=["L104"])} == {"L000", "L104"}
    assert "L104" not in {one.id for one in registry.planned("loss", ignore=["L104"])}
    assert "L000" in {one.id for one in registry.planned("loss", ignore=["L"])}


def test_a_selection_that_names_nothing_is_refused():
    with pytest.raises(CannotCheck, match=r"begins with 'Q1'.*Received: select"):
        registry.planned("loss", select=["Q1"])


def test_an_id_is_given_once():
    def again(case):
        """A title of a check.

        Fix: nothing.
        """

    with pytest.raises(ValueError, match="L000 is the id of"):
        registry.check("L000", "loss", "error", since="0.1.0")(again)


def test_a_check_without_a_fix_is_refused():
    def short(case):
        """A title of a check."""

    with pytest.raises(ValueError, match="Fix"):
        registry.check("L999", "loss", "error", since="0.1.0")(short)
    assert "L999" not in registry.CHECKS
