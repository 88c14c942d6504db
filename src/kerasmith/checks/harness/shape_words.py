"""What the text of a loss or metric says of the axes of its inputs: `(batch, height, width, classes)`, `axis=(1, 2)`."""

import re

_SHAPE = re.compile(r"[(\[]\s*((?:batch(?:[_ ]size)?|bs|b|n|none|samples)\s*(?:,\s*[\w* ]+){1,5}?),?\s*[)\]]", re.IGNORECASE)
_CLASS = re.compile(r"(n_?|num_?|nb_?)?(class(es)?|categor(y|ies)|labels|vocab(ulary)?(_?size)?|c|k)", re.IGNORECASE)
# Axes of the arrays themselves, not of the weights: the mean over two axes behind the batch leaves none of an image's.
_TWO_AXES = re.compile(r"axis\s*=\s*[(\[]\s*1\s*,\s*2\s*[)\]]")
_BY_CLASS = re.compile(r"arg_?max|softmax|logsumexp|one_?hot", re.IGNORECASE)


def named_axes(text: str) -> tuple[str, ...]:
    """The longest shape that a comment or docstring writes in words, its batch axis first; () where there is none.

    >>> named_axes("y_pred: (batch, height, width, classes), raw logits; y_true: [batch, height, width]")
    ('batch', 'height', 'width', 'classes')
    """
    found = [tuple(word.strip().lower() for word in match.split(",")) for match in _SHAPE.findall(text)]
    return max(found, key=len, default=())


def telling_inputs(text: str) -> list[str]:
    """The names of the archetypes that the axes in a text speak of, [] where they say nothing beyond (batch, features).

    >>> telling_inputs("labels (B, T), logits (B, T, vocab)")[0]
    'sequence of class ids'
    """
    axes = named_axes(text)
    rank = len(axes) or (4 if _TWO_AXES.search(text) and _BY_CLASS.search(text) else 0)
    if rank not in (3, 4):
        return []
    classes = _BY_CLASS.search(text) is not None or (bool(axes) and _CLASS.fullmatch(axes[-1]) is not None and axes[-1] != "c")
    if not classes:
        return ["binary mask, 2-D", "images"] if rank == 4 else ["sequence of values", "binary mask, 2-D, without channel"]
    kinds = (
        ["sparse mask, 2-D", "one-hot mask, 2-D"] if rank == 4 else ["sequence of class ids", "sequence of one-hot classes"]
    )
    return kinds[::-1] if re.search(r"one[-_ ]?hot|arg_?max\(\s*y_true", text, re.IGNORECASE) else kinds
