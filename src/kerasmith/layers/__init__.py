"""Layers that belong to losses."""

from kerasmith.layers.arc_face_logits import ArcFaceLogits

__all__ = [
    "ArcFaceLogits",
]


def __dir__() -> list[str]:
    return __all__
