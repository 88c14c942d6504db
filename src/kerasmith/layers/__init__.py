"""Layers that belong to losses."""

from kerasmith.layers.arc_face_logits import ArcFaceLogits
