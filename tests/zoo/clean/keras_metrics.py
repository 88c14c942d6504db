"""Metrics of Keras that are right: no error may be reported. Those with a fault are in tests/zoo/broken/keras_metrics.py."""

from keras import metrics

from tests.zoo.entries import Right
from tests.zoo.metric_parts import BINARY, CLASS_IDS, REGRESSION

ONE_HOT = {"y_true": "float32[8,4]onehot", "y_pred": "float32[8,4]simplex"}
MULTI_LABEL = {"y_true": "float32[8,5]{0,1}", "y_pred": "float32[8,5](0,1)"}
SIGNS = {"y_true": "float32[8,1]{-1,1}", "y_pred": "float32[8,1](-2,2)"}
POSITIVE = {"y_true": "float32[8,2](0.1,5)", "y_pred": "float32[8,2](0.1,5)"}
IDS_OF_BOTH = {"y_true": "int32[8]{0,3}", "y_pred": "int32[8]{0,3}"}
RATES = {"y_true": "float32[24,1]{0,1}", "y_pred": "float32[24,1](0,1)"}

RIGHT = [
    Right(metrics.AUC, BINARY),
    Right(metrics.AUC, MULTI_LABEL, {"multi_label": True, "num_thresholds": 50}),
    Right(metrics.Accuracy, IDS_OF_BOTH),
    Right(metrics.BinaryAccuracy, BINARY),
    Right(metrics.BinaryCrossentropy, BINARY),
    Right(metrics.CategoricalAccuracy, ONE_HOT),
    Right(metrics.CategoricalCrossentropy, ONE_HOT),
    Right(metrics.CategoricalHinge, ONE_HOT),
    Right(metrics.ConcordanceCorrelation, REGRESSION),
    Right(metrics.F1Score, ONE_HOT, {"average": "macro"}),
    Right(metrics.F1Score, ONE_HOT, {"average": "micro"}),
    Right(metrics.FBetaScore, MULTI_LABEL, {"average": "weighted", "beta": 2.0, "threshold": 0.5}),
    Right(metrics.Hinge, SIGNS),
    Right(metrics.KLDivergence, ONE_HOT),
    Right(metrics.LogCoshError, REGRESSION),
    Right(metrics.Mean, REGRESSION),
    Right(metrics.MeanAbsoluteError, REGRESSION),
    Right(metrics.MeanAbsolutePercentageError, REGRESSION),
    Right(metrics.MeanMetricWrapper, BINARY, {"fn": metrics.binary_accuracy}),
    Right(metrics.MeanSquaredError, REGRESSION),
    Right(metrics.MeanSquaredLogarithmicError, POSITIVE),
    Right(metrics.PearsonCorrelation, REGRESSION),
    Right(metrics.Poisson, POSITIVE),
    Right(metrics.Precision, BINARY),
    Right(metrics.PrecisionAtRecall, RATES, {"recall": 0.5}),
    Right(metrics.R2Score, REGRESSION),
    Right(metrics.Recall, BINARY),
    Right(metrics.RecallAtPrecision, RATES, {"precision": 0.5}),
    Right(metrics.RootMeanSquaredError, REGRESSION),
    Right(metrics.SensitivityAtSpecificity, RATES, {"specificity": 0.5}),
    Right(metrics.SparseCategoricalAccuracy, CLASS_IDS),
    Right(metrics.SparseCategoricalCrossentropy, CLASS_IDS),
    Right(metrics.SparseTopKCategoricalAccuracy, CLASS_IDS, {"k": 2}, backends=("jax", "torch")),
    Right(metrics.SpecificityAtSensitivity, RATES, {"sensitivity": 0.5}),
    Right(metrics.SquaredHinge, SIGNS),
    Right(metrics.Sum, REGRESSION, backends=("tensorflow", "jax")),
    Right(metrics.TopKCategoricalAccuracy, ONE_HOT, {"k": 2}, backends=("jax", "torch")),
]
