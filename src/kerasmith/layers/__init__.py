"""Layers that belong to losses, and layers that show a network edges and scales."""

from kerasmith.layers.arc_face_logits import ArcFaceLogits
from kerasmith.layers.edge_enhancement import EdgeEnhancement
from kerasmith.layers.embedding_memory import EmbeddingMemory
from kerasmith.layers.inverse_wavelet_transform import InverseWaveletTransform
from kerasmith.layers.wavelet_transform import WaveletTransform

__all__ = [
    "ArcFaceLogits",
    "EdgeEnhancement",
    "EmbeddingMemory",
    "InverseWaveletTransform",
    "WaveletTransform",
]


def __dir__() -> list[str]:
    return __all__
