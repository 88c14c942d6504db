"""A line that reads a number of the logs is told of once."""

import keras
import pytest

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.rules.callbacks.case import CallbackCase
from kerasmith.checks.rules.callbacks.logs import (
    fails_without_logs,
    needs_a_key_that_may_be_absent,
    needs_a_metric_that_may_be_absent,
)

pytestmark = pytest.mark.host("scripted trainings, in which nothing is computed")


class StopAt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs={}):  # noqa: B006
        if logs["accuracy"] > 0.95:
            self.model.stop_training = True


class StopAtValidation(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs.get("val_loss") < 0.01:
            self.model.stop_training = True


class StopAndSay(StopAt):
    def on_train_end(self, logs=None):
        print(", ".join(logs))


@pytest.mark.parametrize(
    ("callback", "tells"), [(StopAt, needs_a_metric_that_may_be_absent), (StopAtValidation, needs_a_key_that_may_be_absent)]
)
def test_one_line_has_one_finding(callback, tells):
    case = CallbackCase(subject_of(callback, None), Contract())
    with pytest.raises(Failed):
        tells(case)
    with pytest.raises(NotApplicable):
        fails_without_logs(case)


def test_another_line_has_its_own():
    with pytest.raises(Failed, match="iterable") as found:
        fails_without_logs(CallbackCase(subject_of(StopAndSay, None), Contract()))
    assert "on_train_end" in found.value.expected
