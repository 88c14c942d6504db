"""Mutants are made of what computes, one change each; whether the checker notices them is measured, not tested."""

import ast

import pytest

from tests.zoo.mutants import ALL, KINDS, chosen, mutants_of

pytestmark = pytest.mark.host("changes text and runs no part")

PART = """
@serializable
class Part(keras.losses.Loss):
    def __init__(self, scale=2.0):
        self.scale = scale + 1.0

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.abs(y_true - y_pred), axis=-1)
"""


def test_each_mutant_has_one_change():
    found = {(kind, write()) for _, kind, write in mutants_of(ast.parse(PART))}
    assert {kind for kind, _ in found} == {"swap an operator", "drop an argument", "detach", "wrong axis", "off by one"}
    texts = [text for _, text in found]
    assert len(texts) == len(set(texts)) == 6
    assert all("scale + 1.0" in text for text in texts)
    assert any("ops.abs(y_true + y_pred)" in text for text in texts)
    assert any("axis=0" in text for text in texts)


def test_there_are_enough_of_each_kind():
    some = chosen(0.1)
    assert {kind for _, _, kind, _ in some} == set(KINDS)
    assert len(some) > 0.07 * ALL
