"""The lines of a reproducer that differ from kind to kind."""

from typing import Any

from kerasmith.checks.engine.case import Case


def run_text(case: Case, variable: str) -> str:
    """An expression that runs the component named `variable` on the inputs of the reproducer."""
    if case.kind == "loss":
        return f"{variable}(y_true, y_pred)"
    if case.kind == "metric":
        return f"{variable}(y_true, y_pred)"
    first, *others = case.specs
    return f"{variable}({', '.join([first, *(f'{name}={name}' for name in others)])})"


def again_with(case: Case, arguments: dict[str, Any]) -> list[str]:
    """A line that makes the component anew with these arguments beside those of `init`; no line where nothing changes."""
    if not arguments:
        return []
    written = ", ".join(f"{name}={value!r}" for name, value in {**case.subject.init, **arguments}.items())
    return [f"{case.kind} = type({case.kind})({written})"]


def comparison_lines(case: Case, other: str) -> list[str]:
    """Lines that run the component and the one named `other` and print both; a layer hands on its weights first."""
    first, second = run_text(case, case.kind), run_text(case, other)
    if case.kind != "layer":
        return [f"print({first})", f"print({second})"]
    return [f"print({first})", f"{second}; {other}.set_weights({case.kind}.get_weights())", f"print({second})"]
