"""A keyword that a part does not have: the error names the part and what to write; nothing else changes."""

import copy
import importlib
import inspect
import pickle
import re

import keras
import pytest

import kerasmith
from kerasmith import losses, metrics
from kerasmith.base import Configured
from kerasmith.base.foreign_keywords import FOREIGN
from kerasmith.base.keywords import KnowsKeywords

pytestmark = pytest.mark.host("constructors and their errors, before any tensor is there")

PACKAGES = (
    "losses",
    "metrics",
    "callbacks",
    "layers",
    "schedules",
    "data",
    "objectives",
    "multitask",
    "physics",
    "adversarial",
)
# Models are made by Keras, also of configurations; errors, and what is read and not made.
OTHERS = {"Model", "Adversarial", "MissingDataPackage", "Verification"}


def parts():
    for package in PACKAGES:
        module = importlib.import_module(f"kerasmith.{package}")
        for name in module.__all__:
            part = getattr(module, name)
            if isinstance(part, type) and name not in OTHERS and not inspect.isabstract(part):
                yield f"{package}.{name}", part


def test_every_public_part_explains():
    """Also where a required argument is missing: the unknown one is what was meant."""
    for name, part in parts():
        with pytest.raises(TypeError, match=rf"{name.rpartition('.')[2]} has no argument `flarb`\. (It has: |Did you mean)"):
            part(flarb=1)
        first = next(iter(inspect.signature(part).parameters), None)
        if first is not None:
            with pytest.raises(TypeError, match=rf"Did you mean .*`{first}`"):
                part(**{f"{first}s" if not first.endswith("s") else first + "x": 1})
    for function in (losses.dice, losses.class_balanced_weights, kerasmith.data.balanced_weights, kerasmith.physics.polish):
        with pytest.raises(TypeError, match="has no argument `flarb`"):
            function([1.0], [1.0], flarb=1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: losses.Dice(sigmoid=True), r"losses.Dice has no argument `sigmoid`.*`from_logits=True`"),
        (lambda: losses.DiceCE(softmax=True), "`from_logits=True`"),
        (lambda: losses.DiceCE(lambda_dice=0.3), "`dice_weight`"),
        (lambda: losses.Dice(mode="multilabel"), "`multi_label=True`"),
        (lambda: losses.Dice(to_onehot_y=True), "ids are read as they are"),
        (lambda: losses.CrossEntropy(include_background=False), "class_weights=.*ignore_class=0"),
        (lambda: losses.CrossEntropy(alpha=[1, 2]), r"`class_weights=\[...\]`"),
        (lambda: losses.CrossEntropy(gamma=2.0), r"losses.Focal\(gamma=...\)"),
        (lambda: losses.CrossEntropy(smooth=0.1), "`label_smoothing`"),
        (lambda: losses.Dice(squared_pred=True), "no counterpart"),
        (lambda: losses.Dice(threshold=0.5), "metrics have `threshold`"),
        (lambda: losses.Dice(ignore_index=255), "`ignore_class`"),
        (lambda: losses.Dice(from_logit=True), r"Did you mean `from_logits`\?"),
        (lambda: losses.dice([1.0], [1.0], sigmoid=True), "`from_logits=True`"),
        (lambda: metrics.AUC(num_thresholds=100), "`bins`"),
        (lambda: metrics.ConfusionMatrix(n_classes=3), "`num_classes`"),
        (lambda: metrics.DiceScore(reduction="mean"), "`average`"),
        (lambda: kerasmith.callbacks.TopKCheckpoints("d", save_top_k=2), "`k`"),
        (lambda: kerasmith.callbacks.Resume(backup_dir="d"), "`directory`"),
        (lambda: kerasmith.schedules.CosineRestarts(initial_learning_rate=1), "`eta_max`"),
        (lambda: kerasmith.layers.EdgeEnhancement(knd="sobel"), r"Did you mean `kind`\?"),
        (lambda: kerasmith.layers.ArcFaceLogits(3, nme="x"), r"Did you mean `name`\?"),
        (lambda: kerasmith.Objective({}, loss_weights=[1]), "`weights`"),
        (lambda: kerasmith.data.WeightedBatches([1], batchsize=3), r"Did you mean `batch_size`\?"),
    ],
)
def test_what_is_said(make, text):
    with pytest.raises(TypeError, match=text):
        make()


def test_advice_names_what_exists():
    names = {name for _, part in parts() for name in inspect.signature(part).parameters}
    for keyword, rows in FOREIGN.items():
        for ours, advice in rows:
            assert ours in names, (keyword, ours)
            for package, part in re.findall(r"\b(losses|metrics)\.(\w+)", advice or ""):
                assert hasattr(getattr(kerasmith, package), part), advice
    assert "smooth" in inspect.signature(losses.Dice).parameters


class Own(losses.Dice):
    """A loss of the user's that takes keywords of its own out of `kwargs`."""

    def __init__(self, **kwargs):
        self.sharpness = kwargs.pop("sharpness", 1.0)
        super().__init__(**kwargs)


class Declared(losses.Dice):
    def __init__(self, sharpness=1.0, **kwargs):
        super().__init__(**kwargs)
        self.sharpness = sharpness


class OwnCallback(kerasmith.callbacks.TimeLimit):
    def __init__(self, *args, **kwargs):
        self.extra = kwargs.pop("extra", None)
        super().__init__(*args, **kwargs)


def test_what_inherits_is_left_alone():
    assert Own(sharpness=2.0).sharpness == 2.0
    assert OwnCallback(5, extra=3).extra == 3
    again = Declared.from_config(Declared(sharpness=3.0, smooth=1.0).get_config())
    assert again.sharpness == 3.0
    assert again.get_config()["smooth"] == 1.0
    with pytest.raises(TypeError, match=r"no argument `sharpnes`|unexpected keyword argument 'sharpnes'"):
        Declared(sharpnes=2.0)


def test_copies_pickles_and_signatures():
    callback = kerasmith.callbacks.TimeLimit(limit=5)
    assert isinstance(copy.deepcopy(callback), type(callback))
    assert isinstance(pickle.loads(pickle.dumps(kerasmith.data.Augmentation(scale=0.1))), kerasmith.data.Augmentation)
    layer = kerasmith.layers.ArcFaceLogits(num_classes=3, name="a", dtype="float32", trainable=False)
    assert type(layer).from_config(layer.get_config()).name == "a"
    assert pickle.loads(pickle.dumps(losses.class_balanced_weights)) is losses.class_balanced_weights
    for _, part in parts():
        if issubclass(part, KnowsKeywords) and not issubclass(part, (Configured, keras.Model)):
            own = inspect.signature(part.__init__).parameters
            assert list(inspect.signature(part).parameters) == list(own)[1:], part
