"""Whole training set-ups: faulty ones, each from a question or study that is cited, and healthy ones, unusual ones too.

They were written before the checks that read them; `python -m tests.zoo.setups.run` asks the checks and prints a table.
"""
