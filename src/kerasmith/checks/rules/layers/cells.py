"""The cell of an RNN takes its states, and hands on new ones."""

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, differ
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.checks.rules.layers.inputs import state_argument

_STEPS = 3


@check("Y135", "layer", "error", since="0.2.0")
def cell_hands_on_its_states(case: LayerCase) -> None:
    """The cell of an RNN does not hand on its states, or `keras.layers.RNN` cannot run it.

    `keras.layers.RNN` calls `cell(inputs, states)` for each step and gives the states that come back to the next one. A cell
    that returns the states it was given, or none, forgets everything: the RNN sees each step for itself.

    Fix: `return output, [new_state]` from `call`, one new state for each entry of `state_size`, in its shape.
    """
    name = state_argument(case.call_arguments, case.make())
    if name is None or name not in case.specs:
        raise NotApplicable("the layer is no cell of an RNN: it has no `state_size`, or takes no states")
    layer, inputs = case.prepared(), case.inputs
    lines = [f"print({case.call_code()})"]
    answer = case.call(layer)
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise Failed("(output, new states)", f"{type(answer).__name__} from `call`", lines)
    given = keras.tree.flatten(inputs[name])
    new = [np.array(ops.convert_to_numpy(state)) for state in keras.tree.flatten(answer[1])]
    wanted, shapes = [state.shape for state in given], [state.shape for state in new]
    if wanted != shapes:
        raise Failed(f"new states of the shapes {wanted}, as `state_size` says", f"{shapes}", lines)
    if all(np.array_equal(a, b) for a, b in zip(given, new)):
        raise Failed(
            "states that change from step to step",
            "`call` returns the states that it was given",
            [f"print([np.array_equal(a, b) for a, b in zip({name}, {case.call_code()}[1])])"],
            title="The states of the RNN cell never change",
        )
    other = case.run(layer, {**inputs, name: case.draw(1)[name]})
    if not differ(case.run(layer), other, EXACT):
        raise Failed(
            "an output or new states that depend on the states",
            "the same output and new states for other states",
            [*lines, f"{name} = [state + 1 for state in {name}]", *lines],
            title="The RNN cell ignores its states",
        )
    try:
        keras.layers.RNN(case.make())(ops.convert_to_tensor(np.repeat(inputs["inputs"][:, None], _STEPS, axis=1)))
    except Exception as error:
        raise Failed(
            "an output for a sequence",
            describe_error(error),
            [f"print(keras.layers.RNN(layer)(np.repeat(inputs[:, None], {_STEPS}, axis=1)))"],
            title="`keras.layers.RNN` cannot run the cell",
        ) from None
