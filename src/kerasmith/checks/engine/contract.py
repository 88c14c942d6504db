"""What a component promises; each promise that it does not make, by design, is named here and not reported."""

import dataclasses
from typing import Any

from kerasmith.checks.engine.finding import CannotCheck, NotApplicable


@dataclasses.dataclass(frozen=True)
class Contract:
    """Promises of a component; the defaults are what Keras' users count on.

    A component may declare its own exceptions: `kerasmith_contract = {"independent": False}`, an attribute of the class or
    function. What is given to `kerasmith.check` takes the place of that.

    Attributes:
        per_sample: `Loss.call` returns (B,) or finer.
        independent: the output of a sample does not depend on the other samples of the batch.
        uses_y_true, uses_y_pred: the value depends on it.
        exact_gradient: the gradient is that of the value (False: straight-through, reversed or detached on purpose).
        deterministic: two calls at inference on the same input are equal.
        stateful: a call changes variables, so two calls may differ.
        additive: a metric's result does not depend on how the data are split into batches, or on their order.
        weights_repeat: weight k is k repetitions of the sample.
        mean_like: the same data twice give the same metric (False: a count, an extremum); None: found by trial.
        integer_weights: only whole weights are understood.
        replicas: equal to one device on N replicas.
        output_dtype: of a layer that leaves the dtype policy on purpose.
        random_per_sample: a random layer draws for each sample on its own.
        observer: a callback does not change the training (False: it is meant to).
        names: of the coordinates of an equation, "xyt"; by default those that it asks for (since 0.2).
        outputs: of the field of an equation, "uvp"; by default those that it asks for (since 0.2).
        continues: a second `fit` goes on from the state of the first.

    Example:

    >>> Contract(per_sample=False).exceptions()
    ['per_sample=False']
    """

    per_sample: bool = True
    independent: bool = True
    uses_y_true: bool = True
    uses_y_pred: bool = True
    exact_gradient: bool = True
    deterministic: bool = True
    stateful: bool = False
    additive: bool = True
    weights_repeat: bool = True
    mean_like: bool | None = None
    integer_weights: bool = False
    replicas: bool = True
    output_dtype: str | None = None
    random_per_sample: bool = True
    observer: bool = True
    continues: bool = False
    names: str | None = None
    outputs: str | None = None

    @classmethod
    def of(cls, given: "Contract | dict[str, Any] | None") -> "Contract":
        """A `Contract` of None, a dict or a `Contract`.

        Raises:
            CannotCheck: names a promise that does not exist.
        """
        if given is None:
            return cls()
        if isinstance(given, cls):
            return given
        if not isinstance(given, dict):
            raise CannotCheck(f"`contract` must be a Contract or a dict, such as dict(per_sample=False). Received: {given!r}")
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise CannotCheck(f"`contract` knows {', '.join(names)}. Received: {', '.join(unknown)}")
        return cls(**given)

    @classmethod
    def of_subject(cls, given: "Contract | dict[str, Any] | None", component: Any) -> "Contract":
        """The `Contract` that is given, or else the one that the component declares."""
        return cls.of(getattr(component, "kerasmith_contract", None) if given is None else given)

    def exceptions(self) -> list[str]:
        """["per_sample=False", ...]: what differs from the default."""
        pairs = ((field.name, getattr(self, field.name), field.default) for field in dataclasses.fields(self))
        return [f"{name}={value!r}" for name, value, default in pairs if value != default]

    def require(self, name: str) -> None:
        """Ends a check as "not applicable" if the promise `name` is not the default.

        Raises:
            NotApplicable: says which exception was declared.
        """
        value = getattr(self, name)
        default = {field.name: field.default for field in dataclasses.fields(self)}[name]
        if value != default:
            raise NotApplicable(f"declared: {name}={value!r}")
