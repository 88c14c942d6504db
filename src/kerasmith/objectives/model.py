"""The drop-in for `keras.Model` that trains on objectives."""

from typing import Any

import keras

from kerasmith._types import Config, Tensors
from kerasmith.base import register
from kerasmith.keras_internals.layer_loading import share_with_inner
from kerasmith.keras_internals.layers import functional
from kerasmith.keras_internals.plain_layers import plain_layers_where
from kerasmith.objectives.step_record import current
from kerasmith.objectives.trainable import TrainsOnObjective

_Functional = functional()


@register
class Model(TrainsOnObjective, keras.Model):
    """`keras.Model` whose `compile` also takes an `Objective`.

    Three ways in: `Model(inputs, outputs)`, a subclass with its own `call`, and `Model.from_keras(model)` for a model that
    exists, Sequential or other. All else is Keras: `fit`, `evaluate`, `save`, callbacks, other losses.

    A list of several losses for one output, of which Keras would train the first only, is an error.

    Args:
        inputs, outputs, name: see `keras.Model`.

    Example:

    >>> from kerasmith.losses import CrossEntropy, Dice
    >>> inputs = keras.Input((8, 8, 1))
    >>> model = Model(inputs, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs))
    >>> from kerasmith import Objective
    >>> model.compile("adam", Objective({"dice": Dice(), "ce": CrossEntropy()}, weights=[1.0, 0.5]))
    >>> model.metrics_names
    ['loss', 'dice', 'ce']
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # As keras.Model does: the class itself stays free of Functional, so that it can be subclassed with a `call`.
        cls = FunctionalModel if cls is Model and _is_functional(args, kwargs) else cls
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _is_functional(args, kwargs):
            super().__init__(*args, **kwargs)
            return
        if not isinstance(self, FunctionalModel):
            _graft(type(self))
        _Functional.__init__(self, *args, **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """As `keras.Model.save`, to a `.keras` file.

        Raises:
            ValueError: for a legacy `.h5` of a model whose class is one of this library, which Keras could not load.
        """
        if type(self) in (FunctionalModel, WrappedModel) and str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`keras.models.load_model` does not find the class of a kerasmith.Model by the name in a legacy HDF5 file. "
                "Write `model.save('model.keras')`, or `model.save_weights('model.weights.h5')` for the weights alone. "
                f"Received: filepath={filepath}"
            )
        super().save(filepath, overwrite=overwrite, **kwargs)

    @staticmethod
    def from_keras(model: keras.Model) -> "Model":
        """A kerasmith model around an existing Keras model; both share all layers and weights.

        Args:
            model: functional, Sequential or subclassed. Functional and built Sequential models become functional ones with
                the same names; others are called as a whole.

        Raises:
            TypeError: if `model` is no `keras.Model`.
        """
        if not isinstance(model, keras.Model):
            raise TypeError(f"Expected a keras.Model. Received: model={model!r} of type {type(model).__name__}")
        if isinstance(model, Model):
            return model
        if type(model) is _Functional:
            return FunctionalModel(model.input, model.output, name=model.name)
        if type(model) is keras.Sequential and model.built:
            return FunctionalModel(model.inputs[0], model.outputs[0], name=model.name)
        return WrappedModel(model)


@register
@plain_layers_where(lambda: getattr(current(), "differentiable", False))
class FunctionalModel(Model, _Functional):
    """What `Model(inputs, outputs)` makes."""

    # Keras saves a model as a graph if its constructor has the signature of this one, which differs between versions.
    __init__ = _Functional.__init__


@register
class WrappedModel(Model):
    """What `Model.from_keras` makes of a model that is no graph of layers.

    Args:
        model: the model to train.
        name: its name by default.
    """

    def __init__(self, model: keras.Model, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name or f"{model.name}_model", **kwargs)
        self.model = model

    def call(self, inputs: Tensors, training: bool | None = None) -> Tensors:
        return self.model(inputs, training=training)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """As `keras.Model.save_weights`; the model that this one wraps loads a `.weights.h5` too."""
        super().save_weights(filepath, overwrite=overwrite, **kwargs)
        share_with_inner(filepath, ["objective"])

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """As `keras.Model.save`; `load_weights` of the model that this one wraps takes such a file too (since 0.2)."""
        super().save(filepath, overwrite=overwrite, **kwargs)
        share_with_inner(filepath, ["objective"])

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """As `keras.Model.load_weights`, from files of this model and of the one that it wraps."""
        try:
            super().load_weights(filepath, **kwargs)
        except ValueError:
            try:
                self.model.load_weights(filepath, **kwargs)
            except ValueError:  # of neither: this is the model that the caller knows
                super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def get_config(self) -> Config:
        return {"model": keras.saving.serialize_keras_object(self.model), "name": self.name}

    @classmethod
    def from_config(cls, config: Config) -> Any:
        return cls(keras.saving.deserialize_keras_object(config["model"]), name=config["name"])


def _is_functional(args, kwargs):
    """Whether these are the arguments of a functional model: inputs and outputs."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or {"inputs", "outputs"} <= set(kwargs)


def _graft(cls):
    """Makes a subclass of `Model` functional by its bases, as Keras does with subclasses of its own model."""
    if cls in (Model, object) or not issubclass(cls, Model):
        return FunctionalModel if cls is Model else cls
    cls.__bases__ = tuple(_graft(base) for base in cls.__bases__)
    cls.__new__(cls)
    return cls
