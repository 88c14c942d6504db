"""Training without code: `train(config)` and `kerasmith train config.yaml`. Loads Keras when training begins."""

from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.train import train

__all__ = ["ConfigError", "train"]


def __dir__() -> list[str]:
    return __all__
