"""Compares what the same check returned on different backends."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Finding, Record

# Of the largest number: float32 sums in another order differ by less, another definition by far more.
TOLERANCE = 2e-3
SHOWN_BY = {
    "loss": "print(loss(y_true, y_pred))",
    "metric": "metric.update_state(y_true, y_pred); print(metric.result())",
    "layer": "print(layer(inputs))",
}


def compare_backends(records: dict[str, list[Record]]) -> None:
    """Records with data become "fail" where they differ from the first backend's, "not applicable" if only one ran.

    Args:
        records: {backend: records}; replaced in place.
    """
    for id in dict.fromkeys(record.id for some in records.values() for record in some if record.data is not None):
        _compare(records, id)


def _compare(records: dict[str, list[Record]], id: str) -> None:
    shares = {
        backend: record
        for backend, some in records.items()
        for record in some
        if record.id == id and record.data is not None and record.outcome == "pass"
    }
    first, *others = shares
    if not others:
        _replace(records, first, id, outcome="not applicable", why="one backend ran")
        return
    reference = _flat(shares[first].data["values"])
    for backend in others:
        found = _flat(shares[backend].data["values"])
        if _close(reference, found):
            continue
        worst = _worst(reference, found)
        finding = Finding(
            **{
                **shares[backend].data["finding"],
                "expected": f"the same numbers on {first} and {backend}: {worst[0]} on {first}",
                "actual": f"{worst[1]} on {backend}",
            }
        )
        _replace(records, backend, id, outcome="fail", finding=finding)


def _replace(records: dict[str, list[Record]], backend: str, id: str, **changes: Any) -> None:
    records[backend] = [dataclasses.replace(one, **changes) if one.id == id else one for one in records[backend]]


def _flat(values):
    if isinstance(values, dict):
        values = [values[key] for key in sorted(values)]
    if isinstance(values, (list, tuple)):
        return np.concatenate([_flat(value) for value in values]) if values else np.zeros(0)
    return np.array([np.nan if values is None else values], "float64")


def _close(a, b):
    if a.shape != b.shape:
        return False
    scale = np.nanmax(np.abs(np.where(np.isfinite(a), a, 0)), initial=1e-3)
    return bool(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True))


def _worst(a, b):
    if a.shape != b.shape:
        return f"{a.size} numbers", f"{b.size} numbers"
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b)
    gap = np.where(np.isnan(gap), np.inf, gap)
    gap[np.isnan(a) & np.isnan(b)] = 0
    index = int(np.argmax(gap))
    return f"{a[index]:.6g}", f"{b[index]:.6g}"


def template(id, case):
    """The finding of a difference between backends, but for its numbers; made where the component is."""
    one = registry.CHECKS[id]
    return Finding(
        id=id,
        severity=one.severity,
        title=one.title,
        expected="",
        actual="",
        reproducer=case.lines(SHOWN_BY[case.kind]),
        fix=one.fix,
        file=case.subject.file,
        line=case.subject.line,
    ).as_dict()
