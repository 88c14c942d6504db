"""What makes a Keras model train on an `Objective`, whatever kind of model it is."""

import contextlib
from typing import Any

import keras
from keras import ops, tree

from kerasmith._types import Config, Tensor, Tensors
from kerasmith.base.loss_columns import LossColumns
from kerasmith.distribution import display_global_value
from kerasmith.distribution.exchange import rows_of_all
from kerasmith.files.messages import warn
from kerasmith.keras_internals.compiled import forget_loss, metrics_given
from kerasmith.keras_internals.layers import added_loss, all_layers, replace_tracked
from kerasmith.keras_internals.surviving_variables import SurvivingVariables
from kerasmith.objectives import task_gradients
from kerasmith.objectives.input_gradients import derived_by_inputs
from kerasmith.objectives.objective import Objective
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.shared_weight import SharesSampleWeight, one_object
from kerasmith.objectives.step_inputs import StepInputs, as_tensors
from kerasmith.objectives.step_record import current, recording, take_features
from kerasmith.objectives.tap import taps_of
from kerasmith.objectives.term import Term, takes_all_outputs
from kerasmith.objectives.term_columns import refuse_clashes
from kerasmith.objectives.weight_transfer import TransfersWeights


class TrainsOnObjective(SharesSampleWeight, TransfersWeights, SurvivingVariables):
    """Mixin for `keras.Model`: `compile(loss=Objective(...))`, and losses that cannot get lost."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """As `keras.Model.compile`; `loss` may also be an `Objective`, or a dict or list in which a `Term` occurs.

        The terms of a composite loss, such as `0.3 * Dice() + Focal()`, are columns of the progress bar and the history.

        Raises:
            ValueError: for a list of losses on one output, of which Keras would train only the first; for `loss_weights`
                beside an objective; for a term with the name of a metric.
        """
        parts = [] if isinstance(loss, Objective) else tree.flatten(loss)
        if any(isinstance(part, (Term, Quantity, Objective)) or takes_all_outputs(part) for part in parts):
            loss = Objective(loss if tree.is_nested(loss) else [loss])
        objective = loss if isinstance(loss, Objective) else None
        if objective is not None:
            if loss_weights is not None:
                raise ValueError("The terms of an objective bring their weights. Write `Objective(terms, weights=[...])`.")
            objective.bind(self)
            if self.built and not taps_of(self) and any("features" in term.asks for term in objective.terms):
                raise ValueError(
                    "A term asks for features, but the model has no Tap. Put one into the graph, "
                    "`x = kerasmith.Tap('hidden')(x)`, and read `features['hidden']`."
                )
            given = tree.flatten([metrics, weighted_metrics])
            refuse_clashes([t.name for t in objective.trackers], [getattr(m, "name", m) for m in given])
        else:
            _refuse_lost_losses(loss, getattr(self, "outputs", None) if self.built else None)
        replace_tracked(self, "objective", objective)
        forget_loss(self)
        super().compile(
            optimizer=optimizer,
            loss=None if objective is not None else loss,
            loss_weights=loss_weights,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            **kwargs,
        )
        self.loss_columns = None
        taken = [getattr(metric, "name", metric) for metric in [*metrics_given(self), *self.metrics]]
        columns = LossColumns(None if objective is not None else loss, getattr(self, "output_names", None), taken)
        self.loss_columns = columns if columns.trackers else None

    def compute_loss(
        self, x: Tensors = None, y: Tensors = None, y_pred: Tensor = None, sample_weight: Tensor = None, training: bool = True
    ) -> Tensor:
        """The total of the objective and of the model's own losses; see `keras.Model.compute_loss`."""
        objective = objective_of(self)
        if objective is None:
            _refuse_lost_losses(self.loss, tree.flatten(y_pred))
            columns = columns_of(self)
            with contextlib.nullcontext() if columns is None else columns.fed():
                return super().compute_loss(x, y, y_pred, sample_weight, training)
        # A second forward pass in a term would add to both.
        own = [added_loss(self, loss) for loss in self.losses]
        features = take_features(lambda: taps_of(self))
        if any("features" in term.asks for term in objective.terms):
            features.update(rows_of_all(dict(features)))
        step = _read_step(objective)
        names = tuple(getattr(self, "output_names", None) or ())
        one_weight = self.shares_sample_weight(training) or one_object(sample_weight)
        x, y, sample_weight = as_tensors(x), as_tensors(y), as_tensors(sample_weight)
        quantities = {quantity.name: quantity.value for quantity in objective.quantities}
        inputs = StepInputs(x, y, y_pred, sample_weight, features, self, training, step, names, one_weight, quantities)
        total, weighted = objective.compute(inputs)
        if training and _needs_gradients(self):
            tensors = [features[name] for name in _shared_taps(self)]
            if keras.backend.backend() == "jax":
                current().terms, current().tensors = ops.stack(weighted), tensors
            else:
                gradients = task_gradients.by_taps(weighted, tensors, current().tape)
                total = total + objective.update_from_gradients(gradients, tensors)
        if training and _needs_weight_gradients(self):
            if keras.backend.backend() == "jax":
                current().terms = ops.stack(weighted)
            else:
                variables = [self.trainable_variables[i] for i in _weights_of_layers(self)]
                found = task_gradients.by_weights(weighted, variables, current().tape, _computes_in_half(self))
                objective.balance.update_from_weight_gradients(found)
        total = display_global_value(total)
        for loss in own:
            total = total + ops.cast(loss, total.dtype)
        return total

    def train_step(self, *args: Any) -> Any:
        self._build_before(args[-1])
        needs = _needs_gradients(self) or _needs_weight_gradients(self)
        around = task_gradients.tape_around() if needs else contextlib.nullcontext()
        step = super().train_step
        with around as tape, recording(tape=tape):
            return (derived_by_inputs(step, True, bool(self.jit_compile)) if _differentiates(self) else step)(*args)

    def test_step(self, *args: Any) -> Any:
        self._build_before(args[-1])
        step = super().test_step
        with recording():
            return (derived_by_inputs(step, False, bool(self.jit_compile)) if _differentiates(self) else step)(*args)

    def compute_loss_and_updates(
        self,
        trainable_variables: list[Tensor],
        non_trainable_variables: list[Tensor],
        metrics_variables: list[Tensor],
        x: Tensors,
        y: Tensors,
        sample_weight: Tensor,
        training: bool = False,
        optimizer_variables: list[Tensor] | None = None,
    ) -> Any:
        """What JAX differentiates; see `keras.Model`."""

        def forward(trainable_variables=trainable_variables):
            state = trainable_variables, non_trainable_variables, metrics_variables
            return step(*state, x, y, sample_weight, training, optimizer_variables)

        step = super().compute_loss_and_updates
        if training and _needs_weight_gradients(self):
            return self._with_weight_gradients(forward, trainable_variables)
        if not training or not _needs_gradients(self):
            return forward()
        tensors, gradients, result = task_gradients.by_taps_jax(forward, _shared_taps(self))
        loss, (unscaled, y_pred, non_trainable_variables, metrics_variables) = result
        change, new = self._with_values(
            non_trainable_variables, lambda: self.objective.update_from_gradients(gradients, tensors)
        )
        with keras.StatelessScope(state_mapping=list(zip(self.optimizer.variables, optimizer_variables))):
            loss = loss + self.optimizer.scale_loss(change)
        return loss, (unscaled, y_pred, new, metrics_variables)

    def _with_weight_gradients(self, forward, trainable_variables):
        """A step on JAX, after which the balancer has seen the gradients of its terms."""
        chosen, half = _weights_of_layers(self), _computes_in_half(self)
        gradients = task_gradients.by_weights_jax(forward, trainable_variables, chosen, half)
        loss, (unscaled, y_pred, values, metrics_variables) = forward()
        _, new = self._with_values(values, lambda: self.objective.balance.update_from_weight_gradients(gradients))
        return loss, (unscaled, y_pred, new, metrics_variables)

    def _with_values(self, values, update):
        """What `update` returns where the variables that are not trained have these values, and theirs after it; JAX."""
        variables = self.non_trainable_variables
        with keras.StatelessScope(state_mapping=list(zip(variables, values))) as scope:
            result = update()
        return result, [scope.get_current_value(variable) for variable in variables]

    @property
    def variables(self) -> list[Any]:
        """As in Keras; those of the objective stand last, whether the layers were built before `compile` or after."""
        return _with_last(super().variables, objective_of(self), "variables")

    @property
    def weights(self) -> list[Any]:
        """As `variables`, without seeds."""
        return _with_last(super().weights, objective_of(self), "weights")

    @property
    def metrics(self) -> list[Any]:
        """As in Keras, and the columns of the objective or of the terms of a composite loss."""
        return [*super().metrics, *getattr(objective_of(self) or columns_of(self), "trackers", ())]

    def get_compile_config(self) -> Config:
        config = super().get_compile_config()
        objective = objective_of(self)
        if objective is None or not config:
            return config
        try:
            return {**config, "loss": keras.saving.serialize_keras_object(objective)}
        except ValueError as problem:
            warn(
                f"The model is saved, but without what it was compiled with: compile it again after loading. {problem}",
                stacklevel=2,
            )
            return {}

    def compile_from_config(self, config: Config) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def _build_before(self, data):
        """Builds what is not built yet: TensorFlow would do so inside the step, where taps would hear a scratch graph."""
        if keras.backend.backend() != "tensorflow" or all(layer.built for layer in all_layers(self)):
            return
        if objective_of(self) is not None:
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            self(tree.map_structure(_symbolic, x))


def objective_of(model: keras.Model) -> Objective | None:
    """The objective that a model was compiled with, or None."""
    # A class attribute would hide the layer on PyTorch, which keeps its modules elsewhere.
    return getattr(model, "objective", None)


def columns_of(model: keras.Model) -> LossColumns | None:
    """The columns of the composite losses that a model was compiled with, or None."""
    return getattr(model, "loss_columns", None)


def _with_last(found, objective, what):
    # The state of an optimizer is saved by position, and a loaded model is built before it is compiled.
    last = [] if objective is None else getattr(objective, what)
    ids = {id(variable) for variable in last}
    return [variable for variable in found if id(variable) not in ids] + last if ids else found


def _symbolic(array):
    return None if array is None else keras.KerasTensor(array.shape, keras.backend.standardize_dtype(array.dtype))


def _read_step(objective):
    try:
        return ops.convert_to_tensor(objective.step)
    except TypeError as problem:  # JAX has taken the values away for the length of `fit`
        raise ValueError(
            "A `train_step` of your own ran `compute_loss` without the state of the model, in which an objective counts its "
            "steps. Let `super().train_step(...)` do the step, and override `compute_loss`."
        ) from problem


def _needs_gradients(model):
    balance = getattr(objective_of(model), "balance", None)
    return balance is not None and balance.needs_gradients


def _needs_weight_gradients(model):
    return getattr(getattr(objective_of(model), "balance", None), "needs_weight_gradients", False)


def _weights_of_layers(model):
    """Which of the trainable variables are weights of the model, and no learned numbers of the objective."""
    own = {id(variable) for variable in model.objective.variables}
    return [i for i, variable in enumerate(model.trainable_variables) if id(variable) not in own]


def _computes_in_half(model):
    return any(layer.compute_dtype == "float16" for layer in all_layers(model))


def _differentiates(model):
    objective = objective_of(model)
    return objective is not None and any(term.differentiates for term in objective.terms)


def _shared_taps(model):
    """Names of the taps at which a balancer works."""
    known, at = taps_of(model), model.objective.balance.at
    names = [at] if isinstance(at, str) else list(at or known)
    if not names or (at is None and len(names) > 1) or not set(names) <= set(known):
        raise ValueError(
            f"`balance` works at the shared representation and needs the name of the Tap there. Write "
            f"{type(model.objective.balance).__name__}(at='shared') and `x = kerasmith.Tap('shared')(x)` in the model. "
            f"Received: at={at!r}; the model's taps: {', '.join(map(repr, known)) or 'none'}"
        )
    return names


def _refuse_lost_losses(loss, outputs):
    """Raises ValueError for more losses than outputs: Keras would train the first and say nothing."""
    if not isinstance(loss, (dict, list, tuple)) or outputs is None:
        return
    given = [part for part in tree.flatten(loss) if part is not None]
    slots = list(loss.values()) if isinstance(loss, dict) else loss
    crowded = len(slots) == len(outputs) and any(isinstance(slot, (list, tuple)) and len(slot) > 1 for slot in slots)
    if len(given) <= len(outputs) and not crowded:
        return
    raise ValueError(
        f"{len(given)} losses for {len(outputs)} output{'s' * (len(outputs) != 1)}: Keras would train one for each output and "
        "drop the rest. To train their sum with each shown, write loss=kerasmith.Objective({'a': ..., 'b': ...}); a sum of "
        f"kerasmith losses is also `a + b`. Received: loss={loss!r}"
    )
