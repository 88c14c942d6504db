"""The inputs that a metric is tried on when none are declared, the ones that its name and text speak of first."""

import contextlib
import inspect
import re

from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness.archetypes import PAIRS, Archetype, name_words, names_by_pattern, ranked
from kerasmith.checks.harness.shape_words import telling_inputs

_CLASSES = ("class ids", "class ids in a column", "one-hot classes", "sparse mask, 2-D", "one-hot mask, 2-D")
_ONE_HOT = ("one-hot classes", "one-hot mask, 2-D", "class ids")
_BINARY = ("binary, one probability", "binary mask, 2-D")
_MASKS = ("binary mask, 2-D", "sparse mask, 2-D", "one-hot mask, 2-D", "binary mask, 3-D")
_VALUES = ("regression, vector", "regression, one value")
_BY_NAME = (
    (r"sparse|confusion|kappa|perplex|top_?(k|two|\d)|mean_iou|class_?ids?", _CLASSES),
    (r"retriev|embedding|nearest|neighbou?r|r_precision", ("embeddings with class ids",)),
    (r"psnr|ssim|image_quality", ("images", "large grey images")),
    (r"hinge", ("signs",)),
    (r"coverage|interval", ("mean and log-variance", "regression, vector")),
    (r"poisson|msle|logarithmic", ("positive regression",)),
    (r"dice|iou|jaccard|mask|segment|lesion|panoptic|surface|haus?dorff|boundary|froc", _MASKS),
    (r"categorical|multi_?class", _ONE_HOT),
    (
        r"binary|bce|brier|auc|precision|recall|specific|sensitiv|positive|negative|f1|f_?beta|f_?score|calibration|roc|hits",
        _BINARY,
    ),
    (
        r"mse|mae|rmse|rms|square|absolute|error|regress|cosh|pinball|quantile|cosine|r2|correlation|pearson|median|spread|bias",
        _VALUES,
    ),
)
# What the text of a metric does with its inputs, where the name says nothing.
_BY_TEXT = (
    (r"arg_?max|one_hot", _CLASSES),
    (r"axis=\(1, ?2", _MASKS),
    (r"round\(|> ?(self\.)?(0?\.\d|thresh)", _BINARY),
    (r"abs\(|square\(", _VALUES),
)
_CLASS_ARGUMENT = re.compile(r"(num|n)_?(_?of)?_?(classes|labels)|classes")


def ordered(subject: Subject | SourceSubject) -> list[Archetype]:
    """All archetypes, the most telling for this metric first, with as many classes as it was told of."""
    text = _source(subject)
    first = [*telling_inputs(text), *names_by_pattern(_BY_NAME, name_words(subject)), *names_by_pattern(_BY_TEXT, text)]
    classes = _number_of_classes(subject)
    if classes is not None and not any(name in _CLASSES for name in first):
        first = [*(_CLASSES if classes > 1 else _BINARY), *first]
    found = ranked(PAIRS, first)
    return found if classes is None or classes < 2 else [_with_classes(pair, classes) for pair in found]


def _source(subject):
    """The text of a function, or of a class and the bases that it has outside of Keras."""
    if subject.is_function:
        classes = [subject.component]
    else:
        classes = [cls for cls in subject.cls.__mro__ if cls.__module__.partition(".")[0] not in ("keras", "builtins")]
    texts = []
    for cls in classes:
        with contextlib.suppress(OSError, TypeError):
            texts.append(inspect.getsource(cls))
    return "\n".join(texts)


def _number_of_classes(subject):
    """The value of an argument such as `num_classes`, None if there is none."""
    given = dict(subject.init)
    if subject.cls is not None:
        component = subject.component
        try:
            component = component if subject.is_instance else subject.make()
            given = {**component.get_config(), **{key: value for key, value in vars(component).items()}, **given}
        except Exception:
            pass
    for name, value in given.items():
        if _CLASS_ARGUMENT.fullmatch(name) and isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1000:
            return value
    return None


def _with_classes(pair, classes):
    """The same inputs with another number of classes."""
    y_true, y_pred = pair.specs["y_true"], pair.specs["y_pred"]
    if (
        "class ids" not in pair.name
        and "sparse" not in pair.name
        and "one-hot" not in pair.name
        and "of both" not in pair.name
    ):
        return pair
    if y_pred.domain and y_pred.domain[0] == "integers":
        y_pred = y_pred._replace(domain=("integers", 0, classes - 1))
    elif "embeddings" not in pair.name:
        y_pred = y_pred._replace(shape=(*y_pred.shape[:-1], classes))
    if y_true.domain == ("onehot",):
        y_true = y_true._replace(shape=(*y_true.shape[:-1], classes))
    elif y_true.domain:
        y_true = y_true._replace(domain=("integers", 0, classes - 1))
    return pair._replace(specs={"y_true": y_true, "y_pred": y_pred})
