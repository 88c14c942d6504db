"""The version of Keras, and what is known of it."""

import keras

OLDEST_TRIED, NEWEST_TRIED = (3, 12), (3, 16)
# Since then data come in an order that the data adapter's own counter of epochs decides, before by global generators.
_COUNTS_EPOCHS = (3, 16)


def minor(version: str) -> tuple[int, int]:
    """(3, 16) of "3.16.0.dev2026102704"."""
    major, second = version.split(".")[:2]
    return int(major), int(second)


def was_tried(version: str = keras.__version__) -> bool:
    """Whether this package was tried with such a version of Keras."""
    return OLDEST_TRIED <= minor(version) <= NEWEST_TRIED


def shuffles_by_counter(version: str = keras.__version__) -> bool:
    """Whether such a version of Keras shuffles by the data adapter's own counter."""
    return minor(version) >= _COUNTS_EPOCHS
