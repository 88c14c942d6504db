"""One named part of an objective."""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from kerasmith._types import Config, Reduction, Tensor
from kerasmith.base import Configured, KerasLoss, Loss, register
from kerasmith.base.arguments import check_choice
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.reduction import REDUCTIONS, reduce_samples
from kerasmith.base.saved_function import register_function, why_not_savable
from kerasmith.base.weights import split_sample_weight
from kerasmith.distribution import local_share_of_mean
from kerasmith.keras_internals.tensors import keras_mask
from kerasmith.numerics.tensors import accumulation_dtype, static_shape
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.step_inputs import NAMES, StepInputs
from kerasmith.objectives.term_columns import check_name
from kerasmith.objectives.term_weight import weight_of

_FUNCTION_REDUCTIONS = tuple(r for r in REDUCTIONS if r not in ("none", None))


@register
class Term(Configured):
    """One named, weighted part of an `Objective`.

    Args:
        fn: what is computed, one of
            - a loss: an object of `kerasmith.losses` or `keras.losses`, or a name that Keras knows, such as "mse". It gets
              labels, predictions and sample weights of one output;
            - a function that names what it needs among x, y (or y_true), y_pred, sample_weight, features, model, training and
              step, and returns one value per sample or finer, (B, ...), or a scalar.
        weight: the factor: a finite number; a function of the step, such as a
            `keras.optimizers.schedules.LearningRateSchedule`; or "learned" (see `multitask.Uncertainty`).
        name: the column in the progress bar and the history. The key of the objective's dict by default, or the name of `fn`.
        output: key or position of the output, where the model has several: the same key is taken of `y`, `y_pred` and
            `sample_weight`. By default the output that has the name of the term.
        reduction: of a function's values, see `kerasmith.base.Loss`; a loss brings its own.
        fixed: dict of further arguments for a function. They are saved.
        memory: a `layers.EmbeddingMemory`, for a loss on embeddings: anchors are compared with past batches too (since 0.2).

    As in Keras, a function gets half-precision predictions and features in float32, and labels with the rank of the
    predictions where only a trailing 1 is between them.
    Values (B, ...) of a function are weighed with `sample_weight` and the mask of `y_pred` like a loss. A function that asks
    for `sample_weight` itself, or returns a scalar, is taken as it is.

    Raises:
        ValueError: for an argument of `fn` that is none of these names, a weight that is not finite, a loss without reduction.
        TypeError: if `fn` cannot be called, or a weight is of another kind.

    Example:

    >>> from keras import ops
    >>> def smooth(x, y_pred):
    ...     return ops.mean(ops.abs(y_pred - x), axis=-1)
    >>> term = Term(smooth, weight=0.1)
    >>> term.name
    'smooth'
    """

    # Whether the term needs derivatives of the model by its inputs.
    differentiates: ClassVar[bool] = False
    # Names of quantities that it may ask for, among others.
    takes: tuple[str, ...] = ()

    def __init__(
        self,
        fn: Any,
        weight: Any = 1.0,
        name: str | None = None,
        *,
        output: str | int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        fixed: dict[str, Any] | None = None,
        memory: Any = None,
    ) -> None:
        self._prepare(fn, weight, name, output=output, reduction=reduction, fixed=fixed)
        self.loss = _as_loss(fn, self.fixed)
        if memory is not None and not (hasattr(memory, "references") and hasattr(self.loss, "against")):
            raise TypeError(
                "`memory` is a `layers.EmbeddingMemory` beside a loss on embeddings, such as Term(Triplet(), "
                f"memory=EmbeddingMemory(4096, 128)). Received: fn={fn!r}, memory={memory!r}"
            )
        self.memory = memory
        self.asks = () if self.loss is not None else _names_asked(fn, self.fixed)
        labels = [key for key in self.asks if key in ("y", "y_true")]
        self._needs_labels = any(_parameters(fn)[key].default is inspect.Parameter.empty for key in labels)
        self.name = name or _name_of(fn, self.loss)

    def _prepare(self, fn, weight, name, *, output=None, reduction="sum_over_batch_size", fixed=None):
        """What every kind of term keeps."""
        check_choice("reduction", reduction, _FUNCTION_REDUCTIONS)
        if isinstance(output, bool) or not isinstance(output, (str, int, type(None))):
            raise TypeError(f"`output` must be a key or a position. Received: output={output!r}")
        self.fn = fn
        self.weight = weight
        self.output = output
        self.reduction = reduction
        if not isinstance(fixed, (dict, type(None))):
            raise TypeError(f"`fixed` must be a dict {{argument: value}}. Received: fixed={fixed!r}")
        self.fixed = dict(fixed or {})
        self.position = None
        self.loss = self.memory = None
        self.asks = ()
        self.factor = weight_of(weight)
        check_name(name)
        self.is_named = name is not None
        self.name = name or _name_of(fn, None)
        for part in (fn, weight):
            register_function(part)

    def get_config(self) -> Config:
        for part in (self.fn, self.weight):
            reason = why_not_savable(part) if callable(part) else None
            if reason is not None:
                raise ValueError(
                    f"{reason}. Write a named function, its values as arguments, and register it:\n"
                    '    @keras.saving.register_keras_serializable("my_package")\n'
                    "    def my_term(y, y_pred, factor): ...\n"
                    "    Term(my_term, fixed={'factor': 0.1})"
                )
        config = super().get_config()
        if isinstance(self.fn, keras.losses.Loss) and not isinstance(self.fn, Loss):
            # Losses of Keras forget arguments such as the delta of `Huber`; what wraps them does not.
            config["fn"] = keras.saving.serialize_keras_object(self.loss)
        return config

    def under(self, name: str | None = None, position: int | None = None, weight: Any = None) -> "Term":
        """This term with another name, position in a list, or weight."""
        given = {**self._constructor_arguments, "name": name or (self.name if self.is_named else None)}
        if weight is not None:
            given["weight"] = weight
        term = type(self)(**given)
        term.position = position
        return term

    def join(self, terms: "Sequence[Term]", quantities: Sequence[Quantity]) -> None:
        """Called once, with all terms and quantities of the objective that this is a term of."""

    def share(self, inputs: StepInputs) -> Tensor:
        """This replica's part of the reduced term, a scalar in the dtype of sums."""
        if self.loss is not None:
            read = inputs.of_all_outputs if takes_all_outputs(self.loss) else inputs.of_output
            y, y_pred, weight = read(self.output, self.name, self.position)
            self._require_labels(y)
            value = self.loss(y, y_pred, weight) if self.memory is None else self._remembered(y, y_pred, weight, inputs)
            return ops.cast(value, accumulation_dtype(value.dtype))
        values = self._values(inputs)
        if values is None or isinstance(values, (dict, list, tuple)):
            raise TypeError(
                f"The term {self.name!r} must return one tensor: one value a sample, (batch, ...), or a scalar. "
                f"It returned {'nothing' if values is None else f'a {type(values).__name__}'}."
            )
        values = ops.convert_to_tensor(values)
        values = ops.cast(values, accumulation_dtype(values.dtype))
        shape, batch = static_shape(values, f"the result of {self.name}"), inputs.batch
        if shape == ():
            return local_share_of_mean(values, batch)
        if None not in (shape[0], batch.shape[0]) and shape[0] != batch.shape[0]:
            raise ValueError(
                f"The term {self.name!r} must return one value a sample, ({batch.shape[0]}, ...), or a scalar. It returned "
                f"shape {shape}: take means over the last axes only, and mind shapes that broadcast."
            )
        weights = self._weights(values, shape, inputs)
        per_sample, weight_mean = per_sample_mean(values, weights)
        return reduce_samples(
            per_sample, self.reduction, weight=weights.sample, weight_mean=weight_mean, valid=weights.valid_sample
        )

    def _values(self, inputs: StepInputs) -> Tensor:
        """What the function gives for the inputs that it asks for: (B, ...) or a scalar."""
        if inputs.y is None and self._needs_labels:
            self._require_labels(None)
        given = {name: inputs[name] for name in self.asks}
        if "y_pred" in given:
            given.update({name: inputs.y_like_y_pred for name in ("y", "y_true") if name in given})
        return self.fn(**given, **self.fixed)

    def _remembered(self, y, y_pred, weight, inputs):
        value = self.loss.against(y, y_pred, *self.memory.references(), sample_weight=weight)
        if inputs.training:
            self.memory.add(y, y_pred)
        return value

    def _weights(self, values, shape, inputs):
        mask = keras_mask(inputs.y_pred) if "y_pred" in self.asks else None
        if mask is not None and len(mask.shape) > len(shape):
            mask = None  # the function has taken the mean over what the mask speaks of
        given = None
        if "sample_weight" not in self.asks and inputs.sample_weight is not None:
            given = inputs.weight_of(self.output, self.name, self.position)
        # Weights of places weigh all that the function returns at one place.
        rank = max([1, *(len(w.shape) for w in (given, mask) if w is not None)])
        return split_sample_weight(given, mask, shape[:rank], values.dtype)

    def _require_labels(self, y):
        if y is None:
            raise ValueError(
                f"The term {self.name!r} needs labels, but no `y` was given. Pass `y` to fit, or write a function that does "
                "not ask for it, or can do without, `def term(y_pred, y=None)`."
            )


def takes_all_outputs(loss: Any) -> bool:
    """Whether a loss, or one in a sum of losses, reads a list of outputs with one array of labels, as `DeepSupervision`."""
    return getattr(loss, "takes_all_outputs", False) or any(takes_all_outputs(part) for part in getattr(loss, "losses", ()))


def _as_loss(fn, fixed):
    """The loss that `fn` stands for, or None for a function of named arguments."""
    is_kerass = inspect.isfunction(fn) and getattr(keras.losses, fn.__name__, None) is fn
    if not isinstance(fn, (str, keras.losses.Loss)) and not is_kerass:
        return None
    if isinstance(fn, str) and not _is_known(fn):
        raise ValueError(
            "Keras knows no loss of this name. Write one of `keras.losses`, such as 'mse', or the loss itself. "
            f"Received: {fn!r}"
        )
    loss = fn if isinstance(fn, Loss) else KerasLoss(fn)
    if loss.reduction in ("none", None):
        raise ValueError(f"A term must be one number. Give {loss.name!r} a reduction, or leave `reduction` out.")
    if fixed:
        raise ValueError(f"`fixed` are arguments for a function; a loss has its own. Received: fixed={fixed!r}")
    return loss


def _is_known(name):
    try:
        return keras.losses.get(name) is not None
    except ValueError:
        return False


def _parameters(fn):
    """The parameters of a function, or of a layer's `call`."""
    return inspect.signature(fn.call if isinstance(fn, keras.layers.Layer) else fn).parameters


def _names_asked(fn, fixed):
    """The names among `NAMES` that a function takes; raises for others that have no default."""
    if inspect.isclass(fn):
        raise TypeError(f"A term is an object, not a class. Write `{fn.__name__}(...)`. Received: {fn!r}")
    if not callable(fn) or isinstance(fn, keras.metrics.Metric):
        raise TypeError(f"A term is a loss, the name of one, or a function. Received: {fn!r} of type {type(fn).__name__}")
    kinds = inspect.Parameter
    parameters = _parameters(fn)
    named = {key: p for key, p in parameters.items() if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    what = getattr(fn, "__name__", type(fn).__name__)
    unnamed = [p.name for p in parameters.values() if p.kind is kinds.POSITIONAL_ONLY and p.default is p.empty]
    unknown = [*unnamed, *(k for k, p in named.items() if p.default is p.empty and k not in NAMES and k not in fixed)]
    if unknown:
        raise ValueError(
            f"`{what}` asks for {', '.join(map(repr, unknown))}, which an objective does not know. It knows: "
            f"{', '.join(NAMES)}. Other values go through `fixed`: Term({what}, fixed={{{unknown[0]!r}: ...}})."
        )
    excess = [key for key in fixed if key not in named and not any(p.kind is kinds.VAR_KEYWORD for p in parameters.values())]
    if excess:
        raise ValueError(f"`{what}` has no argument {excess[0]!r}. Its arguments are: {', '.join(named) or 'none'}")
    asked = tuple(key for key in named if key in NAMES and key not in fixed)
    if not asked and any(p.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for p in parameters.values()):
        raise ValueError(
            f"`{what}` takes anything, so an objective cannot tell what it needs. Name it: `def term(y, y_pred): ...`. "
            f"There is: {', '.join(NAMES)}"
        )
    return asked


def _name_of(fn, loss):
    if loss is not None:
        return loss.name
    name = getattr(fn, "__name__", None) or getattr(fn, "name", None) or type(fn).__name__
    return "term" if name == "<lambda>" else name
