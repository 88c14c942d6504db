"""The losses of Keras that are right: as classes and as functions, each on the inputs that it is made for."""

from keras import losses

from tests.zoo.entries import Right

BINARY = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}
MULTI_LABEL = {"y_true": "float32[8,5]{0,1}", "y_pred": "float32[8,5](0,1)"}
LOGITS = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](-4,4)"}
MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
CLASSES = {"y_true": "float32[8,5]onehot", "y_pred": "float32[8,5]simplex"}
CLASS_LOGITS = {"y_true": "float32[8,5]onehot", "y_pred": "float32[8,5](-4,4)"}
CLASS_IDS = {"y_true": "int32[8]{0,4}", "y_pred": "float32[8,5]simplex"}
ID_MASKS = {"y_true": "int32[4,8,8]{0,2}", "y_pred": "float32[4,8,8,3]simplex"}
DISTRIBUTIONS = {"y_true": "float32[8,5]simplex", "y_pred": "float32[8,5]simplex"}
REGRESSION = {"y_true": "float32[8,4](-2,2)", "y_pred": "float32[8,4](-2,2)"}
POSITIVE = {"y_true": "float32[8,4](0.1,5)", "y_pred": "float32[8,4](0.1,5)"}
COUNTS = {"y_true": "float32[8,3]{0,6}", "y_pred": "float32[8,3](0.1,5)"}
SIGNS = {"y_true": "float32[8,3]{-1,1}", "y_pred": "float32[8,3](-2,2)"}
FLAT = {"y_true": "float32[8](-2,2)", "y_pred": "float32[8,1](-2,2)"}
EMBEDDINGS = {"y_true": "int32[8]{0,2}", "y_pred": "float32[8,6](-1,1)"}
TEXTS = {"y_true": "int32[4,3]{1,4}", "y_pred": "float32[4,8,6](-3,3)"}
PAIRS = {"independent": False}

RIGHT = [
    Right(losses.BinaryCrossentropy, BINARY),
    Right(losses.BinaryCrossentropy, MASKS),
    Right(losses.BinaryCrossentropy, LOGITS, {"from_logits": True}),
    Right(losses.BinaryCrossentropy, MULTI_LABEL, {"label_smoothing": 0.1}),
    Right(losses.BinaryFocalCrossentropy, BINARY),
    Right(losses.BinaryFocalCrossentropy, MASKS, {"apply_class_balancing": True, "gamma": 1.5}),
    Right(losses.CategoricalCrossentropy, CLASSES),
    Right(losses.CategoricalCrossentropy, CLASS_LOGITS, {"from_logits": True}),
    Right(losses.CategoricalFocalCrossentropy, CLASSES),
    Right(losses.SparseCategoricalCrossentropy, CLASS_IDS),
    Right(
        losses.SparseCategoricalCrossentropy,
        ID_MASKS,
        backends=("tensorflow", "jax"),
        note="PyTorch 2.13 cannot differentiate it on masks: grad_input must be contiguous",
    ),
    Right(losses.SparseCategoricalCrossentropy, {**CLASS_IDS, "y_pred": "float32[8,5](-4,4)"}, {"from_logits": True}),
    Right(losses.KLDivergence, DISTRIBUTIONS),
    Right(losses.Poisson, COUNTS),
    Right(losses.MeanSquaredError, REGRESSION),
    Right(losses.MeanSquaredError, FLAT, note="Keras brings (B,) and (B, 1) to one shape"),
    Right(losses.MeanAbsoluteError, REGRESSION),
    Right(losses.MeanAbsolutePercentageError, POSITIVE),
    Right(losses.MeanSquaredLogarithmicError, POSITIVE),
    Right(losses.LogCosh, REGRESSION),
    Right(losses.Hinge, SIGNS),
    Right(losses.SquaredHinge, SIGNS),
    Right(losses.CategoricalHinge, CLASS_LOGITS),
    Right(losses.Circle, EMBEDDINGS, contract=PAIRS, note="compares the samples of a batch"),
    Right(losses.CTC, TEXTS),
    Right(losses.binary_crossentropy, BINARY),
    Right(losses.binary_focal_crossentropy, BINARY),
    Right(losses.categorical_crossentropy, CLASSES),
    Right(losses.categorical_focal_crossentropy, CLASSES),
    Right(losses.categorical_hinge, CLASS_LOGITS),
    Right(losses.sparse_categorical_crossentropy, CLASS_IDS),
    Right(losses.kl_divergence, DISTRIBUTIONS),
    Right(losses.poisson, COUNTS),
    Right(losses.mean_squared_error, REGRESSION),
    Right(losses.mean_absolute_error, REGRESSION),
    Right(losses.mean_absolute_percentage_error, POSITIVE),
    Right(losses.mean_squared_logarithmic_error, POSITIVE),
    Right(losses.cosine_similarity, REGRESSION),
    Right(losses.log_cosh, REGRESSION),
    Right(losses.huber, REGRESSION),
    Right(losses.hinge, SIGNS),
    Right(losses.squared_hinge, SIGNS),
    Right(losses.ctc, TEXTS),
]
