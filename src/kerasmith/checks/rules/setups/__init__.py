"""Checks of whole training set-ups: model, loss, metrics, data and the arguments of `fit` together."""
