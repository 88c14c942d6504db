"""Layers of Keras that are right."""

from keras import layers

from tests.zoo.entries import Right

_VECTORS = {"inputs": "float32[4,8]"}
_SEQUENCES = {"inputs": "float32[4,6,3]"}
_MASKED = {"inputs": "float32[4,6,3]", "mask": "bool[4,6]"}
_IMAGES = {"inputs": "float32[4,8,8,3](0,1)"}
_VOLUMES = {"inputs": "float32[2,4,4,4,2](-1,1)"}
_TOKENS = {"inputs": "int32[4,6]{0,9}"}
_TWO = {"inputs": ["float32[4,8]", "float32[4,8]"]}
_TWO_SEQUENCES = {"inputs": ["float32[4,5,3]", "float32[4,6,3]"]}

RIGHT = [
    # Core
    Right(layers.Dense, like=_VECTORS, init={"units": 4, "activation": "tanh"}),
    Right(layers.EinsumDense, like=_SEQUENCES, init={"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"}),
    Right(layers.Embedding, like=_TOKENS, init={"input_dim": 10, "output_dim": 4, "mask_zero": True}),
    Right(layers.ReversibleEmbedding, like=_TOKENS, init={"input_dim": 10, "output_dim": 4}),
    Right(layers.Identity, like=_VECTORS),
    Right(layers.Masking, like=_SEQUENCES),
    # Convolutions
    Right(layers.Conv1D, like=_SEQUENCES, init={"filters": 4, "kernel_size": 3}),
    Right(layers.Conv2D, like=_IMAGES, init={"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}),
    Right(layers.Conv3D, like=_VOLUMES, init={"filters": 3, "kernel_size": 2}),
    Right(layers.Conv1DTranspose, like=_SEQUENCES, init={"filters": 4, "kernel_size": 3, "strides": 2}),
    Right(layers.Conv2DTranspose, like=_IMAGES, init={"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}),
    Right(layers.DepthwiseConv2D, like=_IMAGES, init={"kernel_size": 3}),
    Right(layers.SeparableConv2D, like=_IMAGES, init={"filters": 4, "kernel_size": 3}),
    # Pooling
    Right(layers.MaxPooling2D, like=_IMAGES),
    Right(layers.AveragePooling2D, like=_IMAGES, init={"pool_size": 2}),
    Right(layers.MaxPooling1D, like=_SEQUENCES),
    Right(layers.AveragePooling3D, like=_VOLUMES, init={"pool_size": 2}),
    Right(layers.GlobalAveragePooling1D, like=_MASKED),
    Right(layers.GlobalMaxPooling1D, like=_SEQUENCES),
    Right(layers.GlobalAveragePooling2D, like=_IMAGES),
    Right(layers.GlobalMaxPooling2D, like=_IMAGES),
    Right(layers.AdaptiveAveragePooling2D, like=_IMAGES, init={"output_size": 4}),
    # Normalisation
    Right(layers.BatchNormalization, like=_VECTORS),
    Right(layers.LayerNormalization, like=_SEQUENCES),
    Right(layers.GroupNormalization, like={"inputs": "float32[4,8,8,4]"}, init={"groups": 2}),
    Right(layers.RMSNormalization, like=_VECTORS),
    Right(layers.SpectralNormalization, like=_VECTORS, init={"layer": layers.Dense(4)}, backends=("tensorflow", "jax")),
    # Regularisation
    Right(layers.Dropout, like=_VECTORS, init={"rate": 0.5, "seed": 3}, note="without a seed: broken/keras_layers.py"),
    Right(layers.SpatialDropout1D, like=_SEQUENCES, init={"rate": 0.5, "seed": 3}),
    Right(layers.GaussianDropout, like=_VECTORS, init={"rate": 0.5, "seed": 3}),
    Right(layers.GaussianNoise, like=_VECTORS, init={"stddev": 0.3, "seed": 3}),
    Right(layers.AlphaDropout, like=_VECTORS, init={"rate": 0.3, "seed": 3}),
    Right(layers.ActivityRegularization, like=_VECTORS, init={"l2": 0.1}),
    # Recurrent
    Right(layers.SimpleRNN, like=_MASKED, init={"units": 4}),
    Right(layers.GRU, like=_MASKED, init={"units": 4, "return_sequences": True}),
    Right(layers.LSTM, like=_MASKED, init={"units": 4, "return_state": True}),
    Right(layers.LSTM, like=_SEQUENCES, init={"units": 3, "dropout": 0.2, "recurrent_dropout": 0.2, "seed": 3}),
    Right(layers.Bidirectional, like=_SEQUENCES, init={"layer": layers.GRU(3, return_sequences=True)}),
    Right(layers.TimeDistributed, like=_MASKED, init={"layer": layers.Dense(4)}),
    Right(layers.ConvLSTM1D, like={"inputs": "float32[2,3,6,2]"}, init={"filters": 2, "kernel_size": 3}),
    Right(layers.LSTMCell, like={"inputs": "float32[4,3]", "states": ["float32[4,5]", "float32[4,5]"]}, init={"units": 5}),
    # Attention
    Right(layers.Attention, like=_TWO_SEQUENCES),
    Right(layers.AdditiveAttention, like=_TWO_SEQUENCES),
    Right(
        layers.MultiHeadAttention,
        like={"inputs": "float32[4,5,6]", "value": "float32[4,6,6]"},
        init={"num_heads": 2, "key_dim": 3},
    ),
    Right(
        layers.GroupQueryAttention,
        like={"inputs": "float32[4,5,6]", "value": "float32[4,6,6]"},
        init={"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1},
    ),
    # Merging
    Right(layers.Add, like=_TWO),
    Right(layers.Subtract, like=_TWO),
    Right(layers.Multiply, like=_TWO),
    Right(layers.Average, like=_TWO),
    Right(layers.Maximum, like=_TWO),
    Right(layers.Concatenate, like=_TWO),
    Right(layers.Dot, like=_TWO, init={"axes": 1}),
    # Shapes
    Right(layers.Flatten, like=_SEQUENCES),
    Right(layers.Reshape, like=_SEQUENCES, init={"target_shape": (3, 6)}),
    Right(layers.Permute, like=_SEQUENCES, init={"dims": (2, 1)}),
    Right(layers.RepeatVector, like=_VECTORS, init={"n": 3}),
    Right(layers.Cropping2D, like=_IMAGES, init={"cropping": 1}),
    Right(layers.ZeroPadding2D, like=_IMAGES, init={"padding": 1}),
    Right(layers.UpSampling2D, like=_IMAGES, init={"interpolation": "bilinear"}),
    # Activations
    Right(layers.Activation, like=_VECTORS, init={"activation": "gelu"}),
    Right(layers.ReLU, like=_VECTORS, init={"max_value": 6.0, "negative_slope": 0.1}),
    Right(layers.LeakyReLU, like=_VECTORS),
    Right(layers.PReLU, like=_VECTORS),
    Right(layers.ELU, like=_VECTORS),
    Right(layers.Softmax, like=_VECTORS),
    # Preprocessing
    Right(layers.Rescaling, like={"inputs": "uint8[4,8,8,3]{0,255}"}, init={"scale": 1 / 255}),
    Right(layers.Normalization, like=_VECTORS, init={"mean": 0.5, "variance": 2.0}),
    Right(layers.CenterCrop, like=_IMAGES, init={"height": 4, "width": 4}),
    Right(layers.Resizing, like=_IMAGES, init={"height": 5, "width": 6}),
    Right(layers.Discretization, like=_VECTORS, init={"bin_boundaries": [-1.0, 0.0, 1.0]}),
    Right(layers.RandomFlip, like=_IMAGES, init={"seed": 3}),
    Right(layers.RandomBrightness, like=_IMAGES, init={"factor": 0.3, "seed": 3, "value_range": (0, 1)}),
]
