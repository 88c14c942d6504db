"""Which tests belong to which part of the gate."""

import itertools
import pathlib
import types

import pytest

from tests.support import selection
from tests.support.cover import cover, each_value

pytestmark = pytest.mark.host("sorts tests by their markers")
WHY = "trains for a long time"


class Item:
    """A test as pytest collects it."""

    def __init__(self, nodeid, *marks, **params):
        self.nodeid, self.marks = nodeid, [mark.mark for mark in marks]
        self.callspec = types.SimpleNamespace(params=params)

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


def test_rows_are_thinned_where_they_are_compiled():
    mark = pytest.mark.thinned("each row compiles for a second")
    values = list(itertools.product("ab", (1, 3), (False, True)))
    rows = [Item(f"test[{letter}{x}{flag}]", mark, letter=letter, x=x, flag=flag) for letter, x, flag in values]
    assert len(chosen(rows, "gate", "torch")) == len(chosen(rows, "all", "jax")) == 8
    assert len(chosen(rows, "gate", "jax")) == 4
    by = pytest.mark.thinned("each row compiles for a second", by=lambda letter, x, flag: {"letter": letter})
    rows = [Item(f"test[{letter}{x}{flag}]", by, letter=letter, x=x, flag=flag) for letter, x, flag in values]
    letters = [name[5] for name in chosen(rows, "gate", "tensorflow")]
    assert letters == ["a", "b"]


def test_a_cover_meets_every_pair():
    values = [range(3), "abc", (None, 0.5), [True, False], (1, 2, 3, 4)]
    rows = [dict(zip("vwxyz", row)) for row in itertools.product(*values)]
    kept = [rows[number] for number in cover(rows)]
    assert len(kept) <= 20
    for first, second in itertools.combinations("vwxyz", 2):
        assert {(row[first], row[second]) for row in kept} == {(row[first], row[second]) for row in rows}
    alone = [{"row": object()} for _ in range(5)]
    assert cover(alone) == set(range(5))
    assert cover([]) == set()
    each = [rows[number] for number in cover([each_value(**row) for row in rows])]
    assert len(each) == 4
    for name in "vwxyz":
        assert {row[name] for row in each} == {row[name] for row in rows}


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
        pytest.mark.thinned,
    ],
)
def test_a_mark_without_a_reason_is_refused(mark):
    with pytest.raises(pytest.UsageError, match="reason"):
        selection.selected([Item("one", mark)], "gate", None, "torch")


def test_no_file_overwrites_its_marks():
    tests = pathlib.Path(__file__).parents[1]
    assert not [file.name for file in tests.rglob("test_*.py") if file.read_text().count("\npytestmark = ") > 1]
