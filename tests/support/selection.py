"""Which tests belong to which part of the gate: markers with a reason, and the options `--select` and `--shard`.

    host(reason)     knows no backend: asked on PyTorch only
    formula(reason)  numbers of our own operations beside an oracle: not asked with another Keras
    thinned(reason, by=None)
                     rows that repeat each other on JAX and TensorFlow, where each costs a compilation: there the gate asks a
                     cover, so that every pair of two arguments' values is asked once (or every pair of the features that
                     `by(**arguments)` gives, a dict)
    heavy(reason, on=backends, seconds=20, light=None)
                     takes long on these backends (on all, if `on` is left out): asked in one of four shards. `seconds` is what
                     it took there, so that the shards are equally long, or a function of the row's arguments. Rows of which
                     `light(**arguments)` is true are not heavy.

`--select gate`: without host and thinned rows (except on PyTorch), without heavy ones. `heavy`: only heavy ones, of the shard
that `--shard` names. `keras`: what another Keras can change, all or the files of one shard. `all`: everything that the backend
can change.
"""

import itertools
import zlib

import pytest

from tests.support.cover import cover

SHARDS = 4
SELECTIONS = ("all", "gate", "heavy", "keras")
# Of a heavy test that was never measured.
SECONDS = 20.0
BACKENDS = ("tensorflow", "jax", "torch")

_TRAINING = pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=2)
_FIT = pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow",), seconds=3)
_EACH_ROW = pytest.mark.heavy("each row compiles its operations anew", on=("jax",), seconds=1)
_LARGE = pytest.mark.heavy("each row traces a large graph", on=("tensorflow",), seconds=1)
# Where every loss is asked on JAX: what all of them share, row by row, is asked of the battery of `test_battery` in each run.
_ROWS_OF_LOSSES = ("test_against_", "test_options_", "test_embedding_limits", "test_every_loss")
# {directory: (mark, whether a test of a file has it), ...}: what is true of a directory is not written into each of its files.
DIRECTORIES = {
    **dict.fromkeys(("adversarial", "callbacks", "objectives", "multitask"), ((_TRAINING, lambda file, test: True),)),
    "losses": (
        (_EACH_ROW, lambda file, test: file.startswith(_ROWS_OF_LOSSES)),
        (_LARGE, lambda file, test: file == "test_against_shape"),
    ),
    "metrics": ((_EACH_ROW, lambda file, test: True), (_FIT, lambda file, test: test.startswith("test_in_fit"))),
    "labels": ((_EACH_ROW, lambda file, test: file == "test_missing_labels"),),
}


def mark_by_directory(item):
    """Gives a test the marks of its directory."""
    for mark, has_it in DIRECTORIES.get(item.nodeid.split("/")[1], ()) if item.nodeid.count("/") else ():
        if has_it(item.path.stem, item.name):
            item.add_marker(mark)


def add_options(parser):
    """The options of the gate."""
    group = parser.getgroup("gate")
    group.addoption("--select", choices=SELECTIONS, help="which part of the gate; without it, every test is asked")
    group.addoption("--shard", type=int, default=None, help=f"0 to {SHARDS - 1}: which heavy tests; without it, all of them")


def reason(mark):
    """The reason of a mark; a mark without one is refused."""
    given = mark.args[0] if mark.args else mark.kwargs.get("reason")
    if not isinstance(given, str) or len(given.split()) < 3:
        raise pytest.UsageError(
            f'`{mark.name}` needs a reason in words, why the test belongs there: pytest.mark.{mark.name}("...").'
            f" Received: {mark.args} {mark.kwargs}"
        )
    return given


def heavy(item, backend):
    """The seconds of a test that is heavy on the backend, otherwise None."""
    found = None
    for mark in item.iter_markers("heavy"):
        reason(mark)
        wrong = {*mark.kwargs} - {"on", "seconds", "reason", "light"} or {*mark.kwargs.get("on", ())} - {*BACKENDS}
        if wrong:
            raise pytest.UsageError(
                f"heavy(reason, on=(backends), seconds=..., light=...). Received: {mark.args} {mark.kwargs}"
            )
        light = mark.kwargs.get("light")
        if backend in mark.kwargs.get("on", BACKENDS) and not (light and light(**item.callspec.params)):
            seconds = mark.kwargs.get("seconds", SECONDS)
            found = max(found or 0, seconds(**item.callspec.params) if callable(seconds) else seconds)
    return found


def shards(seconds, number=SHARDS):
    """{test: shard} of {test: seconds}, so that all shards take about as long: the longest test first, to the emptiest."""
    full, found = [0.0] * number, {}
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        found[name] = min(range(number), key=lambda shard: (full[shard], shard))
        full[found[name]] += seconds[name]
    return found


def left_out(items):
    """The ids of those that a cover leaves out."""
    groups = {}
    for item in items:
        mark = item.get_closest_marker("thinned")
        if mark is not None and hasattr(item, "callspec"):
            reason(mark)
            groups.setdefault(item.nodeid.partition("[")[0], []).append((item, mark.kwargs.get("by", dict)))
    found = set()
    for rows in groups.values():
        kept = cover([by(**item.callspec.params) for item, by in rows])
        found.update(item.nodeid for number, (item, _) in enumerate(rows) if number not in kept)
    return found


def selected(items, select, shard, backend):
    """The items of one part."""
    for item in items:
        for mark in itertools.chain(item.iter_markers("host"), item.iter_markers("formula")):
            reason(mark)
    seconds = {item.nodeid: heavy(item, backend) for item in items}
    thin = left_out(items)
    if select is None:
        return list(items)
    of_keras = [item for item in items if not item.get_closest_marker("host") and not item.get_closest_marker("formula")]
    found = of_keras if select == "keras" else items
    if backend != "torch":
        found = [item for item in found if not item.get_closest_marker("host")]
        found = [item for item in found if select == "all" or item.nodeid not in thin]
    if select == "all":
        return list(found)
    if select == "heavy":
        found = [item for item in found if seconds[item.nodeid] is not None]
        place = shards({item.nodeid: seconds[item.nodeid] for item in found})
        return [item for item in found if shard is None or place[item.nodeid] == shard]
    found = [item for item in found if seconds[item.nodeid] is None]
    if select == "keras" and shard is not None:
        return [item for item in found if zlib.crc32(_file(item)) % SHARDS == shard]
    return found


def _file(item):
    return item.nodeid.split("::")[0].encode()
