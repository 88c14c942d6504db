"""What a layer learns or remembers is in variables that Keras tracks."""

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, differ, gap, same
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import as_array, is_float_array, reached_from
from kerasmith.checks.harness.layer_weights import values
from kerasmith.checks.rules.layers.case import LayerCase


@check("Y118", "layer", "error", since="0.1.0")
def sublayers_are_tracked(case: LayerCase) -> None:
    """Sublayers or variables are where Keras does not see them.

    Keras finds what is an attribute of a layer, also in lists, tuples, sets and dicts. It does not look into other objects,
    closures, deques or dataclasses: what is there is neither trained nor saved, and a loaded model starts with new random
    weights.

    Fix: make it an attribute of the layer, or keep it in a list or dict that is one; make the other object a
    `keras.layers.Layer`.
    """
    layer = case.prepared()
    hidden, paths = _untracked(layer)
    if not hidden:
        return
    # State that no one trains and that each layer starts with, as the states of a stateful RNN, is not lost.
    others, _ = _untracked(case.prepared())
    known = [v.shape == w.shape and np.allclose(*values([v, w])) for v, w in zip(hidden, others)]
    if len(others) == len(hidden) and not any(v.trainable for v in hidden) and all(known):
        raise NotApplicable(f"what {', '.join(paths)} holds is not trained, and the same in each layer")
    before = case.run(layer)
    for variable in hidden:
        variable.assign(variable * 1.5 + 0.25)
    change = gap(before, case.run(layer))
    if change < 1e-3:
        raise NotApplicable(f"the output does not depend on what {', '.join(paths)} holds")
    raise Failed(
        f"the variables of {', '.join(paths)} in `layer.variables`",
        f"{len(hidden)} variables are missing there; the output depends on them (it changes by {change:.2g} of its size)",
        [f"{case.call_code()}; print([v.path for v in layer.variables])"],
    )


def _untracked(layer):
    """(variables, paths) of floating variables that are reached from the layer and that it does not know."""
    tracked = {id(variable) for variable in layer.variables}
    hidden, paths = [], []
    for place in reached_from(layer):
        value = place.value
        own = (
            value.variables if isinstance(value, keras.layers.Layer) else [value] if isinstance(value, keras.Variable) else []
        )
        lost = [variable for variable in own if id(variable) not in tracked and "float" in str(variable.dtype)]
        if lost:
            hidden += lost
            paths.append(place.path)
    return hidden, paths


@check("Y102", "layer", "error", requires=("base", "Y118"), since="0.1.0")
def state_is_in_variables(case: LayerCase) -> None:
    """An array or tensor stands where a weight should.

    An array that was drawn in `build` or `__init__` is not saved: a loaded layer draws another one and computes something
    else. A tensor is not trained, is not moved or cast with the layer, and one that is made in `build` leaks out of the
    trace on JAX.

    Fix: `self.add_weight(..., trainable=False)` for what must be kept, `trainable=True` for what must learn; keep true
    constants as NumPy arrays that are made from the arguments.
    """
    first = case.prepared()
    reference = case.run(first)
    candidates = _float_arrays(first)
    if not candidates:
        return
    second = case.prepared()
    case.run(second)
    other = {place.path: place.value for place in _float_arrays(second)}
    tracked = values(first.variables)
    for place in candidates:
        array = as_array(place.value)
        change = _influence(case, first, place, array, reference)
        if change < 1e-3:
            continue
        drawn = as_array(other[place.path]) if place.path in other else None
        if drawn is not None and (drawn.shape != array.shape or not np.allclose(drawn, array, rtol=1e-5)):
            raise Failed(
                f"`{place.path}` the same in two layers, or saved as a weight",
                f"{np.ravel(array)[0]:.4g}... in one layer, {np.ravel(drawn)[0]:.4g}... in the next; the output depends on it",
                [f"print({case.call_code()})  # another process prints other numbers", "print(len(layer.weights))"],
            )
        if not isinstance(place.value, np.ndarray) and not _is_known(place, array, tracked):
            raise Failed(
                f"`{place.path}` as a weight if it is to learn or to be saved, as a NumPy array if it is a constant",
                f"a tensor of shape {array.shape} that the output depends on, in neither `weights` nor the saved file",
                [f"{case.call_code()}; print([v.path for v in layer.variables])"],
                severity="warning",
            )


@check("Y112", "layer", "error", requires=("base", "Y118"), since="0.1.0")
def no_state_in_python(case: LayerCase) -> None:
    """A Python attribute changes in `call`, and the output depends on it.

    A compiled step runs the Python code once, while it is traced: a counter or running mean in an attribute keeps the value
    of that moment for ever. It is not saved either.

    Fix: `self.add_weight(..., trainable=False)` and `self.counter.assign_add(1)`.
    """
    layer = case.prepared()
    case.run(layer, training=True)
    before = _snapshot(layer)
    case.run(layer, training=True)
    now = {place.path: place for place in reached_from(layer)}
    for path, old in before.items():
        place = now.get(path)
        if place is None or place.holder is None or (type(old) is type(place.value) and same(old, place.value, EXACT)):
            continue
        new, weights = place.value, values(layer.variables)
        place.put(old)
        first = case.run(layer, training=True)
        _restore(layer, weights)
        place.put(new)
        second = case.run(layer, training=True)
        _restore(layer, weights)
        if differ(first, second):
            raise Failed(
                f"`{path}` unchanged by a call, or a variable",
                f"`{path}` went from {_text(old)} to {_text(new)} in one call; with the old value the output differs by "
                f"{gap(first, second):.2g} of its size",
                [f"for _ in range(3): {case.call_code(training=True)}; print({path.replace('self', 'layer', 1)})"],
            )


def _is_known(place, array, tracked):
    """Whether a tensor is a copy of a variable, or a constant of a layer of Keras."""
    copy = any(a.size == array.size and np.allclose(a.ravel(), array.ravel()) for a in tracked)
    return copy or (type(place.holder).__module__ or "").partition(".")[0] == "keras"


def _influence(case, layer, place, array, reference):
    """How much the output changes if the array at a place is another one."""
    other = array + 0.5 + 0.5 * np.std(array)
    other = (
        other.astype(array.dtype) if isinstance(place.value, np.ndarray) else ops.convert_to_tensor(other.astype(array.dtype))
    )
    original = place.value
    try:
        place.put(other)
        return gap(reference, case.run(layer))
    except Exception:
        return 0.0
    finally:
        place.put(original)


def _float_arrays(layer):
    """The floating tensors and arrays that can be replaced."""
    return [place for place in reached_from(layer) if place.holder is not None and is_float_array(place.value)]


def _snapshot(layer):
    """{path: number, text, array or tensor}: immutable values as they are, arrays as copies."""
    found = {}
    for place in reached_from(layer):
        if isinstance(place.value, np.ndarray):
            found[place.path] = place.value.copy()
        elif isinstance(place.value, (bool, int, float)) or is_float_array(place.value):
            found[place.path] = place.value
    return found


def _restore(layer, arrays):
    for variable, value in zip(layer.variables, arrays):
        variable.assign(value)


def _text(value):
    return f"{value:.5g}" if isinstance(value, (int, float)) else f"{np.ravel(as_array(value))[0]:.5g}..."
