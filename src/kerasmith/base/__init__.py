"""What every part stands on: configuration that survives, registration, the Loss and the Metric."""

from collections.abc import Callable

from kerasmith import _moved
from kerasmith.base.additive_metric import AdditiveMetric
from kerasmith.base.configured import Configured, register
from kerasmith.base.functional import make_functional
from kerasmith.base.keras_loss import KerasLoss
from kerasmith.base.loss import Loss, LossTerm, PerSample
from kerasmith.base.loss_as_metric import weighted_values
from kerasmith.base.metric import Metric
from kerasmith.base.weighted_sum import WeightedSum
from kerasmith.base.weights import Weights
from kerasmith.keras_internals.mean_of_loss import set_values

__all__ = [
    "AdditiveMetric",
    "Configured",
    "KerasLoss",
    "Loss",
    "LossTerm",
    "Metric",
    "PerSample",
    "WeightedSum",
    "Weights",
    "make_functional",
    "register",
]

# From now on Keras' mean of a function among the metrics takes its values from there, if that is a loss.
set_values(weighted_values)

__getattr__: Callable[[str], object] = _moved.renamed(
    "kerasmith.base", {"Part": "LossTerm", "functional_twin": "make_functional"}
)


def __dir__() -> list[str]:
    return __all__
