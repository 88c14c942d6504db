"""A loss made of named terms, each of which sees whatever it needs."""

import weakref
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, DType, Tensor
from kerasmith.base import register
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.distribution import cross_replica_sum, global_value, local_share_of_mean
from kerasmith.multitask.balancer import Balancer
from kerasmith.objectives.judged_outputs import judged_outputs
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.objectives.task_gradients import gradient_correction, gram_matrix
from kerasmith.objectives.term import Term
from kerasmith.objectives.term_columns import columns_of, quantity_columns
from kerasmith.objectives.term_weight import Constant


@register
class Objective(KnowsKeywords, keras.layers.Layer):
    """What a `kerasmith.Model` minimises: a weighted sum of named terms, each shown on its own.

    total = sum_k weight_k * term_k + the model's own losses (regularisers, `add_loss`)

    The columns `loss` (the total), `<term>` (without its weight) and `<term>_weight` (where it is not constant) appear in the
    progress bar, the history, TensorBoard and the run report, and with `val_` in front. Nothing is computed twice.

    Args:
        terms: dict {name: term} or list of terms. A term is a `Term`, a loss object, the name of a Keras loss, or a function
            of what it needs (see `Term`). In a list, term i belongs to output i if the model has as many outputs in a
            list as there are terms.
        weights: one weight for each term, a list, or a dict {name: weight}; see `Term`.
        balance: a strategy of `kerasmith.multitask`: `DWA()`, `GradNorm()`, `GradientBalance()` or
            `GradientSurgery("pcgrad")`.
        name: name of the layer that holds the state.
        dtype: dtype of the learned weights; float32 by default.

    Weights of samples (`sample_weight`, `class_weight`) reach losses, and functions with one value per sample or finer, as in
    `kerasmith.base.Loss`: sum(w * l) / B by default. With several outputs each term takes the weights of its own. A scalar is
    not weighed.

    Raises:
        ValueError: for two terms of one name, another number of weights than terms, a name that Keras itself uses.
        TypeError: if it is given to a plain `keras.Model`, which would neither track nor save it.

    Example:

    >>> from keras import ops
    >>> from kerasmith import Model, Objective, Term
    >>> inputs = keras.Input((3,))
    >>> model = Model(inputs, keras.layers.Dense(3)(inputs))
    >>> def smooth(x, y_pred):
    ...     return ops.mean(ops.abs(y_pred - x), axis=-1)
    >>> fade = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])
    >>> model.compile("sgd", Objective({"fit": "mse", "smooth": Term(smooth, weight=fade)}))
    >>> x = ops.ones((4, 3))
    >>> sorted(model.fit(x, x, verbose=0).history)
    ['fit', 'loss', 'smooth', 'smooth_weight']
    """

    def __init__(
        self,
        terms: Any,
        weights: Sequence[Any] | dict[str, Any] | None = None,
        *,
        balance: Balancer | None = None,
        name: str = "objective",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "float32")
        given = _named_parts(terms)
        self.quantities = [part for part in given if isinstance(part, Quantity)]
        self.terms = _weighted([part for part in given if isinstance(part, Term)], weights)
        for term in self.terms:
            term.join(self.terms, self.quantities)
        for quantity in self.quantities:
            quantity.join(self.terms)
        self.balance = _checked_balance(balance, self.terms)
        # A term may be a layer itself, such as a pretrained backbone: its weights belong to the step.
        parts = [part for term in self.terms for part in (term.fn, term.memory)]
        self.term_layers = [part for part in parts if isinstance(part, keras.layers.Layer)]
        self._owner = None

    def build(self) -> None:
        """Creates the step counter, learned weights, the balancer's state and the columns."""
        for layer in self.term_layers:
            if not layer.built and type(layer).build is not keras.layers.Layer.build:
                raise ValueError(
                    f"A layer that is a term must have its weights before training begins. "
                    f"Write `{layer.name}.build(...)` first. Received: {layer!r}"
                )
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="step", aggregation="only_first_replica"
        )
        for term in self.terms:
            term.factor.build(self.add_weight, term.name)
        for quantity in self.quantities:
            quantity.build(self.add_weight)
        if self.balance is not None:
            self.balance.build(self)
        self.columns = columns_of(self.terms, self.balance)
        self.quantity_columns = quantity_columns(self.quantities, self.columns)
        parts = [tracker for column in self.columns for tracker in column.trackers]
        self.trackers = [*parts, *self.quantity_columns]
        self.built = True

    @property
    def metrics(self) -> list[Any]:
        """Empty: the model that trains on this shows the columns, and no other that has it as a part."""
        return []

    def bind(self, model: keras.Model) -> None:
        """Binds this objective to the model that is compiled with it."""
        owner = self._owner() if self._owner is not None else None
        if owner is not None and owner is not model:
            raise ValueError(
                "An objective holds the state of one model, and this one belongs to another. Write "
                "`Objective.from_config(objective.get_config())` for a fresh one."
            )
        object.__setattr__(self, "_owner", weakref.ref(model))
        if not self.built:
            self.build()

    def compute(self, inputs: StepInputs) -> tuple[Tensor, list[Tensor]]:
        """This replica's part of the sum of the weighted terms, and the weighted terms.

        Args:
            inputs: the `StepInputs` of the step.

        Returns:
            (total, list of K weighted terms), scalars. Updates columns and, in training, the step and the balancer.
        """
        shares = [term.share(inputs) for term in self.terms]
        values = [global_value(share) for share in shares]
        samples = cross_replica_sum(ops.cast(ops.shape(inputs.batch)[0], "float32"))
        for quantity, column in zip(self.quantities, self.quantity_columns, strict=True):
            column.update_state(ops.stop_gradient(quantity.value), sample_weight=samples)
        if self.balance is not None and inputs.training:
            # Keras resets the columns when an epoch begins.
            is_first = ops.equal(ops.convert_to_tensor(self.columns[0].value.count), 0)
            stacked = ops.stack([ops.cast(value, "float32") for value in values])
            self.balance.update_from_losses(stacked, samples, is_first)
        factors = None if self.balance is None else self.balance.factors()
        weighted, penalties = [], []
        for k, (term, share) in enumerate(zip(self.terms, shares, strict=True)):
            weight, penalty = term.factor(inputs.step)
            weight = weight if factors is None else weight * factors[k]
            self.columns[k].update(values[k], weight, samples)
            weighted.append(_times(weight, share))
            if penalty is not None:
                penalties.append(local_share_of_mean(penalty, inputs.batch))
        if inputs.training:
            self.step.assign(self.step + 1)
        total = weighted[0]
        for part in (*weighted[1:], *penalties):
            total = total + ops.cast(part, total.dtype)
        return total, weighted

    def update_from_gradients(self, gradients: list[list[Tensor]], tensors: list[Tensor]) -> Tensor:
        """Lets the balancer see the gradients of the weighted terms by the shared tensors.

        Returns:
            A scalar that is 0 and whose gradient corrects that of the total at `tensors`.
        """
        coefficients = self.balance.update_from_gradients(gram_matrix(gradients))
        return ops.zeros(()) if coefficients is None else gradient_correction(coefficients, gradients, tensors)

    def judged_outputs(self, model: keras.Model, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        """The losses among the terms, each with the output and labels that it reads (since 0.2).

        Args:
            model: what trains on this objective.
            x, y, y_pred, sample_weight: tensors of one batch.
        """
        names = tuple(getattr(model, "output_names", None) or ())
        return list(judged_outputs(self.terms, StepInputs(x, y, y_pred, sample_weight, {}, model, False, 0, names)))

    def attach(self, model: keras.Model, optimizer: Any = None, **compile_arguments: Any) -> Any:
        """A compiled `kerasmith.Model` that shares all layers and weights with an existing Keras model.

        Args:
            model: any `keras.Model`: functional, Sequential or subclassed.
            optimizer: that of `model` by default, else "rmsprop".
            **compile_arguments: see `keras.Model.compile`.
        """
        # By its registered name: the file of `Model` imports this one.
        attached = keras.saving.get_registered_object("kerasmith>Model").from_keras(model)
        attached.compile(optimizer or getattr(model, "optimizer", None) or "rmsprop", self, **compile_arguments)
        return attached

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "An Objective trains a kerasmith.Model, which hands it all that its terms need, tracks its state and saves it. "
            "Write `model = kerasmith.Model(inputs, outputs)` instead of keras.Model, or, for a model that exists, "
            "`model = objective.attach(model)`."
        )

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            "terms": [serialize(part) for part in (*self.terms, *self.quantities)],
            "balance": None if self.balance is None else serialize(self.balance),
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: Config) -> "Objective":
        restore = keras.saving.deserialize_keras_object
        balance = config["balance"]
        return cls(
            [restore(term) for term in config["terms"]],
            balance=None if balance is None else restore(balance),
            name=config["name"],
            dtype=config["dtype"],
        )


def _times(weight, share):
    # A Python number has no dtype: cast, it would pass through float32.
    if not isinstance(weight, float):
        return share * ops.cast(weight, share.dtype)
    return share if weight == 1.0 else share * weight


def _named_parts(terms):
    """A list of `Term`s and `Quantity`s with names that differ."""
    if isinstance(terms, dict):
        named = [_term(given, name=name) for name, given in terms.items()]
    elif isinstance(terms, (list, tuple)):
        named = [_term(given, position=i) for i, given in enumerate(terms)]
    else:
        raise TypeError(f"`terms` must be a dict {{name: term}} or a list of terms. Received: terms={terms!r}")
    if not any(isinstance(part, Term) for part in named):
        raise ValueError("An objective needs at least one term, e.g. Objective({'fit': 'mse'}). Received: none")
    names = [term.name for term in named]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"Two terms are named {name!r}, and one column would overwrite the other. Give them names: "
                f"Objective({{{name + '_1'!r}: ..., {name + '_2'!r}: ...}})."
            )
    return named


def _weighted(named, weights):
    """The terms with what `weights` says of them."""
    names = [term.name for term in named]
    if weights is None:
        return named
    if isinstance(weights, dict):
        unknown = sorted(set(weights) - set(names))
        if unknown:
            raise ValueError(f"`weights` names {unknown[0]!r}, but the terms are: {', '.join(names)}")
        weights = [weights.get(name) for name in names]
    if not isinstance(weights, (list, tuple)) or len(weights) != len(named):
        raise ValueError(f"`weights` must hold one weight for each of the {len(named)} terms. Received: weights={weights!r}")
    return [term.under(position=term.position, weight=weight) for term, weight in zip(named, weights, strict=True)]


def _term(given, name=None, position=None):
    if isinstance(given, Objective):
        raise TypeError(f"An objective is the whole loss and no term of another. Put all terms into one. Received: {given!r}")
    if isinstance(given, Quantity):
        if name is None and not given.is_named:
            raise ValueError(f"Give it the name that terms ask for. Received: {given!r} without a name")
        named = given if name is None else given.under(name)
        if name is not None and named.name != name:
            raise ValueError(f"The term {name!r} has another name, {named.name!r}. Leave one of them out.")
        return named
    term = given if isinstance(given, Term) else Term(given, name=name)
    if name is not None and term.is_named and term.name != name:
        raise ValueError(f"The term {name!r} has another name, {term.name!r}. Leave one of them out.")
    return term.under(name=name, position=term.position if position is None else position)


def _checked_balance(balance, terms):
    if balance is None:
        return None
    if not isinstance(balance, Balancer):
        raise TypeError(f"`balance` must be a strategy of kerasmith.multitask, such as DWA(). Received: balance={balance!r}")
    learned = [term.name for term in terms if not isinstance(term.factor, Constant)]
    if learned:
        raise ValueError(
            f"`balance` sets the weights of the terms, so that of {learned[0]!r} must be a number. "
            f"Received: weight={next(t.weight for t in terms if t.name == learned[0])!r}"
        )
    return balance
