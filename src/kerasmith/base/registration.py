"""Registration under the package name, so that saved models load without `custom_objects`."""

import keras


def register(cls=None, *, name=None):
    """Class decorator: registers the class as "kerasmith>Name".

    Args:
        cls: the class, when used as `@register`.
        name: another name than that of the class, where two rooms have a class of one name:
            `@register(name="SSIMLoss")`.
    """
    decorator = keras.saving.register_keras_serializable(package="kerasmith", name=name)
    return decorator if cls is None else decorator(cls)
