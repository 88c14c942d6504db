"""Whether what a callback sets is what the training reads."""

import numpy as np

from kerasmith.checks.engine.comparison import same
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import real_fit, scenarios, tiny_model
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import MODEL_LINES, CallbackCase

# Names of Keras 2, with what stands for them now.
_OLD = {"lr": "learning_rate", "decay": "a LearningRateSchedule"}
_OLD_WORDS = ("'lr'", "set_value", "get_value", "'K'", "get_session")
# Parts of names of attributes that a layer or optimizer reads, and names under which people set them anew.
_PARTS = ("rate", "decay", "momentum", "trainable", "clip", "alpha", "beta", "gamma", "dropout")
_NAMES = ("learning_rate", "rate", "lr", "momentum", "weight_decay", "decay", "clipnorm", "clipvalue", "loss_weights")


@check("C110", "callback", "error", requires=("C101", "C102", "C103"), since="0.1.0")
def uses_an_old_name(case: CallbackCase) -> None:
    """A name of Keras 2 is used, which Keras 3 does not know.

    `optimizer.lr = ...` makes a new attribute that nothing reads: the learning rate stays what it was, without a word. To read
    `optimizer.lr`, and `keras.backend.set_value`, raise an AttributeError.

    Fix: write `self.model.optimizer.learning_rate = value`, and read it with `float(self.model.optimizer.learning_rate)`.
    """
    error = case.rehearsal
    if isinstance(error, AttributeError) and any(word in str(error) for word in _OLD_WORDS):
        raise Failed(
            expected="names of Keras 3", actual=describe_error(error), lines=case.fit_lines(epochs=3, validation_data="(x, y)")
        )
    for name, (_, value) in case.changed.items():
        owner, _, key = name.rpartition(".")
        if key in _OLD and owner == "optimizer":
            raise Failed(
                expected=f"`optimizer.{_OLD[key]}` is set",
                actual=f"`optimizer.{key}` = {value!r} is a new attribute; the learning rate stays as it was",
                lines=(*case.fit_lines(epochs=3), f"print(model.optimizer.{key}, float(model.optimizer.learning_rate))"),
            )


@check("C111", "callback", "error", requires=("base", "C110"), since="0.1.0")
def has_no_effect(case: CallbackCase) -> None:
    """What the callback sets is never read by the training.

    The compiled step reads the optimizer's variables, and a list of trainable weights made when it was compiled. An
    attribute of the model, a `trainable` switched in the middle of `fit`, or (on JAX) a learning rate set behind the
    step's back changes nothing: the training goes on as if the callback were not there.

    Fix: set `self.model.optimizer.learning_rate` through `self.model`, or use a `LearningRateSchedule` for a rate per
    step; compile the model again after `trainable` is changed, between two calls of `fit`.
    """
    case.require_script()
    settings = [name for name, (before, value) in case.changed.items() if _is_setting(name, before, value)]
    trace = case.plateau[0]
    moves = any(rate != trace.rates[0][0] for rates in trace.rates.values() for rate in rates) or _begins_elsewhere(trace)
    if not settings and not moves:
        raise NotApplicable("sets neither a learning rate nor another setting of the model")
    if settings:
        _setting_is_read(case, settings[0])
    if moves:
        _rate_is_used(case, trace)


def _is_setting(name, before, value):
    key = name.rpartition(".")[2].lower()
    if before is None:
        return key in _NAMES and isinstance(value, (int, float))
    return any(part in key for part in _PARTS)


def _begins_elsewhere(trace):
    return bool(trace.rates.get(0)) and not same(trace.rates[0][0], tiny_model.RATE)


def _setting_is_read(case, name):
    without = real_fit.reference(case, 4)
    try:
        with temporary_cwd() as printed:
            model = case.model("fit")
            before = tiny_model.attributes(model)
            trained = real_fit.fit(case.make(), printed, model, epochs=4)
            after = tiny_model.attributes(model)
    except Exception as error:
        raise Failed(
            expected=f"`{name}` can be set in the middle of `fit`",
            actual=describe_error(error),
            lines=case.fit_lines(epochs=4),
        ) from None
    if same(before.get(name), after.get(name)):
        raise Inconclusive(f"`{name}` was not changed in a real `fit`")
    if np.array_equal(without.final, trained.final):
        owner, _, key = name.rpartition(".")
        owner = {"optimizer": "model.optimizer", "model": "model"}.get(owner, "model.layers[0]")
        raise Failed(
            expected=f"training feels that `{name}` becomes {after[name]!r}",
            actual="after 4 epochs all weights are what they are without the callback, bit for bit",
            lines=(
                "keras.utils.set_random_seed(0)",
                *MODEL_LINES,
                "model.build(); start = model.get_weights(); ends = []",
                "for callbacks in ([], [callback]):",
                "    model.set_weights(start); model.optimizer.learning_rate = 0.01",
                "    model.fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=callbacks)",
                "    ends.append(model.get_weights())",
                f"print({owner}.{key}, *ends)",
            ),
        )


def _rate_is_used(case, trace):
    """With a gradient that is the same for all weights, the way that the weights go in an epoch is the sum of the rates."""
    if not same(trace.weights, case.without.weights):
        raise Inconclusive("changes weights itself, so that the learning rate cannot be read from them")
    first = next((epoch for epoch, rates in trace.rates.items() if not same(rates, [tiny_model.RATE] * len(rates))), 0)
    losses = case.long[: first + 3] if first + 3 > 4 else scenarios.flat_after(epochs=4)
    with temporary_cwd() as printed:
        model = case.model("linear")
        start = tiny_model.weights(model)
        fitted = real_fit.fit(case.make(), printed, model, scenario=case.scenario(losses))
    x, _ = tiny_model.data()
    gradients = x.reshape(tiny_model.STEPS, tiny_model.BATCH, -1).mean(1)
    changed = False
    for epoch, end in fitted.weights.items():
        rates = fitted.rates[epoch]
        if None in rates:
            raise NotApplicable("sets a schedule, which the step reads")
        if len(rates) != tiny_model.STEPS:
            break
        rates = np.array(rates)
        expected = -(rates[:, None] * gradients).sum(0)
        moved = (end - start)[: tiny_model.FEATURES]
        size = np.abs(expected).max()
        changed = changed or not np.allclose(rates, tiny_model.RATE)
        if np.abs(moved - expected).max() > 0.01 * size + 1e-6:
            used = float((moved * gradients.sum(0)).sum() / -(gradients.sum(0) ** 2).sum())
            raise Failed(
                expected=f"the steps of epoch {epoch + 1} use the rates {', '.join(f'{rate:.4g}' for rate in rates)}",
                actual=f"the weights moved as with a rate of {used:.4g} in each",
                lines=(
                    "x, y = np.ones((8, 4), 'float32'), np.zeros((8, 1), 'float32')",
                    "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer='zeros')])",
                    "model.compile(keras.optimizers.SGD(0.01), loss=lambda y_true, y_pred: y_pred)",
                    "rates = []; optimizer = model.optimizer",
                    "keep = lambda batch, logs: rates.append(float(optimizer.learning_rate))",
                    "spy = keras.callbacks.LambdaCallback(on_train_batch_begin=keep)",
                    "model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[callback, spy])",
                    "print('asked for', sum(rates), 'used', -float(model.get_weights()[0][0, 0]))",
                ),
            )
        start = end
    if not changed:
        raise Inconclusive("the learning rate did not change in a real `fit`")
