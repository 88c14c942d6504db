"""The text of a file under check."""

from kerasmith.checks.engine.case import Case


class SourceCase(Case):
    """See `Case`. Nothing is run."""

    kind = "source"

    def __init__(self, subject, contract, seed=7):
        super().__init__(subject, contract, seed)
        self.specs = {}

    def lines(self, *body, inputs=True, draw=0):
        """The lines of a reproducer: what the check has to show needs neither imports nor a component."""
        return "\n".join(body)
