"""Promises that a component does not make."""

import dataclasses

import pytest

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, NotApplicable

pytestmark = pytest.mark.host("reads promises that are given as text")


def test_the_default_has_no_exceptions():
    assert Contract().exceptions() == []
    assert Contract.of(None) == Contract()


def test_a_dict_becomes_a_contract():
    contract = Contract.of({"per_sample": False, "output_dtype": "float32"})
    assert contract.exceptions() == ["per_sample=False", "output_dtype='float32'"]
    assert Contract.of(contract) is contract


def test_what_was_declared_away_is_not_asked():
    contract = Contract(per_sample=False)
    with pytest.raises(NotApplicable, match="declared: per_sample=False"):
        contract.require("per_sample")
    contract.require("independent")


@pytest.mark.parametrize("given", [{"persample": False}, ["per_sample"], "per_sample=False"])
def test_unknown_promises_are_named(given):
    with pytest.raises(CannotCheck, match="Received: "):
        Contract.of(given)


def test_every_promise_is_explained():
    for field in dataclasses.fields(Contract):
        assert field.name in Contract.__doc__, field.name
