"""Which tests belong to which part of the gate."""

import pytest

from tests.support import selection

pytestmark = pytest.mark.host("sorts tests by their markers")
WHY = "trains for a long time"


class Item:
    """A test as pytest collects it."""

    def __init__(self, nodeid, *marks):
        self.nodeid, self.marks = nodeid, [mark.mark for mark in marks]

    def iter_markers(self, name):
        return (mark for mark in self.marks if mark.name == name)

    def get_closest_marker(self, name):
        return next(self.iter_markers(name), None)


@pytest.fixture
def items():
    return [
        Item("plain"),
        Item("host", pytest.mark.host("only text and numbers")),
        Item("formula", pytest.mark.formula("sums against a loop")),
        Item("long", pytest.mark.heavy(WHY, seconds=30)),
        Item("long on jax", pytest.mark.heavy(WHY, on=("jax",), seconds=50)),
    ]


def chosen(items, select, backend, shard=None):
    return [item.nodeid for item in selection.selected(items, select, shard, backend)]


def test_the_parts_hold_every_test_once(items):
    for backend in selection.BACKENDS:
        heavy = [name for shard in range(selection.SHARDS) for name in chosen(items, "heavy", backend, shard)]
        both = sorted([*chosen(items, "gate", backend), *heavy])
        assert both == sorted(chosen(items, "all", backend))
    assert chosen(items, "gate", "torch") == ["plain", "host", "formula", "long on jax"]
    assert chosen(items, "gate", "jax") == ["plain", "formula"]
    assert chosen(items, "heavy", "tensorflow") == ["long"]
    assert chosen(items, "keras", "torch") == ["plain", "long on jax"]
    assert len(chosen(items, None, "jax")) == len(items)


def test_shards_take_about_the_same_time():
    seconds = {f"test {i}": float(i % 37 + 1) for i in range(100)}
    place = selection.shards(seconds)
    full = [sum(seconds[name] for name in seconds if place[name] == shard) for shard in range(selection.SHARDS)]
    assert max(full) - min(full) < 5
    assert selection.shards(dict(reversed(seconds.items()))) == place


@pytest.mark.parametrize(
    "mark",
    [
        pytest.mark.heavy,
        pytest.mark.heavy(seconds=3),
        pytest.mark.heavy("slow"),
        pytest.mark.heavy(WHY, on=("numpy",)),
        pytest.mark.heavy(WHY, minutes=2),
        pytest.mark.host(""),
        pytest.mark.formula,
    ],
)
def test_a_mark_without_a_reason_is_refused(mark):
    with pytest.raises(pytest.UsageError, match="reason"):
        selection.selected([Item("one", mark)], "gate", None, "torch")
