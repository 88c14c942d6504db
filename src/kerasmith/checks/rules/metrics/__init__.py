"""Checks of metrics: batches, weights, state, result, counters, compiled, on replicas."""
