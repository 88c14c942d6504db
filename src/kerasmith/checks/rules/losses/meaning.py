"""What the value of a loss says: which argument is which, which of them count, which way is better."""

import inspect
import re

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, REARRANGED, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase, leaves
from kerasmith.checks.rules.losses.edge_inputs import limits
from kerasmith.checks.rules.losses.reproducers import callable_loss, unreduced_loss

_NO_LABELS = (
    "Declare `uses_y_true=False` if it needs no labels, as a penalty or a loss that the model computes itself; else use them."
)
_PREDICTION = re.compile(r"pred|logit|output|y_?hat|score|prob")
_TRUTH = re.compile(r"true|target|label|truth|^y$|^gt$")


@check("L129", "loss", "error", requires=("base", "L105"), since="0.1.0")
def ignores_an_argument(case: LossCase) -> None:
    """The value does not depend on the labels, or not on the predictions.

    A name typed twice (`y_pred` for `y_true`) still gives a number that looks like a loss. Without the predictions
    nothing trains, without the labels nothing is learnt from them.

    Fix: use both arguments; a regulariser that needs no labels declares `uses_y_true=False`.
    """
    inputs = case.inputs
    for name in ("y_true", "y_pred"):
        if not getattr(case.contract, f"uses_{name}"):
            continue
        same = True
        for draw in (1, 2):
            other = case.draw(draw)[name]
            if all(np.array_equal(a, b) for a, b in zip(leaves(other), leaves(inputs[name]))):
                continue
            if differ(case.values_of({**inputs, name: other}), case.values, EXACT):
                same = False
                break
        if same:
            change = f"{name} = {case.specs[name].code(case.seed_of(name, 1))}" if hasattr(case.specs[name], "code") else ""
            raise Failed(
                f"a value that changes with {name}",
                f"{format_numbers(case.values)} for each of 3 draws of {name}",
                [*callable_loss(case), "print(loss(y_true, y_pred))", change, "print(loss(y_true, y_pred))"],
                # A model that computes its loss itself, or a penalty, needs no labels: a question.
                severity="warning" if name == "y_true" and _never_mentions(case, 0) else None,
                fix=_NO_LABELS if name == "y_true" and _never_mentions(case, 0) else None,
            )


@check("L121", "loss", "error", requires=("base", "L129"), since="0.1.0")
def arguments_swapped(case: LossCase) -> None:
    """Labels and predictions have changed places.

    Keras calls a loss with `(y_true, y_pred)`, PyTorch's functions take the input first, and Keras 1 had the other order. An
    asymmetric loss with swapped arguments still falls, towards another goal.

    Fix: write `def loss(y_true, y_pred)`, and look at the order inside the functions that are called.
    """
    case.require_arrays()
    if case.specs["y_true"].shape != case.specs["y_pred"].shape:
        raise NotApplicable("labels and predictions have different shapes")
    inputs = case.inputs
    true, pred = inputs["y_true"], inputs["y_pred"]
    forward = case.unreduced(case.loss(), true.astype(pred.dtype), pred)
    backward = case.unreduced(case.loss(), pred, true.astype(pred.dtype))
    if not differ(forward, backward, REARRANGED):
        return
    names = _parameters(case)
    if len(names) == 2 and _PREDICTION.search(names[0]) and _TRUTH.search(names[1]):
        raise Failed(
            f"labels first: {format_numbers(backward)}",
            f"the parameters are ({', '.join(names)}), which gives {format_numbers(forward)}",
            [*unreduced_loss(case), "print(loss(y_true, y_pred), loss(y_pred, y_true))"],
        )
    _at_soft_labels(case)


def _at_soft_labels(case):
    """Labels between 0 and 1 tell a cross entropy from its mirror: only one of them is lowest at p = y."""
    true_spec, pred_spec = case.specs["y_true"], case.specs["y_pred"]
    if limits(pred_spec) != (0.0, 1.0) or true_spec.domain not in (("integers", 0, 1), ("onehot",)):
        return
    if true_spec.domain == ("onehot",) and pred_spec.domain != ("simplex",):
        return
    soft, other = case.draw(3)["y_pred"], case.draw(4)["y_pred"]
    soft = 0.1 + 0.8 * soft if true_spec.domain != ("onehot",) else 0.8 * soft + 0.2 / soft.shape[-1]
    if not differ(
        *(case.unreduced(case.loss(), labels, other) for labels in (soft, np.round(soft).astype(soft.dtype))), EXACT
    ):
        return  # It rounds its labels, which then are soft for nobody.
    steps = [soft + share * (other - soft) for share in (0.1, -0.1)]
    lowest = [_lowest(case, soft, steps, mirrored) for mirrored in (False, True)]
    if lowest[1] and not lowest[0]:
        raise Failed(
            "lowest where the predictions equal (soft) labels",
            "it is not, and the loss with its arguments exchanged is",
            [
                *callable_loss(case),
                "soft = np.full_like(y_pred, 0.7)",
                "print([float(loss(soft, soft + d)) for d in (-0.1, 0, 0.1)])",
                "print([float(loss(soft + d, soft)) for d in (-0.1, 0, 0.1)], 'exchanged')",
            ],
        )


def _lowest(case, soft, steps, mirrored):
    """Whether the loss at p = y is below those at y_pred away from y."""
    value = lambda p: np.mean(case.unreduced(case.loss(), *((p, soft) if mirrored else (soft, p))))  # noqa: E731
    centre = value(soft)
    return all(value(step.astype(soft.dtype)) > centre + 1e-6 * abs(centre) for step in steps)


@check("L122", "loss", "error", requires=("base", "L129"), since="0.1.0")
def probabilities_taken_for_logits(case: LossCase) -> None:
    """Predictions that are probabilities already are squashed once more.

    A sigmoid of a probability lies between .5 and .73: a perfect prediction scores far from 0, on rare classes close to
    1, and the gradient is small everywhere.

    Fix: remove the sigmoid or softmax from the loss or from the model. If the loss is for logits, declare such inputs
    (`y_pred: float32[...](-4,4)`), and say so in its name, its docstring or an argument `from_logits`.
    """
    case.require_arrays()
    true, pred = case.specs["y_true"], case.specs["y_pred"]
    if case.archetype is not None and limits(pred)[0] < 0:
        _says_nothing_of_logits(case, true, pred)
        return
    if true.shape != pred.shape or true.domain not in (("integers", 0, 1), ("onehot",)) or limits(pred) != (0.0, 1.0):
        raise NotApplicable("labels and predictions are not those of probabilities")
    y = case.inputs["y_true"].astype("float32")
    mean = lambda p: float(np.mean(case.unreduced(case.loss(), y, p.astype("float32"))))  # noqa: E731
    try:
        best, worst, logits, far = mean(y), mean(1 - y), mean(20 * (2 * y - 1)), mean(40 * (2 * y - 1))
    except Exception:  # a loss that refuses what is no probability takes none for a logit
        return
    if not all(np.isfinite(value) for value in (best, worst, logits, far)) or not worst > best > logits:
        return
    if best - logits > 0.2 * (worst - logits) and abs(far - logits) < 0.01 * (best - logits):
        raise Failed(
            "a perfect prediction near the lowest value",
            f"{best:.4g} for y_pred = y_true, {worst:.4g} for the opposite, {logits:.4g} for logits of 20",
            [*callable_loss(case), "print(loss(y_true, y_true), loss(y_true, 1 - y_true), loss(y_true, 40 * y_true - 20))"],
        )


def _says_nothing_of_logits(case, true, pred):
    """A loss that was given logits only because it takes a sigmoid, and tells nobody that it wants them."""
    text = case.subject.source()[0]
    found = re.search(r"^.*\b(sigmoid|softmax)\(\s*(y_pred|pred|y)\b.*$", text, re.MULTILINE)
    if found is None or true.shape != pred.shape or "logit" in f"{case.subject.name} {text}".lower():
        raise NotApplicable("the inputs are logits")
    line = None if case.subject.line is None else case.subject.line + text[: found.start()].count("\n")
    raise Failed(
        "predictions as the model gives them, or a word that they are logits",
        f"`{found[1]}(y_pred)` in the loss: with a model that ends in a {found[1]} its probabilities are squashed twice",
        [
            *callable_loss(case),
            "p = np.clip(y_true, 0, 1)",
            "print(loss(y_true, p), loss(y_true, 1 - p), 'a perfect and a wrong one')",
        ],
        severity="warning",
        line=line,
    )


def _never_mentions(case, place):
    """Whether the text of the function or of `call` never reads one of its two arguments: it is not used wrongly."""
    names = _parameters(case)
    function = case.subject.component if case.subject.is_function else case.subject.cls.call
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        return False
    return len(names) == 2 and len(re.findall(rf"\b{re.escape(names[place])}\b", text)) <= 1 + text.count("y_true - y_true")


def _parameters(case):
    """Names of the first two parameters of the function or of `call`."""
    function = case.subject.component if case.subject.is_function else case.subject.cls.call
    try:
        names = list(inspect.signature(function).parameters)
    except (ValueError, TypeError):
        return []
    return [name for name in names if name != "self"][:2]
