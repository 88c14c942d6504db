"""The child process of `kerasmith check`: one backend, checks one after the other, a line of JSON per event.

The parent writes a request (one line of JSON) and reads events; it kills this process when a check takes too long and starts
another with what is done. What a component prints goes to standard error.
"""

import json
import os
import pathlib
import sys
import traceback
from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.keras_internals.quick_import import import_keras


def main() -> None:
    """Reads the request and answers it."""
    request = json.loads(sys.stdin.readline())
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # A component that prints, even from C, must not write between the events.

    def send(event: str, **fields: Any) -> None:
        events.write(json.dumps({"event": event, **fields}) + "\n")

    try:
        _answer(request, send)
    except Exception as error:
        if not _is_cannot_check(error):
            traceback.print_exc()
        send("cannot", index=None, message=str(error) if _is_cannot_check(error) else f"{type(error).__name__}: {error}")
    send("done")


def _is_cannot_check(error: BaseException) -> bool:
    from kerasmith.checks.engine.finding import CannotCheck

    return isinstance(error, CannotCheck)


def _answer(request: dict[str, Any], send: Callable[..., None]) -> None:
    import_keras(_text_of(request["target"]))
    import keras

    if keras.config.backend() == "tensorflow":
        split_processor()
    from kerasmith.checks.engine.finding import CannotCheck

    send("importing")
    subjects = _subjects(request)
    send("components", names=[name for name, _ in subjects])
    for index, (_, make) in enumerate(subjects):
        if index in request["finished"]:
            continue
        try:
            _examine(index, make(), request, send)
        except CannotCheck as error:
            send("cannot", index=index, message=str(error), details=error.details)


def _text_of(place: str) -> str | None:
    """The text of the file that will be imported; None for a module by name, which is found by importing its package."""
    from kerasmith.checks.engine import target

    file = target.split(place)[0]
    try:
        return pathlib.Path(file).read_text(errors="replace") if file.endswith(".py") else None
    except OSError:
        return None


def split_processor() -> None:
    """Makes two devices of the processor, for checks on two replicas: TensorFlow must not have begun to compute."""
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def _subjects(request: dict[str, Any]) -> list[tuple[str, Callable[[], Subject | SourceSubject]]]:
    """[(name, function that gives the `Subject`)] of the target; a whole file is a subject of its own, its source."""
    from kerasmith.checks.engine import target
    from kerasmith.checks.engine.subject import subject_of

    place, name = target.split(request["target"])
    found = target.components(request["target"])
    subjects, init = [], request["init"] or {}
    if name is None and target.source_file(place):
        from kerasmith.checks.engine.subject import source_subject

        subjects.append((place, lambda: source_subject(target.source_file(place))))
    for label, component in found:
        own = init if name is not None or isinstance(init, str) else init.get(label)
        subjects.append(
            (label, lambda component=component, own=own, label=label: subject_of(component, own, request["kind"], label))
        )
    return subjects


def _examine(index: int, subject: Subject | SourceSubject, request: dict[str, Any], send: Callable[..., None]) -> None:
    from kerasmith.checks.engine.examination import Examination
    from kerasmith.checks.engine.target import split

    ignore = list(request["ignore"] or ())
    if split(request["target"])[1] is None and subject.kind != "source":
        ignore.append("S")  # The file as a whole is asked already.
    done = request["done"].get(str(index), {})
    examination = Examination(
        subject, request["like"], request["contract"], request["select"], ignore, request["seed"], done=done
    )
    send(
        "component",
        index=index,
        kind=subject.kind,
        file=subject.file,
        line=subject.line,
        plan=[one.id for one in examination.plan],
    )
    for record in examination.records(announce=lambda id: send("begin", index=index, id=id)):
        send("end", index=index, **record.as_dict())
    send("finished", index=index, **examination.circumstances())


if __name__ == "__main__":
    main()
