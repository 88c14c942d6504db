"""The layers of kerasmith."""

import kerasmith
from kerasmith.layers import ArcFaceLogits
from tests.zoo.entries import Right

RIGHT = [
    Right(
        ArcFaceLogits,
        like={"inputs": "float32[4,8]"},
        init={"num_classes": 3},
        note="cosines stay in float32 under every policy",
    ),
    Right(
        ArcFaceLogits,
        like={"inputs": "float32[4,6,3]", "mask": "bool[4,6]"},
        init={"num_classes": 3, "kernel_regularizer": "l2"},
        note="steps of a sequence, with a mask",
    ),
    Right(kerasmith.Tap, like={"inputs": "float32[4,8]"}, init={"name": "hidden"}, note="its name is what it is found by"),
]
