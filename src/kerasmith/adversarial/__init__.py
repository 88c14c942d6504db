"""Training of a generator against a discriminator in plain `fit`. See README.md."""

from kerasmith.adversarial.adversarial import Adversarial

__all__ = ["Adversarial"]


def __dir__() -> list[str]:
    return __all__
