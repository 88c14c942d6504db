"""Lines with which a script of its own reaches what Keras keeps private; for reports that a reader can run."""

IMPORT_GET_MASK = "from keras.src.backend.common.masking import get_keras_mask"
IMPORT_SET_MASK = "from keras.src.backend.common.masking import set_keras_mask"
IMPORT_LOSS_WRAPPER = "from keras.src.losses.losses import LossFunctionWrapper"
