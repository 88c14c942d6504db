"""Checks of every kind of component: construction, configuration, saving."""
