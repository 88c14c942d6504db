"""Checks of layers: state, shapes, masks, randomness, gradients, precision, saving."""
