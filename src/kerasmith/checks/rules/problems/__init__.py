"""Checks of equations and conditions together: an objective, or a condition alone."""
