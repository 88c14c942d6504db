"""The layers of kerasmith."""

import kerasmith
from kerasmith.layers import ArcFaceLogits, EdgeEnhancement, InverseWaveletTransform, WaveletTransform
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
    Right(
        EdgeEnhancement,
        like={"inputs": "float32[2,6,5,2]"},
        init={"kind": "sobel", "scales": (1, 2), "trainable": True},
        note="filters that are trained",
    ),
    *(
        Right(
            EdgeEnhancement,
            like={"inputs": "float32[2,5,6,2]"},
            init={"kind": kind, "mode": mode},
            note=f"{kind}, not trained: the weights have no gradient to give",
        )
        for kind, mode in (("canny", "add"), ("wavelet", "multiply"), ("log", "concat"))
    ),
    Right(WaveletTransform, like={"inputs": "float32[2,5,6,3]"}, init={"wavelet": "db2"}, note="an odd size"),
    Right(InverseWaveletTransform, like={"inputs": "float32[2,5,6,8]"}, init={"wavelet": "sym4"}),
    Right(kerasmith.Tap, like={"inputs": "float32[4,8]"}, init={"name": "hidden"}, note="its name is what it is found by"),
]
