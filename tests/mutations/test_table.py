"""Every planted fault still has its place in the source, and says why it matters."""

import pathlib

import pytest

from tests.mutations.table import ALL, MUTATIONS

pytestmark = pytest.mark.host("reads source files as text")
ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("one", MUTATIONS, ids=str)
def test_a_row_applies(one):
    text = (ROOT / "src" / "kerasmith" / one.file).read_text()
    assert text.count(one.old) == 1, "write the row anew: its text must stand in the file exactly once"
    assert one.new != one.old
    compile(text.replace(one.old, one.new), one.file, "exec")
    assert len(one.why) > 10
    assert one.backends
    assert set(one.backends) <= set(ALL)
    for path in one.tests:
        assert (ROOT / path).exists(), path


def test_there_are_enough_of_each_kind():
    assert len(MUTATIONS) >= 40
    kinds = {one.file.split("/")[0] for one in MUTATIONS}
    wanted = {"base", "losses", "metrics", "objectives", "multitask", "callbacks", "checkpoints", "data", "checks", "objects"}
    assert wanted <= kinds
    for backend in ALL:
        assert sum(backend in one.backends for one in MUTATIONS) >= 40
        assert any(one.backends == (backend,) for one in MUTATIONS), "a branch of this backend alone"
