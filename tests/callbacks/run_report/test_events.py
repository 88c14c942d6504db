"""What happened in a run is in its record, on its page, on its curves and in its summary."""

import json

import keras
import numpy as np
import pytest

from kerasmith.callbacks import NumericsGuard, ReduceOnPlateau, Resume, RunReport, TimeLimit, TopKCheckpoints
from kerasmith.callbacks.run_report.event_log import EventLog
from kerasmith.callbacks.run_report.events_found import restarts
from kerasmith.files import messages, run_events
from kerasmith.schedules import CosineRestarts
from tests.callbacks.runs import X, Y, fit, model
from tests.report.html_checks import Page, plot_named


def events(directory):
    return json.loads((directory / "summary.json").read_text())["events"]


def of(found, kind):
    return [(event["epoch"], event["by"]) for event in found if event["kind"] == kind]


def test_what_callbacks_do_is_noted_and_a_guarded_run_is_not_called_completed(tmp_path):
    x = X.copy()
    x[5] = np.nan
    warned = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: messages.warn("Part: a warning") if epoch == 1 else None
    )
    run = tmp_path / "run"
    report = RunReport(run)
    net = model()
    net.compile("sgd", "mse")  # cross-entropy refuses what is not finite on PyTorch
    with pytest.warns(UserWarning, match="a warning"):
        net.fit(
            x, Y, epochs=4, batch_size=8, shuffle=False, verbose=0, validation_data=(X[:8], Y[:8]),
            callbacks=[
                # In any order: the report hears also of those that come after it.
                report, NumericsGuard(rollback=True, max_rollbacks=9, verbose=0),
                ReduceOnPlateau("loss", patience=1, min_delta=9.0),
                TopKCheckpoints(tmp_path / "best", "val_loss", k=2), warned,
                keras.callbacks.EarlyStopping("loss", min_delta=9.0, patience=2, restore_best_weights=True),
            ],
        )  # fmt: skip
    report.add_event("looked at by hand", epoch=2)
    report.write()
    found = events(run)
    assert of(found, "rollback") == [(1, "NumericsGuard"), (2, "NumericsGuard"), (3, "NumericsGuard")]
    assert of(found, "learning rate") == [(2, "ReduceOnPlateau"), (3, "ReduceOnPlateau")]
    assert of(found, "early stop") == [(3, "EarlyStopping")]
    assert of(found, "warning") == [(2, "Part")]
    assert of(found, "note") == [(2, "you")]
    assert [by for _, by in of(found, "checkpoint")] == ["TopKCheckpoints"] * 2
    (stop,) = [event["text"] for event in found if event["kind"] == "early stop"]
    assert stop.startswith("loss did not improve for 2 epochs; best")
    assert stop.endswith("in epoch 1, whose weights are put back")
    text = (run / "report.html").read_text()
    page = Page(text)
    assert page.text("h2").startswith("What happened")
    assert "Completed" not in page.text()
    assert "Stopped by a guard after 3 of 4 epochs" in page.text("p")
    marks = plot_named(text, "loss")["events"]
    assert any(mark["text"].startswith("NumericsGuard: Epoch 1, batch 0") for mark in marks)
    assert json.loads((run / "summary.json").read_text())["status"] == "stopped by a guard"


def test_a_resumed_run_says_where_it_went_on(tmp_path):
    hours = iter(range(0, 10**6, 3600))

    def train(*more):
        report = RunReport(tmp_path / "run", keep=True)
        fit(model(), [Resume(tmp_path / "checkpoints", verbose=0), report, *more], epochs=3, shuffle=False)
        return report

    stopped = train(TimeLimit("18:00:00", since="train", clock=lambda: next(hours)))
    assert of(stopped.record.events.entries, "time limit")
    done = len(stopped.rows)
    assert 0 < done < 3
    went_on = train()
    assert of(went_on.record.events.entries, "resume") == [(done, "Resume")]
    assert went_on.status == "completed"
    assert len(of(train().record.events.entries, "resume")) == 1  # nothing was left to train


@pytest.mark.host("numbers and text")
def test_restarts_of_the_learning_rate():
    schedule = CosineRestarts(T_0=2, T_mult=2, eta_max=1.0, steps_per_epoch=10)
    steps = np.arange(61)
    rates = np.array([float(schedule(step)) for step in steps])
    assert [epoch for _, _, _, epoch in restarts(steps / 10, rates)] == [2.0, 6.0]
    falling, rising = np.linspace(1, 0, 30), np.linspace(0, 1, 30)
    for none in (falling, rising, np.concatenate([rising, falling, rising]), np.ones(5), np.array([])):
        assert not list(restarts(np.arange(len(none)), none))
    ((_, text, _, at),) = restarts(np.arange(2000), np.tile(np.linspace(1, 0, 20), 100))
    assert (text, at) == ("99 times", 20.0)


@pytest.mark.host("numbers and text")
def test_the_log_knows_its_kinds_and_counts_nothing_twice():
    log = EventLog()
    for epoch in (1, 2):
        log.add("warning", "Part: the same", by="Part", epoch=epoch)
        log.add("rollback", "the same", by="Part", epoch=epoch)
    assert [(entry["kind"], entry["text"]) for entry in log.in_order()] == [
        ("warning", "the same"), ("rollback", "the same"), ("rollback", "the same"),
    ]  # fmt: skip
    assert log.by_guards == 2
    with pytest.raises(ValueError, match="'crash'"):
        log.add("crash", "", by="me", epoch=1)


@pytest.mark.host("numbers and text")
def test_listeners_hear_their_own_thread_only():
    import threading

    class Listener:
        def __init__(self):
            self.heard = []

        def note(self, kind, text, *, by, epoch=None):
            self.heard.append(text)

    listener = Listener()
    run_events.listen(listener)
    other = threading.Thread(target=run_events.tell, args=("note", "elsewhere"), kwargs={"by": "me"})
    other.start()
    other.join()
    run_events.tell("note", "here", by="me")
    run_events.stop_listening(listener)
    run_events.tell("note", "later", by="me")
    assert listener.heard == ["here"]
