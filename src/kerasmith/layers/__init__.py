"""Layers that belong to losses."""

from kerasmith.layers.arc_face_logits import ArcFaceLogits
from kerasmith.layers.embedding_memory import EmbeddingMemory

__all__ = [
    "ArcFaceLogits",
    "EmbeddingMemory",
]


def __dir__() -> list[str]:
    return __all__
