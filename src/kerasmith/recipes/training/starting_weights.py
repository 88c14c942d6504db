"""A run that begins with the weights of another."""

from pathlib import Path

import keras

from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.run_directory import MODEL


def start_from(model: keras.Model, plan: Plan) -> None:
    """Gives a model the weights of the run that `from` names.

    Raises:
        ConfigError: where the run has no model yet, or one of another architecture.
    """
    path = Path(plan.values["from"]) / MODEL
    place = plan.config.places.get("from")
    if not path.exists():
        raise ConfigError(place, f"{path} does not exist: the run has not ended, or is none. Finish it, or give another.")
    try:
        source = keras.saving.load_model(path, compile=False)
    except Exception as problem:  # of zipfile, of h5py or of Keras
        raise ConfigError(place, f"{path} cannot be read: {' '.join(str(problem).split())}") from problem
    there, here = ([tuple(weight.shape) for weight in one.weights] for one in (source, model))
    if there != here:
        raise ConfigError(
            place,
            f"{path} has {len(there)} weights of other shapes than this network "
            f"({len(here)}): give the same `model`, `classes` and "
            "images with as many channels, or leave `from` out.",
        )
    model.set_weights(source.get_weights())
