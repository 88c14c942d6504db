"""Imports Keras without libraries that it asks for only in case somebody uses them."""

import contextlib
import os
import sys
from collections.abc import Iterator

# For the wrappers of scikit-learn, the galleries of `keras.visualization`, and a patch of OrbaxCheckpoint: 40 % of the time.
_RARELY_USED = ("sklearn", "matplotlib")
_USES = ("SKLearn", "wrappers", "visualization", "Orbax")
# Set for the children of a process that has imported Keras quickly.
QUICK = "KERASMITH_QUICK_IMPORT"


def import_keras(text: str | None = None) -> None:
    """Imports Keras; scikit-learn, matplotlib and, on other backends, JAX are left to whoever imports them himself.

    `keras.wrappers` and `keras.visualization` then do without them: a text which speaks of those gets all of Keras.

    Args:
        text: what will run in this process; None imports what the parent of this process did.
    """
    if text is not None and not any(word in text for word in _USES):
        os.environ[QUICK] = "1"
    names = [*_RARELY_USED, *(() if os.environ.get("KERAS_BACKEND", "jax") == "jax" else ("jax",))]
    with _hidden(*(names if os.environ.get(QUICK) and "keras" not in sys.modules else ())):
        import keras  # noqa: F401


@contextlib.contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """In this block modules that nobody has imported yet cannot be: what asks for them goes without."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name, ...) is None:
                del sys.modules[name]
