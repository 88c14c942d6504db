"""Registration under the package name, so that saved models load without `custom_objects`."""

import keras

register = keras.saving.register_keras_serializable(package="kerasmith")
