"""Every argument of every public loss and metric changes a result or is refused; an exception has a reason here."""

import numpy as np
import pytest

from kerasmith import losses, metrics
from tests.arguments.effects import CHANGES, NOTHING, PIXELS, arguments, effects, parts, public, trials
from tests.arguments.values import VALUES

pytestmark = pytest.mark.host("whether a formula reads an argument does not depend on the backend")

# Arguments that change no value of a batch that is accepted.
REASONS = {
    "capacity": "size of the state; more samples are refused",
    "dtype": "dtype of the result",
    "inputs": "says what the batch holds; another batch is refused",
    "labels": "says how labels are written; others are refused",
    "max_relevant": "size of the work; more relevant samples are refused",
    "missing": "says that labels may be NaN; without it they are refused",
    "name": "text",
    "num_classes": "number of channels; another number is refused",
    "predictions": "says what y_pred holds; others are refused",
    "share": "deprecated; what is summed and what is counted has one value",
    "threads": "speed",
    "unknown_predictions": "refuses a batch or not",
    "weights": "for a name of keras.applications; beside a model refused",
    ("LPIPS", "axis"): "images of 3 channels are refused at the other axis",
    ("CohenKappa", "multi_label"): "refused, there is one matrix",
    ("ExposureWeighted", "exposure"): "says where the exposure is; another batch is refused",
    ("MCC", "multi_label"): "refused, there is one matrix",
    ("PSNR", "axis"): "the mean over all elements is the same; tells which axis has no weights and masks",
    ("TruePositives", "multi_label"): "refused, there is one matrix",
}


@pytest.mark.parametrize("cls", public(), ids=lambda cls: f"{cls.__module__.split('.')[1]}-{cls.__name__}")
def test_every_argument_has_an_effect(cls):
    for argument in arguments(cls):
        if argument in REASONS or (cls.__name__, argument) in REASONS:
            continue
        seen = set()
        for trial in trials(cls, argument):
            for effect in effects(cls, argument, *trial):
                seen.add(effect)
                if effect == CHANGES:
                    break
            if CHANGES in seen:
                break
        assert CHANGES in seen, f"{argument}: {seen or 'no other value in tests/arguments/values.py'}"


@pytest.mark.parametrize("cls", [cls for cls in public() if "class_weights" in arguments(cls)], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("multi_label", [False, True])
def test_class_weights_of_one_channel_have_an_effect_or_are_refused(cls, multi_label):
    part, _ = parts()[cls][0]
    base = {**part._constructor_arguments, "class_weights": None, "multi_label": multi_label}
    base |= {"num_classes": None} if "num_classes" in base else {}
    found = list(effects(cls, "class_weights", base, PIXELS["one channel"], VALUES["class_weights"]))
    assert len(found) == len(VALUES["class_weights"])
    assert NOTHING not in found


@pytest.mark.parametrize("average", ["macro", "micro", None])
@pytest.mark.parametrize("metric", [metrics.DiceScore, metrics.IoU])
def test_class_weights_without_an_effect_are_refused_by_metrics(metric, average):
    made = metric(average=average, class_weights=[5.0])
    with pytest.raises(ValueError, match="no effect"):
        made.update_state(*PIXELS["one channel"])
    if average == "micro":
        with pytest.raises(ValueError, match="no effect"):
            metric(average=average, class_weights=[1.0, 2.0, 3.0]).update_state(*PIXELS["class ids"])


def test_two_class_weights_of_one_channel_reach_the_pixel_term():
    y_true, y_pred = (x[:1] for x in PIXELS["one channel"])
    y, p = (np.asarray(x, "float64").ravel() for x in (y_true, y_pred))
    dice = 1 - (2 * (p * y).sum() + 2e-5) / (p.sum() + y.sum() + 2e-5)
    entropy = np.mean(-np.where(y, 3 * np.log(p), 2 * np.log(1 - p)))
    got = losses.DiceCE(class_weights=[2.0, 3.0])(y_true, y_pred)
    assert float(got) == pytest.approx(0.5 * dice + 0.5 * entropy, rel=1e-5)
    focal = np.mean(-np.where(y, 3 * (1 - p) ** 2 * np.log(p), 2 * p**2 * np.log(1 - p)))
    got = losses.DiceFocal(class_weights=[2.0, 3.0])(y_true, y_pred)
    assert float(got) == pytest.approx(0.5 * dice + 0.5 * focal, rel=1e-5)


def test_reasons_are_of_arguments_that_exist():
    names = {argument for cls in public() for argument in arguments(cls)}
    assert {key if isinstance(key, str) else key[1] for key in REASONS} <= names
