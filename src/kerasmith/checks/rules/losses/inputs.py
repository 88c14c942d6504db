"""The inputs that a loss is tried on when none are declared, the ones that its name and text speak of first."""

import inspect
import re

from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness.archetypes import PAIRS, Archetype, name_words, names_by_pattern, pair, ranked
from kerasmith.checks.harness.shape_words import telling_inputs

_MORE = (
    pair("binary mask, 2-D, logits", "float32[4,8,8,1]{0,1}", "float32[4,8,8,1](-4,4)"),
    pair("one-hot mask, 2-D, logits", "float32[4,8,8,3]onehot", "float32[4,8,8,3](-4,4)"),
    pair("sparse mask, 2-D, logits", "int32[4,8,8]{0,2}", "float32[4,8,8,3](-4,4)"),
    pair("sequence of class ids, logits", "int32[4,12]{0,4}", "float32[4,12,5](-4,4)"),
    pair("sequence of one-hot classes, logits", "float32[4,12,5]onehot", "float32[4,12,5](-4,4)"),
    pair("rows of embeddings", "float32[4,1](0,1)", "float32[4,3,8](-1,1)"),
    pair("rate and exposure", "float32[8,2](0.1,3)", "float32[8,1](0.1,3)"),
    pair("pairs of values", "float32[8,3,2]{0,1}", "float32[8,3,2](0,1)"),
    pair("letters of a text", "int32[4,3]{1,4}", "float32[4,8,6](-3,3)"),
)

# Integer predictions are for metrics: nothing can be differentiated by them.
ALL = tuple(one for one in PAIRS if one.specs["y_pred"].dtype.startswith("float")) + _MORE

_IDS = r"sparse|class_?ids?|ordinal"
_BY_NAME = (
    (_IDS, ("class ids", "class ids in a column", "sparse mask, 2-D", "sequence of class ids")),
    (r"contrastive|siamese", ("distances of pairs",)),
    (r"triplet|embedding|nt_?xent|sup_?con|arc_?face|multi_?similarity|circle|n_?pair", ("embeddings with class ids",)),
    (r"ssim|perceptual|psnr|variation|style|image", ("images", "large grey images")),
    (r"hinge|wasserstein|critic", ("signs",)),
    (r"gauss|nll|likelihood|evidential", ("mean and log-variance", "regression, vector")),
    (r"poisson|msle|logarithmic", ("positive regression",)),
    (r"dice|iou|jaccard|tversky|mask|segment|lovasz|boundary|hausdorff|lesion|pixel|brier", ("binary mask, 2-D",)),
    (r"ctc|transcri", ("letters of a text",)),
    (r"categorical|multi_?class|kl_?div|kullback", ("one-hot classes", "one-hot mask, 2-D")),
    (r"binary|bce|multi_?label", ("binary, one probability", "binary mask, 2-D")),
    (
        r"mse|mae|rmse|squared?|absolute|huber|regress|cosh|charbonnier|pinball|quantile|cosine|center|penal|error|r2",
        ("regression, vector", "regression, one value"),
    ),
)
_LOGITS = ("binary, one logit", "binary mask, 2-D, logits", "logits of classes", "class ids against logits")
_LOGITS_OF_CLASSES = ("logits of classes", "class ids against logits", "one-hot mask, 2-D, logits")


def ordered(subject: Subject | SourceSubject) -> list[Archetype]:
    """All archetypes, the most telling for this loss first."""
    words, text = name_words(subject), _text(subject)
    axes = telling_inputs(text)
    first = [*axes, *names_by_pattern(_BY_NAME, words)]
    if _takes_logits(subject, text):
        # What the name and the axes say, in the domain that the arguments say.
        by_class = re.search(_IDS, words) or (
            re.search(r"softmax|logsumexp", text) and not re.search(r"sigmoid|softplus", text)
        )
        usual = _LOGITS[::-1] if re.search(_IDS, words) else _LOGITS_OF_CLASSES if by_class else _LOGITS
        first = [*(f"{name}, logits" for name in axes), *usual, *first]
    if re.search(r"\[:, ?0\]", text) and re.search(r"\[:, ?1\]", text):
        first.insert(0, "rows of embeddings")
    return ranked(ALL, first)


def _text(subject):
    """The source of the class or function, "" where there is none to read."""
    try:
        return subject.source()[0]
    except NotApplicable:
        return ""


def _takes_logits(subject, text):
    """Whether the loss was told, or does, what is done to logits: `from_logits=True`, or a sigmoid of `y_pred`."""
    given = subject.init.get("from_logits")
    if given is None and subject.is_instance:
        from kerasmith.keras_internals.compiled import function_arguments

        held = function_arguments(subject.component)
        given = getattr(subject.component, "from_logits", held.get("from_logits"))
    if given is None and not subject.is_instance:
        given = _default(subject.component if subject.is_function else subject.cls, "from_logits")
    if given is not None:
        return bool(given)
    return bool(re.search(r"\b(sigmoid|softmax|log_softmax|logsumexp|softplus)\(\s*(y_pred|pred|logits|y)\b", text))


def _default(thing, name):
    """The default of a parameter, None if there is no such parameter."""
    try:
        parameter = inspect.signature(thing).parameters.get(name)
    except (ValueError, TypeError):
        return None
    return None if parameter is None or parameter.default is parameter.empty else parameter.default
