"""CheckSetup stops what is wrong before the first step, and is not noticed where all is well."""

import keras
import numpy as np
import pytest

from kerasmith.callbacks import CheckSetup
from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.rules.setups.case import SetupCase

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.fixture
def question(monkeypatch):
    """Puts a check of one's own, T149, among the questions."""

    def put(function, severity="error"):
        def asked(case: SetupCase) -> None:
            """A made fault.

            Fix: write it otherwise, in other words.
            """
            function(case)

        registry.load()
        one = registry.Check("T149", "made", ("setup",), severity, (), True, "0.2.0", asked)
        everything = {**registry.load(), "T149": one}
        monkeypatch.setattr(registry, "load", lambda: everything)

    return put


def fit(callback, data=(X, Y), **options):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=keras.config.backend() != "jax")
    model.fit(*data, epochs=1, verbose=0, callbacks=[callback], **options)
    return model.get_weights()[0].tolist()


def wrong(case):
    raise Failed(f"another x than {case.x.shape}", "this one")


def test_an_error_ends_the_training_before_its_first_step(question):
    question(wrong)
    for level in ("error", "warning"):
        callback = CheckSetup(level, select="T149")
        if level == "error":
            with pytest.raises(
                ValueError, match=r"(?s)1 error.*T149: A made fault.*\(16, 3\).*fix: write it.*ignore=\['T149'\]"
            ):
                fit(callback)
        else:
            with pytest.warns(UserWarning, match="T149: A made fault"):
                fit(callback)
        assert [finding.id for finding in callback.findings] == ["T149"]
    assert fit(CheckSetup(ignore="T1")) == fit(keras.callbacks.Callback())


def test_a_warning_and_a_question_that_fails_end_nothing(question):
    question(wrong, "warning")
    with pytest.warns(UserWarning, match="warning T149"):
        fit(CheckSetup(select="T149"))

    def fails(case):
        raise ZeroDivisionError

    question(fails)
    callback = CheckSetup(select="T149")
    assert fit(callback) == fit(keras.callbacks.Callback())
    assert callback.findings == []


def test_a_generator_keeps_its_first_batch(question):
    seen = []

    def look(case):
        seen.append(case.x[0].tolist())
        raise Inconclusive("only looked at")

    question(look)
    whole = lambda: (pair for pair in [(X[:8], Y[:8]), (X[8:], Y[8:])])  # noqa: E731
    assert fit(CheckSetup(select="T149"), (whole(),), steps_per_epoch=2) == fit(
        keras.callbacks.Callback(), (whole(),), steps_per_epoch=2
    )
    assert seen == [X[0].tolist()]


@pytest.mark.host("arguments are refused alike on each backend")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "note"}, "`level` must be one of 'error', 'warning'"),
        ({"select": ["Q7"]}, "No check begins with 'Q7'"),
        ({"ignore": [3]}, "`ignore` must be ids"),
        ({"contract": {"nothing": 1}}, "contract"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CheckSetup(**arguments)
