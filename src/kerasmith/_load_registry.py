"""Registers every part as soon as both kerasmith and Keras are imported, in whichever order.

`keras.saving.load_model` finds registered names only. `import kerasmith` must stay cheap, so it neither imports Keras nor asks
the reader to import the room that a saved model happens to use.
"""

import importlib
import importlib.abc
import importlib.util
import sys

_REGISTERING_ROOMS = ("layers", "losses", "metrics", "multitask", "objectives", "schedules")


def once_keras_is_there():
    """Imports the rooms that register parts, now or right after Keras has been imported."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "saving"):
        importlib.import_module("kerasmith.base")
    else:
        sys.meta_path.insert(0, _AfterKeras())


def import_rooms():
    """Imports every room that registers parts; the last line of `kerasmith.base` calls it."""
    for room in _REGISTERING_ROOMS:
        importlib.import_module(f"kerasmith.{room}")


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Lets the real finders import Keras, then imports `kerasmith.base`; removes itself the first time."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        # A room that is being imported right now is what asked for Keras; it will reach `kerasmith.base` by itself.
        rooms = [m for m in sys.modules if m.startswith("kerasmith.") and m != __name__]
        spec = importlib.util.find_spec(name)
        if rooms or spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            importlib.import_module("kerasmith.base")

        spec.loader.exec_module = exec_module
        return spec
