"""Checks of callbacks: hooks, logs, state, effect on the training, files."""
