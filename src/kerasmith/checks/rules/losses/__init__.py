"""Checks of losses: weights, shapes, numbers, gradients, compiled, on replicas."""
