"""Registers every part as soon as both kerasmith and Keras are there, in whichever order they are imported.

`keras.saving.load_model` finds registered names only; it imports no package that a saved model names. Parts register when
Keras is there, but `import kerasmith` must not import Keras: the command line and the pytest plugin start with it, and scripts
choose the backend after it. Python tells nobody that a module has been imported. A finder in front of the others, which leaves
when all is registered, is the one place to hear of it.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys

_REGISTERING = ("adversarial", "layers", "losses", "metrics", "multitask", "objectives", "physics", "schedules")


def once_keras_is_there() -> None:
    """Imports the packages that register parts, now or right after Keras has been imported."""
    if hasattr(sys.modules.get("keras"), "saving"):
        _register_parts()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register_parts() -> None:
    for package in _REGISTERING:
        importlib.import_module(f"kerasmith.{package}")


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Lets the real finders import Keras, or the outermost of our modules that asks for it, then registers."""

    def find_spec(self, name, path=None, target=None) -> importlib.machinery.ModuleSpec | None:
        # Parts stand on modules of ours: what is in the middle of its import cannot be imported by them.
        if (name != "keras" and not name.startswith("kerasmith.")) or _one_of_ours_is_unfinished():
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                if self in sys.meta_path and hasattr(sys.modules.get("keras"), "saving"):
                    sys.meta_path.remove(self)
                    _register_parts()

            spec.loader.exec_module = exec_module
        return spec


def _one_of_ours_is_unfinished() -> bool:
    ours = [module for name, module in sys.modules.items() if name.startswith("kerasmith.")]
    return any(getattr(module.__spec__, "_initializing", False) for module in ours)
