"""Layers of Keras 3.15.1 that are wrong, each with what was seen."""

from keras import layers

from tests.zoo.entries import Broken

_VECTORS = {"inputs": "float32[4,8]"}
_MASKED = {"inputs": "float32[4,6,3]", "mask": "bool[4,6]"}
_IMAGES = {"inputs": "float32[4,12,12,3](0,1)"}

BROKEN = [
    Broken(
        layers.Dropout,
        check="Y105",
        like=_VECTORS,
        init={"rate": 0.5},
        backends=("torch",),
        note="without a seed the SeedGenerator is passed over, and the global one of PyTorch drawn from",
    ),
    Broken(
        layers.RandomElasticTransform,
        check="Y105",
        like=_IMAGES,
        init={"seed": 3, "value_range": (0, 1)},
        backends=("torch",),
        note="the displacements ignore the seed",
    ),
    Broken(
        layers.AugMix,
        check="Y130",
        like=_IMAGES,
        init={"seed": 3, "value_range": (0, 1)},
        backends=("torch",),
        note="chooses its layers with Python's random.choice",
    ),
    Broken(
        layers.UnitNormalization,
        check="Y122",
        like=_VECTORS,
        backends=("jax", "torch"),
        note="the gradient of a zero row is NaN",
    ),
    Broken(
        layers.UnitNormalization,
        check="Y110",
        like=_VECTORS,
        backends=("tensorflow",),
        note="squares in float16; values above 256 overflow",
    ),
    Broken(
        layers.Dot,
        check="Y122",
        like={"inputs": ["float32[4,8]", "float32[4,8]"]},
        init={"axes": 1, "normalize": True},
        backends=("torch",),
        note="the same norm as UnitNormalization",
    ),
    Broken(
        layers.SpectralNormalization,
        check="Y127",
        like=_VECTORS,
        init={"layer": layers.Dense(4)},
        backends=("torch",),
        note="in a mixed policy `assign` writes into a cast copy: nothing is normalised",
    ),
    Broken(layers.Softmax, check="Y000", like=_MASKED, note="a Keras mask of steps is taken for a mask of each number"),
    Broken(
        layers.MelSpectrogram,
        check="Y106",
        like={"inputs": "float32[2,600]"},
        init={"fft_length": 128, "sequence_stride": 64},
        note="clips at 80 dB below the loudest sample of the batch",
    ),
    Broken(
        layers.RandomCrop,
        check="Y107",
        like=_IMAGES,
        init={"height": 5, "width": 5, "seed": 3},
        note="does not crop at inference, as its documentation and its output shape say",
    ),
    Broken(
        layers.CategoryEncoding,
        check="Y123",
        like={"inputs": "int32[4,3]{0,4}"},
        init={"num_tokens": 5},
        note="answers in float32 under a mixed policy",
    ),
]
