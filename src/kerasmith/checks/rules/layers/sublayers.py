"""What a layer is made of computes as the layer does."""

from typing import Any

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.layers.case import LayerCase

_POLICY = "mixed_bfloat16"


@check("Y134", "layer", "warning", requires=("base", "Y118", "Y123", "X102"), since="0.2.0")
def sublayers_follow_the_policy(case: LayerCase) -> None:
    """Sub-layers do not get the dtype policy of the layer.

    A layer with `dtype="mixed_float16"`, or one that is cloned or loaded with a policy of its own, keeps sub-layers in the
    global policy: they compute in float32 what was to be half, or in half what was kept in float32 on purpose.

    Fix: hand it on, `keras.layers.Dense(units, dtype=self.dtype_policy)`, after `super().__init__(**kwargs)`.
    """
    from kerasmith.keras_internals.layers import all_layers

    if case.subject.is_instance:
        raise NotApplicable("an instance has its policy already")
    everywhere = case.prepared_in(_POLICY)
    if len(all_layers(everywhere)) < 2:
        raise NotApplicable("it has no sub-layers")
    try:
        alone = case.prepare(case.make(dtype=_POLICY))
    except Exception as error:
        raise Failed(
            f"an output with dtype={_POLICY!r}, as in the global policy {_POLICY}",
            f"{describe_error(error)}: its sub-layers compute in another dtype",
            [f'layer = type(layer)({_arguments(case)}dtype="{_POLICY}"); print({case.call_code()})'],
        ) from None
    pairs = list(zip(all_layers(alone)[1:], all_layers(everywhere)[1:]))
    left = [part for part, other in pairs if _computes(part) == "float32" and _computes(other) == "bfloat16"]
    if left:
        names = ", ".join(f"`{part.name}`" for part in left[:3])
        raise Failed(
            f"{names} with the policy {_POLICY}, as the layer has it",
            f"{len(left)} of {len(pairs)} sub-layers compute in float32: the global policy",
            [
                f'layer = type(layer)({_arguments(case)}dtype="{_POLICY}"); {case.call_code()}',
                "print(layer.compute_dtype, [v.path for v in layer.variables])",
                "parts = [p for v in vars(layer).values() for p in (v if isinstance(v, list) else [v])]",
                "print({p.name: p.compute_dtype for p in parts if isinstance(p, keras.layers.Layer)})",
            ],
        )


def _computes(layer: Any) -> str:
    return str(getattr(layer, "compute_dtype", ""))


def _arguments(case: LayerCase) -> str:
    return "".join(f"{name}={value!r}, " for name, value in case.subject.init.items())
