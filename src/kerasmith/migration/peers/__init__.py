"""One table of calls for each library; for a large one, one for each kind of part."""

TABLES = (
    "keras",
    "keras_training",
    "segmentation_models",
    "tensorflow_addons",
    "keras_cv",
    "monai",
    "monai_metrics",
    "segmentation_models_pytorch",
    "torchmetrics_classification",
    "torchmetrics",
    "pytorch_metric_learning",
    "lightning",
    "torch",
)

# How people write the names, and what they are in the tables; longer ones first.
ALIASES = {
    "tensorflow.keras.": "keras.",
    "tf.keras.": "keras.",
    "sm.": "segmentation_models.",
    "tfa.": "tensorflow_addons.",
    "smp.": "segmentation_models_pytorch.",
    "pml.": "pytorch_metric_learning.",
    "pytorch_lightning.": "lightning.pytorch.",
    "lightning.callbacks.": "lightning.pytorch.callbacks.",
    "pl.": "lightning.pytorch.",
    "L.pytorch.": "lightning.pytorch.",
    "nn.": "torch.nn.",
    "tm.": "torchmetrics.",
}

# `task` of torchmetrics' short names, and what the names of its classes begin with.
TASKS = {"binary": "Binary", "multiclass": "Multiclass", "multilabel": "Multilabel"}
