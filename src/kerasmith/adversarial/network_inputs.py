"""What a network takes in, as far as it says so, and how a call of it is put together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import tree

from kerasmith._types import Tensor, Tensors
from kerasmith.keras_internals.layers import functional
from kerasmith.numerics.tensors import compatible, static_shape

# An input of one of these names is drawn where `x` does not give it.
LATENT_NAMES = ("latent", "noise", "z")


class NetworkInputs:
    """The inputs of a functional or Sequential model; of other models nothing is known.

    Args:
        network: the model.
        what: "generator" or "discriminator", for errors.

    Attributes:
        slots: {name: placeholder} in the order of the inputs; None where nothing is known.
    """

    def __init__(self, network: keras.Model, what: str) -> None:
        self.what = what
        self.slots: dict[str, Any] | None = None
        self.is_dict = False
        if isinstance(network, functional()) or (isinstance(network, keras.Sequential) and network.built):
            given = network.input if isinstance(network, functional()) else None
            self.is_dict = isinstance(given, dict)
            self.slots = dict(given) if self.is_dict else {tensor.name: tensor for tensor in network.inputs}

    def called_with(self, tensors: Sequence[Tensor]) -> Tensors:
        """Tensors in the order of the slots, in the form in which the network takes them."""
        if self.is_dict:
            return dict(zip(self.slots, tensors, strict=True))
        return tensors[0] if len(tensors) == 1 else list(tensors)

    def check(self, name: str, tensor: Tensor, source: str) -> None:
        """Raises ValueError if a tensor has not the shape of a slot.

        Args:
            name: of the slot.
            tensor: what is to go there.
            source: where it comes from, for the error.
        """
        wanted, given = tuple(self.slots[name].shape), static_shape(tensor, source)
        # As Keras has it, a trailing 1 may be missing on either side.
        if not any(compatible(*pair) for pair in ((given, wanted), ((*given, 1), wanted), (given, (*wanted, 1)))):
            named = "" if len(self.slots) == 1 else f"{name!r} of "
            raise ValueError(
                f"The {self.what} takes {named}the shape {wanted}, but {source} has the shape {given}. {_ADVICE[self.what]}"
            )

    def completed(self, x: Tensors, draw: Callable[[tuple[int, ...], Any], Tensor]) -> Tensors:
        """What a generator is called with: `x`, and random numbers for the inputs that it does not give.

        Args:
            x: what `fit` was given beside `y`; None if that was nothing.
            draw: (shape of a sample, dtype) -> a batch of random numbers.
        """
        if self.slots is None:
            if x is None:
                raise ValueError(
                    "fit(real) draws the input of the generator by its shape, which this generator does not tell before it is "
                    "called. Make it a functional model, keras.Model(keras.Input((100,)), ...), or a Sequential one that "
                    "begins with keras.Input, or give the input, fit(x, real)."
                )
            return x
        given = self._by_name(x)
        tensors = []
        for name, slot in self.slots.items():
            if name in given:
                self.check(name, given[name], "`x`")
                tensors.append(given[name])
            else:
                if None in slot.shape[1:]:
                    raise ValueError(
                        f"The input {name!r} of the generator is drawn, but its shape {tuple(slot.shape)} leaves sizes open. "
                        "Write keras.Input((100,)), for instance."
                    )
                tensors.append(draw(tuple(slot.shape[1:]), slot.dtype))
        return self.called_with(tensors)

    def _by_name(self, x):
        if x is None:
            return {}
        names = list(self.slots)
        if isinstance(x, Mapping):
            unknown = [name for name in x if name not in names]
            if unknown:
                raise ValueError(f"The generator has no input {unknown[0]!r}. It has: {', '.join(map(repr, names))}")
            return dict(x)
        given = tree.flatten(x)
        wanted = names if len(given) == len(names) else [name for name in names if name not in LATENT_NAMES]
        if len(given) != len(wanted):
            raise ValueError(
                f"`x` gives {len(given)} of the {len(names)} inputs of the generator ({', '.join(map(repr, names))}), and it "
                "is not clear which. What is to be drawn needs the name 'latent', keras.Input((100,), name='latent'); or give "
                f"the others by name, x={{{names[0]!r}: ...}}."
            )
        return dict(zip(wanted, given, strict=True))

    def check_condition(self, x: Tensors) -> None:
        """Raises ValueError if a discriminator judges a sample beside something else, and there is nothing else."""
        if x is None and self.slots is not None and len(self.slots) > 1:
            raise ValueError(
                f"The discriminator has {len(self.slots)} inputs ({', '.join(map(repr, self.slots))}), so it judges a sample "
                "beside what it was made of, but `fit` was given no `y`. Write fit(x, y): the generator makes a sample of x, "
                "which is judged beside x, as y is."
            )

    def judged(self, x: Tensors, sample: Tensor) -> Tensors:
        """What a discriminator is called with: a sample, and `x` in front of it if it has room for that.

        Args:
            x: the condition, or None.
            sample: a real or generated one.
        """
        if self.slots is None:
            return sample
        names, source = list(self.slots), "the sample to judge"
        if len(names) == 1:
            self.check(names[0], sample, source)
            return self.called_with([sample])
        self.check_condition(x)
        if isinstance(x, Mapping) and self.is_dict:
            (own,) = [name for name in names if name not in x] or [None]
            given = {**{name: x[name] for name in names if name in x}, own: sample}
        else:
            given = dict(zip(names, [*tree.flatten(x), sample], strict=False))
        if len(given) != len(names) or None in given or len(tree.flatten(x)) + 1 != len(names):
            raise ValueError(
                f"The discriminator has {len(names)} inputs ({', '.join(map(repr, names))}), but there are "
                f"{len(tree.flatten(x))} of `x` and the sample. It takes the sample alone, or all of `x` and then the sample."
            )
        for name, tensor in given.items():
            self.check(name, tensor, source if tensor is sample else "`x`")
        return self.called_with([given[name] for name in names])


_ADVICE = {
    "generator": "fit(real) draws the input of the generator itself; fit(x, y) takes it as x, and y are the real samples. "
    "Labels that neither network takes are left out.",
    "discriminator": "It must take what the generator gives and what `fit` is given as real samples: fit(real), or y in "
    "fit(x, y).",
}
