"""Units that are dead, saturated or all the same, and depth that adds nothing."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of
from kerasmith.checks.harness.trial import fresh_weights
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.changes import with_leaky_units
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.learning import learning, trial
from kerasmith.checks.rules.setups.signals import few, has_kernel, kernel_of, signals

# The share of a layer's units that counts as all of them; of its numbers that lie at the ends of a sigmoid or tanh.
_DEAD, _SATURATED = 0.95, 0.9
_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_sigmoid": (0.0, 1.0)}


@check("T179", "setup", "warning", requires=("base", "T161", "T186"), since="0.2.0")
def units_are_alive(case: SetupCase) -> None:
    """The units of a layer are dead: their relu is 0 for every sample of the batch, and no gradient comes through.

    Biases or inputs far below 0, or a step that was too large, put relu units where they stay for good. It is an error where
    one batch is not learned, and is with new first weights, or with a slope below 0, and nothing else changed.

    Fix: default initializers, scaled inputs, a smaller rate; `activation="leaky_relu"` or `"gelu"`.
    """
    found = []
    for signal in _hidden(case):
        x = signal.outputs[0]
        if _activation(signal.layer) not in ("relu", "relu6") or x.shape[-1] < 2:
            continue
        dead = float((x.reshape(-1, x.shape[-1]) <= 0).all(axis=0).mean())
        if dead >= _DEAD:
            found.append((signal, f"`{signal.name}`: {dead:.0%} of its {x.shape[-1]} units are 0 for all {len(x)} samples"))
    _raise(case, found, "units that are above 0 for some samples")


@check("T180", "setup", "warning", requires=("base", "T161", "T186"), since="0.2.0")
def units_are_not_saturated(case: SetupCase) -> None:
    """The units of a layer are saturated: their sigmoid or tanh is at its end for every sample, where it has no slope.

    Inputs or weights that are too large do it. It is an error where one batch is not learned, and is with new first
    weights, or with another activation, and nothing else changed.

    Fix: scale the inputs, use the default initializers; `activation="relu"` in hidden layers.
    """
    found = []
    for signal in _hidden(case):
        low, high = _RANGES.get(_activation(signal.layer), (None, None))
        if low is None or not signal.outputs[0].size:
            continue
        x = signal.outputs[0]
        near = 0.01 * (high - low)
        share = float(np.mean((x < low + near) | (x > high - near)))
        if share > _SATURATED:
            found.append((signal, f"`{signal.name}`: {share:.0%} of its numbers are within 1 % of {low:g} or {high:g}"))
    _raise(case, found, "units that answer between their ends")


def _raise(case, found, expected):
    if not found:
        return
    cured = counterfactual(
        case,
        ("fresh weights", "with new first weights", lambda: {"start": fresh_weights(case.model)}),
        ("leaky units", "with a slope below 0", lambda: {"around": with_leaky_units}),
    )
    name = found[0][0].name
    raise Failed(
        expected,
        "; ".join(text for _, text in found[:3]) + cured,
        [f"layer = model.get_layer({name.split('/')[0]!r})", "print(keras.Model(model.inputs, layer.output).predict(x[:8]))"],
        severity="error" if cured else None,
        place=case.place(found[0][0].layer) or case.place("compile"),
    )


@check("T181", "setup", "warning", since="0.2.0")
def units_differ(case: SetupCase) -> None:
    """All units of a layer are the same and get the same gradient: the layer is as good as one unit, for good.

    Weights that start at 0 or at one constant are moved alike in every step. It is an error where new first weights learn
    one batch clearly better.

    Fix: the default initializers: leave out `kernel_initializer="zeros"` or `"ones"` in hidden layers.
    """
    hidden = [s for s in _hidden(case) if isinstance(s.layer, (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv1D))]
    alike = [s for s in hidden if s.layer.trainable and _same_columns(kernel_of(s.layer))]
    if not alike:
        return
    gradients = {id(variable): gradient for variable, gradient in _gradients(case)}
    found = []
    for signal in alike:
        gradient = gradients.get(id(kernel_of(signal.layer)))
        if gradient is None or _same_columns(gradient):
            found.append(signal)
    if not found:
        return
    names = ", ".join(f"`{signal.name}`" for signal in found)
    actual, severity = f"the units of {names} have the same weights and the same gradient", None
    trained = learning(case)
    curve = trained.train("fresh weights", start=fresh_weights(case.model))
    if np.isfinite(curve.end) and trained.left(curve) < 0.8 * trained.left(trained.base):
        severity = "error"
        actual += f". On one batch the loss goes {trained.base}; with new first weights {curve}"
    raise Failed(
        "units with weights of their own",
        actual,
        [f"print(model.get_layer({found[0].name.split('/')[0]!r}).get_weights()[0][:, :3])"],
        severity=severity,
        place=case.place(found[0].layer) or case.place("compile"),
    )


@check("T182", "setup", "warning", since="0.2.0")
def depth_is_not_affine(case: SetupCase) -> None:
    """The model is deep but affine: between its layers there is no activation, and together they are one layer.

    A dense layer or convolution without `activation=` is linear, and a chain of these is again one linear map. It can draw
    straight boundaries only. Where that is meant - a factorization, a linear autoencoder - this check can be left out.

    Fix: `activation="relu"` in all layers but the last.
    """
    layers = [s for s in signals(case) if has_kernel(s.layer) and kernel_of(s.layer).trainable]
    if len({id(s.layer) for s in layers}) < 2:
        raise NotApplicable("fewer than two layers with a kernel")
    if any(a.shape == b.shape and np.array_equal(a, b) for a in leaves_of(case.x) for b in leaves_of(case.y)):
        raise NotApplicable("the labels are the inputs: a linear autoencoder finds principal components")
    if any(_activation(s.layer) not in ("linear", None) for s in layers[:-1]):
        return
    last, first = layers[-1], layers[0]
    if not isinstance(last.layer, (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)):
        return
    x = few(case)
    if isinstance(x, (dict, list, tuple)) or np.asarray(x).dtype.kind not in "fiub" or len(x) < 4:
        raise NotApplicable("the model has several inputs")
    if any(isinstance(s.layer, keras.layers.Embedding) for s in signals(case)):
        raise NotApplicable("the model has embeddings")
    middle = 0.3 * x[:2].astype("float64") + 0.7 * x[2:4].astype("float64")
    inputs = _inputs_of(case, last, [x[:2], x[2:4], middle.astype("float32")])
    if inputs is None:
        return
    a, b, c = inputs
    size = float(np.abs(a - b).max())
    if size > 0 and float(np.abs(0.3 * a + 0.7 * b - c).max()) < 1e-4 * max(size, float(np.abs(c).max())):
        raise Failed(
            "an activation between layers",
            f"{len(layers)} layers from `{first.name}` on make an affine map: at 0.3 x + 0.7 x' it is the mean of "
            f"its values to {float(np.abs(0.3 * a + 0.7 * b - c).max()) / size:.1g} of their difference",
            ["print([getattr(layer, 'activation', None) for layer in model.layers])"],
            place=case.place(first.layer) or case.place("compile"),
        )


def _inputs_of(case, signal, parts):
    """What goes into a layer for other inputs of the model."""
    from kerasmith.keras_internals.layer_trace import traced

    found = []
    for x in parts:
        with traced(case.model) as calls:
            case.call(x)
        fitting = [call for call in calls if call.name == signal.name]
        if not fitting:
            return None
        found.append(np.asarray(keras.ops.convert_to_numpy(keras.ops.stop_gradient(fitting[-1].inputs[0])), "float64"))
    return found


def _hidden(case):
    """Calls of layers with units, but the last one that has a kernel."""
    own = [s for s in signals(case) if s.layer is not None and s.outputs and s.outputs[0].ndim >= 2]
    kernels = [s for s in own if has_kernel(s.layer)]
    last = kernels[-1] if kernels else None
    position = own.index(last) if last is not None else len(own)
    return [s for s in own[:position] if has_kernel(s.layer) or _activation(s.layer)]


def _activation(layer):
    """The name of what a layer does to each number, None where it has nothing of that kind."""
    if isinstance(layer, keras.layers.ReLU):
        return "relu" if not layer.negative_slope else None
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", None) if callable(activation) else None


def _same_columns(kernel) -> bool:
    array = np.asarray(kernel if isinstance(kernel, np.ndarray) else keras.ops.convert_to_numpy(kernel), "float64")
    columns = array.reshape(-1, array.shape[-1])
    return columns.shape[1] > 1 and float(np.ptp(columns, axis=1).max()) <= 1e-6 * float(np.abs(columns).max())


def _gradients(case):
    if "gradients" not in case.cache:
        case.cache["gradients"] = trial(case).gradients(case.x, case.y, case.sample_weight)
    return case.cache["gradients"]
