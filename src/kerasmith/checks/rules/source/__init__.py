"""Checks of source text: old names and habits that a look at the syntax tree shows."""
