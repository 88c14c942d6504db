"""What every part stands on: configuration that survives, registration, the Loss and the Metric."""

from kerasmith import _load_registry
from kerasmith.base.additive_metric import AdditiveMetric
from kerasmith.base.configured import Configured
from kerasmith.base.keras_loss import KerasLoss
from kerasmith.base.loss import Loss, Part, PerSample
from kerasmith.base.metric import Metric
from kerasmith.base.registration import register
from kerasmith.base.twin import functional_twin
from kerasmith.base.weighted_sum import WeightedSum
from kerasmith.base.weights import Weights

_load_registry.import_rooms()
