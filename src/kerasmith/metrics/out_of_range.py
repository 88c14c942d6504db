"""Class ids that are no class: left out, counted and reported."""

import warnings

from kerasmith.base import AdditiveMetric
from kerasmith.numerics.tensors import is_concrete


class OutOfRange(AdditiveMetric):
    """Base of metrics that count elements whose true or predicted id is no class. A subclass implements `out_of_range`."""

    _said = False

    def out_of_range(self):
        """How many elements had a true or predicted id that is no class; they are in no count."""
        raise NotImplementedError(f"{type(self).__name__} must implement `out_of_range`.")

    def result(self):
        """What `combine` makes of the totals; warns if ids were out of range."""
        readable = self.variables and not self._said and is_concrete(self.variables[0].value)
        if readable and self.out_of_range() > 0:
            self._said = True  # once, not after each batch
            warnings.warn(
                f"{self.out_of_range():g} elements had a class id out of range and were left out by '{self.name}'. "
                "Raise `num_classes`, or name the id in `ignore_class` if it means 'do not count'.",
                stacklevel=2,
            )
        return super().result()
