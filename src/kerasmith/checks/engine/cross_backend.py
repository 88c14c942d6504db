"""Compares what the same check returned on different backends."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import BACKENDS, differ, farthest
from kerasmith.checks.engine.finding import Finding, Record

RUN_LINES = {
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
        if not differ(reference, found, BACKENDS):
            continue
        worst = farthest(reference, found, digits=6)
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


def _flat(values: Any) -> np.ndarray:
    if isinstance(values, dict):
        values = [values[key] for key in sorted(values)]
    if isinstance(values, (list, tuple)):
        return np.concatenate([_flat(value) for value in values]) if values else np.zeros(0)
    return np.array([np.nan if values is None else values], "float64")


def template(id: str, case: Case) -> dict[str, Any]:
    """The finding of a difference between backends, but for its numbers; made where the component is."""
    one = registry.CHECKS[id]
    return Finding(
        id=id,
        severity=one.severity,
        title=one.title,
        expected="",
        actual="",
        reproducer=case.lines(RUN_LINES[case.kind]),
        fix=one.fix,
        file=case.subject.file,
        line=case.subject.line,
    ).as_dict()
