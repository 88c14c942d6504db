"""LiveProgress: plain lines in files, a table and a bar in terminals, a terminal that is always given back."""

import io
import re
import sys
import threading
import time

import keras
import pytest
from keras import ops
from rich.console import Console

from kerasmith.callbacks.epoch_lines import EpochLines
from kerasmith.callbacks.live_progress import LiveProgress
from tests.callbacks.runs import fit, model

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def plain_console():
    return Console(file=io.StringIO(), width=60)


def terminal(width=110):
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=30, color_system="standard", legacy_windows=False
    )


def written(console):
    return console.file.getvalue()


def visible(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_file_gets_one_line_for_each_epoch():
    console = plain_console()
    logged = fit(model(), [LiveProgress(console)])
    lines = written(console).splitlines()
    assert len(lines) == 4
    assert "\x1b" not in written(console)
    for epoch, line in enumerate(lines[:3]):
        assert line.startswith(f"epoch {epoch + 1}/3  ")
        for name in ("loss", "val_loss", "val_accuracy"):
            assert f"  {name} {logged[name][epoch]:.4f}" in line
        assert line.endswith("learning_rate 0.0500")
        assert len(line) <= 100
    assert lines[3].startswith("3 epochs in ")
    assert f"best val_loss {min(logged['val_loss']):.4f} (epoch " in lines[3]


def test_a_terminal_gets_a_table_and_the_cursor_back():
    console = terminal()
    logged = fit(model(), [LiveProgress(console)])
    text = visible(written(console))
    assert re.search(r"epoch +time +loss +accuracy +learning_rate|epoch +time +loss +accuracy", text)
    assert re.search(rf"2/3 +\S+ +{logged['loss'][1]:.4f} +{logged['val_loss'][1]:.4f} +", text)
    assert "epoch 1/3" in text
    assert written(console).count(HIDE) == written(console).count(SHOW) == 1
    assert written(console).rindex(SHOW) > written(console).rindex(HIDE)


def test_the_best_value_is_highlighted():
    lines = EpochLines()
    for epoch, (loss, val) in enumerate([(3, 3), (2, 1), (1, 2)], 1):
        *_, line = lines.add(epoch, 3, 1.0, {"loss": loss, "val_loss": val}, width=80)
        best = [line.plain[s.start : s.end].strip() for s in line.spans if "green" in str(s.style)]
        assert best == (["1"] if epoch == 2 else [])


def test_80_columns_have_what_matters_most():
    lines = EpochLines()
    lines.directions = {"mask_dice_score": "max", "objects_f1": "max", "objects_recall": "max", "ce": "min", "objects": None}
    lines.monitored = ("val_objects_recall",)
    logs = {name: 0.5 for name in ("cases", "ce", "objects", "mask_dice_score", "objects_f1", "objects_recall", "loss")}
    logs |= {f"val_{name}": 0.5 for name in logs} | {"learning_rate": 1e-3}
    top, below, line = lines.add(1, 12, 1.0, logs, width=80)
    assert top.plain.split() == ["epoch", "time", "loss", "objects_recall", "mask_dice_score", "lr"]
    assert below.plain.split() == ["+4", "more", *["train", "val"] * 3]
    assert max(len(top), len(below), len(line)) <= 80
    assert [name for name in lines.in_order()[:4]] == ["loss", "objects_recall", "mask_dice_score", "objects_f1"]
    (plain,) = EpochLines.add(lines, 2, 12, 1.0, logs)
    assert plain.plain.split()[4::2] == ["loss", "val_loss", "val_objects_recall", "val_mask_dice_score", "learning_rate"]
    (closing,) = lines.closing(3.0, width=80)
    assert len(closing) <= 80
    assert "best val_loss 0.5000 (epoch 1)" in closing.plain


def test_columns_that_do_not_fit_are_counted_and_late_ones_get_a_new_header():
    lines = EpochLines()
    logs = {f"quantity_{i}": 0.5 for i in range(9)}
    for width in (40, 60, 80, 120):
        lines = EpochLines()
        shown = lines.add(1, 9, 1.0, logs, width=width)
        assert all(len(line) <= width for line in shown)
        assert shown[0].plain.endswith(f"+{9 - shown[0].plain.count('tity_')} more")
    assert len(lines.add(2, 9, 1.0, logs, width=120)) == 1
    again = lines.add(3, 9, 1.0, {**logs, "val_quantity_0": 1.0}, width=120)
    assert "train" in again[1].plain
    assert "val" in again[1].plain


def test_an_exception_that_is_caught_gives_the_terminal_back():
    class Broken(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            raise RuntimeError("boom")

    console, stdout = terminal(), sys.stdout
    progress = LiveProgress(console)
    with pytest.raises(RuntimeError, match="boom"):
        fit(model(), [progress, Broken()])
    deadline = time.monotonic() + 20
    while not written(console).endswith(SHOW) and SHOW not in written(console) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert SHOW in written(console)
    assert sys.stdout is stdout
    fit(model(), [progress], epochs=1)  # and it can be used again
    assert written(console).count(HIDE) == written(console).count(SHOW) == 2


def test_an_exception_that_an_interactive_session_keeps_gives_the_terminal_back(monkeypatch):
    class Broken(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            raise RuntimeError("boom")

    console, kept = terminal(), None
    try:
        fit(model(), [LiveProgress(console), Broken()])
    except RuntimeError as error:
        kept = error  # with its traceback, so with the frame of `fit`
    time.sleep(0.6)
    assert SHOW not in written(console)
    monkeypatch.setattr(sys, "last_value", kept, raising=False)
    deadline = time.monotonic() + 20
    while SHOW not in written(console) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert written(console).count(HIDE) == written(console).count(SHOW) == 1


def test_as_a_context_the_terminal_is_back_at_once():
    console = terminal()
    with LiveProgress(console) as progress:
        progress.set_params({"epochs": 2, "steps": 4})
        progress.on_train_begin()
        progress.on_epoch_begin(0)
        progress.on_train_batch_end(0, {"loss": 0.5})
    assert written(console).count(HIDE) == written(console).count(SHOW) == 1
    progress.close()


def test_it_stays_open_while_training_is_slow():
    class Slow(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            time.sleep(0.3)
            # A thread draws the bar; a busy machine lets it wait.
            deadline = time.monotonic() + 60
            while batch == 3 and "steps/s" not in visible(written(console)) and time.monotonic() < deadline:
                time.sleep(0.05)

    console = terminal()
    fit(model(), [LiveProgress(console), Slow()], epochs=1)
    assert written(console).count(HIDE) == 1
    text = visible(written(console))
    assert re.search(r"[1-4]/4", text)
    assert "steps/s" in text


def test_two_at_once_do_not_fight_for_the_terminal():
    console = terminal()
    fit(model(), [LiveProgress(console), LiveProgress(console)], epochs=1)
    assert written(console).count(HIDE) == written(console).count(SHOW)


def test_a_step_reads_no_value():
    reads = []

    class Value:
        def __array__(self, dtype=None, copy=None):
            reads.append(threading.get_ident())
            return ops.convert_to_numpy(ops.ones(()))

    progress = LiveProgress(terminal())
    progress.set_params({"epochs": 1, "steps": 2000})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    start = time.perf_counter()
    for step in range(2000):
        progress.on_train_batch_end(step, {"loss": Value()})
    in_steps = list(reads)
    took = time.perf_counter() - start
    progress.close()
    assert threading.get_ident() not in in_steps
    assert len(in_steps) <= 4 * took + 4


def test_generators_of_unknown_length():
    def batches():
        while True:
            yield ops.convert_to_numpy(ops.ones((4, 3))), ops.convert_to_numpy(ops.ones((4, 1)))

    console = plain_console()
    net = model()
    net.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0, callbacks=[LiveProgress(console)])
    assert written(console).count("\n") == 3


def test_evaluate_alone_is_silent():
    console = terminal()
    net = model()
    net.evaluate(ops.ones((4, 3)), ops.ones((4, 1)), verbose=0, callbacks=[LiveProgress(console)])
    assert written(console) == ""


def test_epochs_before_a_resume_are_known():
    first, second = LiveProgress(plain_console()), LiveProgress(plain_console())
    logged = fit(model(), [first], epochs=2)
    state = first.state_dict()
    assert state["epoch_running"] == 0.0

    class Load(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                second.load_state_dict(state)
                second.load_state_dict(state)

    again = fit(model(), [Load(), second], epochs=4, initial_epoch=2)
    lines = written(second.console).splitlines()
    assert lines[0].startswith("so far 2 epochs in ")
    assert [line.split()[1] for line in lines[1:3]] == ["3/4", "4/4"]
    assert lines[3].startswith("4 epochs in ")
    assert f"best val_loss {min(logged['val_loss'] + again['val_loss']):.4f} (epoch " in lines[3]
    assert second.state_dict()["seconds"] > state["seconds"]


def test_rate_and_time_left_after_a_resume_in_the_middle_of_an_epoch(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    progress = LiveProgress(plain_console())
    progress.set_params({"epochs": 3, "steps": 100})
    progress.on_train_begin()
    progress.on_epoch_begin(1)
    for batch in range(80, 100):
        progress.on_train_batch_begin(batch)
        now[0] += 0.5
        progress.on_train_batch_end(batch)
        pace = progress._pace(100, progress._done, progress._rate(progress._done))
        if batch == 89:
            # 10 steps at 2 a second, then an epoch of 100.
            assert pace == "2.000 steps/s  5.0s left, run 0:55"
    progress.on_epoch_end(1, {"loss": 0.5})
    progress.on_epoch_begin(2)
    assert list(progress._epoch_seconds) == [50.0]  # the 20 steps took 10 s


def test_the_time_of_an_epoch_that_was_interrupted(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    progress = LiveProgress(plain_console())
    progress.set_params({"epochs": 2, "steps": 10})
    progress.on_train_begin()
    state = {"rows": [], "seconds": 90.0, "epoch_running": 30.0, "epoch_seconds": []}
    progress.load_state_dict(state)
    progress.on_epoch_begin(0)
    now[0] += 7.0  # going over the steps that were done
    progress.load_state_dict(state)
    progress.on_train_batch_begin(6)
    now[0] += 20.0
    progress.on_train_batch_end(9)
    progress.on_epoch_end(0, {"loss": 0.5})
    assert written(progress.console).split()[:4] == ["epoch", "1/2", "50", "s"]
    progress.on_train_end()
    assert written(progress.console).splitlines()[-1].startswith("1 epoch in 1 min 50 s")


@pytest.mark.parametrize("width", [40, 60, 72, 84, 100, 160])
def test_the_bar_is_one_line(monkeypatch, width):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    console = Console(file=io.StringIO(), force_terminal=True, width=width, legacy_windows=False)
    progress = LiveProgress(console)
    progress.set_params({"epochs": 120, "steps": 1000})
    progress.on_epoch_begin(11)
    for batch in range(2):
        now[0] += 0.1
        progress.on_train_batch_end(batch, {"loss": 0.5, "accuracy": 0.25, "a_metric_with_a_long_name": 0.125})
        frame = console.render_lines(progress._bar.get_renderable(), pad=False)
    assert len(frame) == 1
    text = "".join(segment.text for segment in frame[0])
    assert len(text) <= width
    assert text.startswith("epoch 12/") == (width >= 60)
    assert ("10.0 steps/s  1:40 left, run 3:01:40" in text) == (width >= 60)
    assert ("loss 0.5000" in text) == (width >= 84)
    assert ("accuracy" in text) == (width >= 160)
