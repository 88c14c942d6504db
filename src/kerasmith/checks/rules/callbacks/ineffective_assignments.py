"""Wishes that a callback writes where `fit` never looks."""

import ast
import inspect
import math
import re
import textwrap

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import scenarios
from kerasmith.checks.harness.trace import differences, nondeterministic_fields, without_printed
from kerasmith.checks.rules.callbacks.case import HOOKS, MODEL_LINES, SMALL_MODEL, CallbackCase

_DATA = re.compile(r"(^|_)(data|dataset|datasets|x|y|inputs|targets|generator|loader|sampler|samples|batches|train)(_|$)")


@check("C112", "callback", "error", since="0.1.0")
def rebinds_what_fit_never_reads(case: CallbackCase) -> None:
    """Data or parameters are replaced on the callback, where `fit` never reads them.

    `fit` has its own reference to the data and counts its own epochs. `self.dataset = resampled` or
    `self.params["epochs"] += 5` changes attributes of the callback only: every sample is seen as often as before, for
    as many epochs as before.

    Fix: change the data in place or in the hooks of a `keras.utils.PyDataset` that `fit` was given; weigh the samples with
    `kerasmith.callbacks.HardExampleMining`; for more epochs give `fit` more of them and stop early.
    """
    cls = case.subject.cls
    methods = _methods(cls)
    if not methods:
        raise NotApplicable("the source cannot be read")
    hooks = {name: tree for name, tree in methods.items() if name in HOOKS}
    for name, tree in hooks.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AugAssign)) and any(_is_item_of_params(target) for target in _targets(node)):
                _report(case, "self.params", "an entry of `self.params`", name)
    given = _attributes(methods.get("__init__"), ast.Store)
    outside = {name: tree for name, tree in methods.items() if name != "__init__"}
    for name, tree in hooks.items():
        for attribute in sorted(_attributes(tree, ast.Store) & given):
            read = any(attribute in _attributes(other, ast.Load) for other in outside.values())
            if not _DATA.search(attribute):
                continue
            if not read:
                _report(case, f"self.{attribute}", f"`self.{attribute}`", name)
            elif _is_data(case, attribute):
                _report(case, f"self.{attribute}", f"`self.{attribute}`", name, read=True)


@check("C117", "callback", "error", since="0.1.0")
def request_to_stop_is_ignored(case: CallbackCase) -> None:
    """The callback asks to stop where nobody hears it.

    `fit` reads `self.model.stop_training`. `self.stop_training = True` makes an attribute of the callback, and what a
    hook returns is thrown away: the training goes on to the last epoch.

    Fix: write `self.model.stop_training = True`.
    """
    for losses in (case.long, scenarios.with_nan()):
        try:
            trace = case.run(losses) if math.isnan(losses[-1]) else case.plateau[0]
        except NotApplicable:
            raise
        except Exception:
            # It may well refuse numbers that are none.
            continue
        if trace.attributes.get("stop_training") and not trace.asked_to_stop:
            texts = ["float('nan')" if loss != loss else round(loss, 3) for loss in losses]
            raise Failed(
                expected="`model.stop_training` is True, as the callback wants to stop",
                actual="`stop_training` of the callback is True, that of the model is False",
                lines=(
                    SMALL_MODEL,
                    f"losses = [{', '.join(map(str, texts))}]",
                    *case.hook_lines(),
                    "print(callback.stop_training, getattr(model, 'stop_training', False))",
                ),
            )


def _is_data(case, attribute):
    """Whether an attribute holds samples, and not a count of them."""
    value = getattr(case.make(), attribute, None)
    if isinstance(value, (list, tuple)):
        return len(value) > 0
    return (hasattr(value, "shape") and len(value.shape) > 0) or (
        hasattr(value, "__getitem__") and not isinstance(value, (str, dict))
    )


def _report(case, what, words, hook, read=False):
    whole, repeated = case.plateau
    effect = without_printed(differences(whole, case.without, clock=nondeterministic_fields(whole, repeated)))
    if effect:
        # It acts on the training in another way: what it keeps may be for itself.
        raise NotApplicable(f"{words} is replaced, and the training is changed otherwise")
    raise Failed(
        expected=f"`{hook}` changes what `fit` reads",
        actual=f"it replaces {words}, which `fit` never looks at" + ("" if read else " and no other method reads"),
        # It may keep the samples for itself, to look at them.
        severity="warning" if read else None,
        lines=(
            *MODEL_LINES,
            "history = model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[callback])",
            f"print(len(history.epoch), 'epochs; now', {what.replace('self', 'callback')})",
        ),
    )


def _methods(cls):
    """{name: syntax tree} of the methods that are not Keras'."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in ("keras", "builtins"):
            continue
        for name, value in vars(base).items():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if inspect.isfunction(function):
                try:
                    found[name] = ast.parse(textwrap.dedent(inspect.getsource(function)))
                except (OSError, TypeError, SyntaxError):
                    continue
    return found


def _attributes(tree, context):
    """Names `a` of `self.a` that are read or set, by `context`."""
    if tree is None:
        return set()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, context)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def _targets(node):
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_item_of_params(node):
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "params"
