"""Gradients of the loss by the weights, layer by layer."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import cut
from kerasmith.checks.harness.trial import fresh_weights
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.changes import with_leaky_units
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.learning import trial

# The gradient of the first layer against that of the last, per weight, below which it learns nothing.
_VANISHED, _EXPLODED = 1e-5, 1e4


@check("T175", "setup", "warning", requires=("base", "T160", "T179", "T181", "T192"), since="0.2.0")
def weights_have_a_gradient(case: SetupCase) -> None:
    """Trainable weights get no gradient: the loss does not know them, or something on the way cuts the gradient.

    `argmax`, `round`, comparisons and NumPy have no gradient, and `stop_gradient` takes it away; an output without a loss has
    none either. It is an error where no weight has a gradient, or where a weight changes the loss and yet gets none from
    an operation with steps.

    Fix: a smooth operation (softmax for argmax, sigmoid for a comparison); a loss for every output that is to be trained;
    `trainable = False` for what is not to be.
    """
    variables = list(case.model.trainable_variables)
    if case.has_own_step:
        raise Inconclusive("the model has a `train_step` of its own")
    if not variables:
        raise Failed(
            "a trainable weight",
            f"none of {len(case.model.weights)} weights is trainable: `fit` changes nothing",
            ["print(model.trainable_weights)"],
            severity="error" if case.model.weights else None,
            fix="`model.trainable = True`, or a new layer behind the frozen ones; then `compile` anew.",
            place=case.place("compile"),
        )
    rng, missing, disconnected = np.random.default_rng(case.seed), None, None
    batches = [(case.x, case.y, case.sample_weight), *case.more_batches(1)]
    for draw, batch in enumerate([batches[0], batches[-1], batches[0]]):
        start = {} if draw < 2 else fresh_weights(case.model, int(rng.integers(1000)))
        made = trial(case, start=start)
        found = made.gradients(*cut(batch, 32))
        zero = {id(v) for v, g in found if g is None or not np.any(np.nan_to_num(g, nan=1.0, posinf=1.0, neginf=1.0))}
        without = {id(v) for v, g in found if g is None}
        missing = zero if missing is None else missing & zero
        disconnected = without if disconnected is None else disconnected & without
    dead = [variable for variable in variables if id(variable) in missing and np.prod(variable.shape) > 0]
    # A bias in front of a normalization has a gradient of 0 by design.
    if not any(id(variable) in disconnected or len(variable.shape) > 1 for variable in dead):
        return
    names = ", ".join(f"`{variable.path}`" for variable in dead[:3]) + (f" and {len(dead) - 3} more" if len(dead) > 3 else "")
    kind = "is not connected with them" if len(disconnected & {id(v) for v in dead}) == len(dead) else "is 0 everywhere"
    severity = "error" if len(dead) == len(variables) else None
    actual = f"that of {names} {kind}, in 3 draws of weights and batches"
    if severity is None:
        jump = _jumps(case, dead)
        if jump is not None:
            severity, actual = "error", f"{actual}; {jump}"
    raise Failed(
        f"a gradient of the loss by all {len(variables)} trainable weights",
        actual,
        ["model.fit(x[:32], y[:32])", f"# {dead[0].path} is the same after it"],
        severity=severity,
        place=case.place("compile"),
    )


def _jumps(case, dead):
    """What shows that the loss depends on a weight in steps: it stays for small changes and moves for large ones."""
    batch = cut((case.x, case.y, case.sample_weight), 32)
    variable = max(dead, key=lambda v: int(np.prod(v.shape)))
    value = np.asarray(keras.ops.convert_to_numpy(variable), "float64")
    rng, losses = np.random.default_rng(case.seed), []
    direction = rng.normal(size=value.shape) * max(float(value.std()), 0.1)
    for size in (0.0, 1e-4, 1.0, 3.0):
        try:
            made = trial(case, start={id(variable): (value + size * direction).astype("float32")})
            losses.append(_loss_at_inference(case, made, batch))
        except Inconclusive:
            return None
    small, large = abs(losses[1] - losses[0]), max(abs(losses[2] - losses[0]), abs(losses[3] - losses[0]))
    if np.isfinite(large) and large > 1e-4 * abs(losses[0]) and small < 1e-6 * large:
        return (
            f"the loss moves by {large:.3g} when `{variable.path}` is changed much, and not at all when it is changed little"
        )
    return None


def _loss_at_inference(case, made, batch):
    total = 0.0
    for output, predicted in zip(case.outputs, made.predict(batch[0])):
        if output.loss is not None:
            total += float(np.mean(case.loss_values(output, output.y_true[: len(predicted)], predicted)))
    return total


@check("T178", "setup", "warning", requires=("base", "T161", "T175", "T179", "T180", "T186"), since="0.2.0")
def gradients_keep_their_size(case: SetupCase) -> None:
    """The gradient vanishes or explodes on its way to the first layers.

    Many sigmoid or tanh layers in a row make it smaller with each, large weights larger. The first layers then stay as
    they are, or jump. It is an error where one batch is not learned, and is with another activation or new first weights.

    Fix: `activation="relu"` with `kernel_initializer="he_normal"`, batch normalization, skip connections; `clipnorm=1.0`
    where it explodes; in recurrent layers LSTM or GRU.
    """
    if backend() == "jax" and case.has_own_step:
        raise Inconclusive("the model has a `train_step` of its own")
    kernels = [(v, g) for v, g in trial(case).gradients(*cut((case.x, case.y, case.sample_weight), 32)) if len(v.shape) > 1]
    sizes = [(v.path, float(np.sqrt(np.mean(np.square(g))))) for v, g in kernels if g is not None and np.isfinite(g).all()]
    sizes = [(path, size) for path, size in sizes if size > 0 and "embedding" not in path]
    if len(sizes) < 3:
        raise NotApplicable("fewer than three kernels with a gradient")
    (first, low), (last, high) = sizes[0], sizes[-1]
    ratio = low / high
    if _VANISHED < ratio < _EXPLODED:
        return
    cured = counterfactual(
        case,
        (("fresh weights", "T178"), "with new first weights", lambda: {"start": fresh_weights(case.model)}),
        (
            ("leaky units", "T178"),
            "with leaky units",
            lambda: {"around": with_leaky_units, "start": fresh_weights(case.model)},
        ),
    )
    raise Failed(
        "gradients of a like size in all layers",
        f"it is {low:.2g} per weight in `{first}` and {high:.2g} in `{last}`, over {len(sizes)} kernels{cured}",
        ["# callbacks.GradientHealth() shows them"],
        severity="error" if cured else None,
        place=case.place("compile"),
    )
