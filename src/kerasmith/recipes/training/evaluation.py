"""Whole images predicted window by window, and what the predictions are worth."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasmith.metrics import LesionDetection
from kerasmith.recipes.images.sliding_window import predict_windows
from kerasmith.recipes.instances import split_instances
from kerasmith.recipes.training.cases import VOID, Case
from kerasmith.recipes.training.network_plan import axis_divisor
from kerasmith.recipes.training.patches import Sample
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.samples import CORES, MASK

CANDIDATES: tuple[float, ...] = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
_MOST_ASKED = 8  # training images that the threshold is asked of
_MOST_TRAINED = 6  # training images that are judged where none is held out


@dataclasses.dataclass(frozen=True)
class Predicted:
    """A held-out image, its labels and what the network says.

    Attributes:
        name: of the case.
        sample: what the network saw.
        classes: (*spatial) int32, the class of each pixel.
        objects: (H, W) int32 numbers of objects, where those are kept apart; None otherwise.
        probability: (*spatial) of the one foreground class, of several that of the class in `classes`.
    """

    name: str
    sample: Sample
    classes: np.ndarray
    objects: np.ndarray | None
    probability: np.ndarray


def probabilities(plan: Plan, model: keras.Model, image: np.ndarray) -> np.ndarray:
    """(*spatial, K) of a normalised image: K = 1 for one foreground class, 2 (mask and cores) for objects."""

    def predict(batch: np.ndarray) -> np.ndarray:
        logits = model.predict_on_batch(batch)
        if isinstance(logits, dict):
            logits = np.concatenate([np.asarray(logits[MASK]), np.asarray(logits[CORES])], -1)
        logits = np.asarray(logits, np.float32)
        if plan.outputs == "softmax":
            e = np.exp(logits - logits.max(-1, keepdims=True))
            return e / e.sum(-1, keepdims=True)
        return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))

    values = plan.values
    # A fixed number of windows: one compiled function for all images.
    return predict_windows(
        predict,
        image,
        window=values["patch"],
        overlap=0.5,
        batch_size=min(values["batch"], 4),
        divisor=axis_divisor(values["model"]),
        whole_window=True,
    )


def fitted_threshold(plan: Plan, model: keras.Model, samples: Sequence[Callable[[], Sample]]) -> float:
    """The candidate whose masks of training images have the largest Dice; 0.5 for several classes."""
    if plan.outputs == "softmax":
        return 0.5
    if plan.values["threshold"] != "fit":
        return float(plan.values["threshold"])
    step = max(1, len(samples) // _MOST_ASKED)
    sums = np.zeros((len(CANDIDATES), 2))
    for make in list(samples[::step])[:_MOST_ASKED]:
        sample = make()
        p = probabilities(plan, model, sample.image)[..., 0]
        truth, valid = sample.targets[MASK] == 1, sample.targets[MASK] != VOID
        for i, threshold in enumerate(CANDIDATES):
            mask = (p > threshold) & valid
            sums[i] += 2 * (mask & truth).sum(), mask.sum() + truth.sum()
    return CANDIDATES[int(np.argmax(sums[:, 0] / np.maximum(sums[:, 1], 1)))]


def predictions(
    plan: Plan, model: keras.Model, samples: Sequence[Callable[[], Sample]], names: Sequence[str], threshold: float
) -> list[Predicted]:
    """Every image, predicted."""
    result = []
    for make, name in zip(samples, names, strict=True):
        sample = make()
        p = probabilities(plan, model, sample.image)
        objects = None
        if plan.outputs == "softmax":
            classes, probability = p.argmax(-1), p.max(-1)
        else:
            classes, probability = p[..., 0] > threshold, p[..., 0]
            if plan.instances:
                objects = split_instances(classes, p[..., 1])
        result.append(Predicted(name, sample, classes.astype(np.int32), objects, probability))
    return result


def figures(plan: Plan, predicted: Sequence[Predicted], truths: Sequence[np.ndarray | None]) -> dict[str, Any]:
    """{"dice", "iou", "dice_per_image", "images", "dice_of": {class: number}}; of objects "object_f1" and so on too.

    Args:
        plan: of the run.
        predicted: the images.
        truths: the ids of the true objects of each image, where objects are kept apart.
    """
    counts = np.stack([_counts(one, len(plan.names)) for one in predicted])  # (image, class, 3)
    foreground = counts[:, 1:]
    by_class = _dice(foreground.sum(0))
    result: dict[str, Any] = {
        "dice": _mean(by_class),
        "iou": _mean(_iou(foreground.sum(0))),
        "dice_per_image": _mean(_dice(foreground)),
        "images": len(predicted),
    }
    if len(plan.names) > 2:
        result["dice_of"] = {name: _number(value) for name, value in zip(plan.names[1:], by_class, strict=True)}
    if plan.instances:
        detection = LesionDetection(instance_labels=True, instance_predictions=True, name="object")
        for one, truth in zip(predicted, truths, strict=True):
            detection.update_state(truth[None, ..., None], one.objects[None, ..., None])
        result |= {name: float(value) for name, value in detection.result().items()}
    return result


def judged_cases(plan: Plan) -> list[Case]:
    """The held-out cases; without any, some that were trained on."""
    return list(plan.held_out or plan.train[:_MOST_TRAINED])


def true_objects(plan: Plan, cases: Sequence[Case]) -> list[np.ndarray | None]:
    """The ids of the true objects of each case, where objects are kept apart; None otherwise."""
    return [np.maximum(plan.files.labels(case), 0) if plan.instances else None for case in cases]


def case_scores(
    plan: Plan, cases: Sequence[Case], predicted: Sequence[Predicted], truths: Sequence[np.ndarray | None]
) -> list[dict[str, Any]]:
    """Rows of `cases.csv`: {"case", "digest", "dice", "iou"}, means over the classes there are; of objects "object_f1" too."""
    rows = []
    for case, one, truth in zip(cases, predicted, truths, strict=True):
        own = figures(plan, [one], [truth])
        names = ("dice", "iou", "object_f1")
        rows.append({"case": case.name, "digest": case.digest[:16], **{name: own[name] for name in names if name in own}})
    return rows


def _counts(one: Predicted, classes: int) -> np.ndarray:
    """(C, 3): true positives, predicted and true pixels."""
    truth = one.sample.targets[MASK]
    valid = truth != VOID
    truth, mask = truth[valid], one.classes[valid]
    return np.array([[np.sum((truth == c) & (mask == c)), np.sum(mask == c), np.sum(truth == c)] for c in range(classes)])


def _dice(counts):
    both, sizes = counts[..., 0], counts[..., 1] + counts[..., 2]
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), np.nan)


def _iou(counts):
    union = counts[..., 1] + counts[..., 2] - counts[..., 0]
    return np.where(union > 0, counts[..., 0] / np.maximum(union, 1), np.nan)


def _mean(values: np.ndarray) -> float | None:
    known = np.asarray(values)[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _number(value):
    return float(value) if np.isfinite(value) else None
