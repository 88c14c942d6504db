"""A few rows that meet every pair of values that all rows meet."""

import itertools

_PLAIN = (str, int, float, bool, bytes, type(None))


def cover(rows):
    """The numbers of the rows to keep.

    Args:
        rows: dicts {name: value}: every pair of two names' values that occurs in a row occurs in a row that is kept, and every
            value where a row has a single name. Or lists of features: every feature occurs in a row that is kept.
    """
    features = [_pairs(row) if isinstance(row, dict) else set(map(_key, row)) for row in rows]
    missing, kept = set().union(*features), set()
    while missing:
        # Of equal ones not always the first, so that each value of an argument gets its share.
        best = max(range(len(rows)), key=lambda number: (len(features[number] & missing), number * 2654435761 % 2**32))
        kept.add(best)
        missing -= features[best]
    return kept


def each_value(**arguments):
    """The features of a row that ask each value of each argument at least once."""
    return list(arguments.items())


def _pairs(row):
    values = [(name, _key(value)) for name, value in sorted(row.items())]
    return set(itertools.combinations(values, 2)) or set(values)


def _key(value):
    """What tells a value from others; objects are the same only if they are one."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_key, value))
    return (type(value).__name__, value) if isinstance(value, _PLAIN) else id(value)
