import pytest

from tests.recipes.training.fuzz import outcomes

pytestmark = pytest.mark.host("configurations are planned before a backend is loaded")


def test_no_mutated_configuration_ends_in_a_traceback(tmp_path):
    found = dict.fromkeys((0, 2), 0)
    for text, status in outcomes(150, 7, tmp_path):
        assert status in found, text
        found[status] += 1
    assert min(found.values()) > 15, found
