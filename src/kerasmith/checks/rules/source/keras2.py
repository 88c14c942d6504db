"""Names of Keras 2."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.rules.source.syntax import report, syntax_of

_KERAS = ("keras.", "tensorflow.keras.", "tf_keras.")
# The functions of `keras.backend` that Keras 3 has.
_BACKEND = {
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
}
_METHODS = {
    "fit_generator": "fit",
    "predict_generator": "predict",
    "evaluate_generator": "evaluate",
    "predict_classes": "predict and argmax",
    "predict_proba": "predict",
    "_make_train_function": "make_train_function",
    "set_learning_phase": "the argument training of call",
    "learning_phase": "the argument training of call",
}
# Only on `self` of a class of Keras, or as a method of one: others may have methods of these names.
_OF_SELF = {
    "add_metric": "a metric as an attribute, updated in a train_step or given to compile",
    "add_update": "variable.assign(...) in call",
    "apply": "call",
}
_OVERRIDDEN = {
    "reset_states": "reset_state",
    "_resource_apply_dense": "update_step",
    "_resource_apply_sparse": "update_step",
    "on_keyboard_interrupt": "on_train_end",
}
# `fit` stops there.
_STOPS = ("self.add_metric", "self.add_update")
_ASKED_ELSEWHERE = {"callback": ("optimizer.lr",), "metric": ("def reset_states",)}
_OPTIMIZER = {"lr": "learning_rate=", "decay": "a schedule of keras.optimizers.schedules"}
_MODULES = {
    "keras.objectives": "keras.losses",
    "keras.engine": "keras",
    "keras.utils.np_utils": "keras.utils",
    "keras.utils.generic_utils": "keras.saving",
    "keras.layers.core": "keras.layers",
    "keras.layers.advanced_activations": "keras.layers",
    "keras.layers.convolutional": "keras.layers",
    "keras.layers.merge": "keras.layers",
    "keras.layers.normalization": "keras.layers",
    "keras.layers.recurrent": "keras.layers",
    "keras.wrappers.scikit_learn": "keras.wrappers",
}


@check("S101", (*KINDS, "source"), "warning", requires=(), needs_inputs=False, since="0.1.0")
def names_of_keras_2(case: Case) -> None:
    """Names of Keras 2, which Keras 3 does not have, ignores, or has only inside TensorFlow.

    `K.sum`, `fit_generator` and `add_metric` raise when they are reached; assigning `optimizer.lr` and overriding
    `reset_states` raise nothing and do nothing. `tensorflow.keras` is Keras for TensorFlow alone, in some installations
    another version of it.

    Fix: `import keras` and `from keras import ops`; `optimizer.learning_rate`, `reset_state`, `fit`, `add_weight`.
    """
    syntax = syntax_of(case)
    places = set()
    for node in syntax.walk():
        places |= {(node.lineno, *found) for found in _of(node, syntax)}
    for tree in syntax.classes():
        if syntax.is_of_keras(tree) or tree is syntax.root:
            places |= set(_of_class(tree))
    severity = "error" if any(what.startswith(_STOPS) for _, what, *_ in places) else None
    # Questions of their kinds name these, with what comes of them.
    own = _ASKED_ELSEWHERE.get(case.kind, ())
    places = {one for one in places if not one[1].startswith(own)} if own else places
    report(case, syntax, places, "names of Keras 3", severity=severity)


def _of(node, syntax):
    if isinstance(node, ast.ImportFrom):
        yield from _of_import(node.module or "", [one.name for one in node.names])
    elif isinstance(node, ast.Import):
        for one in node.names:
            yield from _of_import(one.name, [])
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(node, syntax)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        # Something imported by its own name, `from keras.backend import flatten`.
        full = syntax.names.get(node.id, "")
        if full.rpartition(".")[0] in _BACKENDS and full.rpartition(".")[2] not in _BACKEND:
            yield full, "keras.ops"
    elif isinstance(node, ast.Call):
        full = syntax.dotted(node.func)
        if full.startswith(_KERAS) and ".optimizers." in full and ".schedules" not in full:
            for keyword in node.keywords:
                if keyword.arg in _OPTIMIZER:
                    yield f"{full.rpartition('.')[2]}({keyword.arg}=)", _OPTIMIZER[keyword.arg]


_BACKENDS = ("keras.backend", "tensorflow.keras.backend", "tensorflow.python.keras.backend")


def _of_import(module, names):
    if module.startswith(("tensorflow.keras", "tensorflow.python.keras")):
        yield f"import of {module}", "import keras"
    elif module == "tensorflow" and "keras" in names:
        yield "from tensorflow import keras", "import keras"
    for old, new in _MODULES.items():
        if module == old or module.startswith(old + "."):
            yield f"import of {module}", new


def _of_attribute(node, syntax):
    full = syntax.dotted(node)
    owner, _, name = full.rpartition(".")
    if owner in _BACKENDS and name not in _BACKEND:
        yield f"keras.backend.{name}", "keras.ops"
    elif full == "tensorflow.keras" and syntax.names.get("keras") != "tensorflow.keras":
        yield "tf.keras", "import keras"
    if node.attr in _METHODS and not full:
        yield f".{node.attr}", _METHODS[node.attr]
    elif node.attr == "lr" and _last_name(node.value) == "optimizer":
        yield "optimizer.lr", "optimizer.learning_rate"


def _of_class(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in _OF_SELF and name != "apply" and _last_name(node.func.value) == "self":
                yield node.lineno, f"self.{name}", _OF_SELF[name]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in _OVERRIDDEN:
            yield node.lineno, f"def {node.name}, which Keras 3 never calls", _OVERRIDDEN[node.name]


def _last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
