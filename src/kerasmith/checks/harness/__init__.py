"""Runs components on the backend that Keras has: tensors, gradients, compiled, on two replicas, in a fresh process."""
