"""A running `fit` seen from inside: its call, its variables and random states, its steps and their gradients.

What several callbacks need to know of a training and Keras does not tell them; users meet it through these callbacks only.
"""
