"""The child process of `kerasmith check train.py`: runs the script up to a `fit`, and asks the set-up of that call instead.

Speaks as `worker` does. The questions are asked inside of the script's call, so that strategies, folders and sessions that the
script has opened are still there; the process ends with the last answer.
"""

import io
import json
import os
import pathlib
import runpy
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from kerasmith.keras_internals import fit_interception
from kerasmith.keras_internals.fit_interception import Interception, Line


def main() -> None:
    """Reads the request and answers it."""
    request = json.loads(sys.stdin.readline())
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # What the script prints must not come between the events.
    # It has no one to ask.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.dont_write_bytecode, sys.stderr = True, _LastLine(sys.stderr)
    lock = threading.Lock()

    def send(event: str, **fields: Any) -> None:
        with lock:
            events.write(json.dumps({"event": event, **fields}) + "\n")

    def end() -> NoReturn:
        # At once: nothing of the script runs any more.
        send("done")
        events.flush()
        sys.stderr.flush()
        os._exit(0)

    _Run(request, send, end).run()


class _Run:
    def __init__(self, request: dict[str, Any], send: Callable[..., None], end: Callable[[], NoReturn]) -> None:
        self._request, self._send, self._end = request, send, end
        self._target: str = request["target"]
        self._fits = 0
        self._interception: Interception | None = None
        self._asking = False

    def run(self) -> None:
        self._send("importing")
        watch = threading.Timer(self._request["limit"], self._too_long)
        watch.daemon = True
        watch.start()
        fit_interception.when_keras_is_imported(self._intercept)
        arguments = self._request["arguments"]
        try:
            if self._target.endswith(".py"):
                path = pathlib.Path(self._target).resolve()
                sys.argv = [self._target, *arguments]
                sys.path[0:1] = [str(path.parent)]
                runpy.run_path(str(path), run_name="__main__")
            else:
                sys.argv = ["-m", *arguments]
                sys.path[0:1] = [os.getcwd()]
                runpy.run_module(self._target, run_name="__main__", alter_sys=True)
        except SystemExit as error:
            self._stopped(error)
        except BaseException as error:
            self._cannot(self._words_of(error))
        self._cannot(self._ended())

    def _intercept(self, keras: Any) -> None:
        self._send("backend", name=keras.config.backend())
        self._interception = Interception(keras, self._on_fit, self._on_own_step)

    def _on_fit(self, model: Any, arguments: dict[str, Any], line: Line | None) -> Any:
        self._fits += 1
        if self._fits < self._request["fit"] or self._asking:
            return _nothing_trained(model, arguments)
        return self._ask_and_end(model, arguments, line)

    def _ask_and_end(self, model: Any, arguments: dict[str, Any], line: Line | None) -> NoReturn:
        self._asking = True
        from kerasmith.checks.engine.finding import CannotCheck

        try:
            self._ask(model, arguments, line)
        except CannotCheck as error:
            self._send("cannot", index=0, message=str(error), details=error.details)
        except BaseException as error:
            self._send("cannot", index=None, message=f"{type(error).__name__}: {error}")
        self._end()

    def _ask(self, model: Any, arguments: dict[str, Any], line: Line | None) -> None:
        from kerasmith.checks.engine.examination import Examination
        from kerasmith.checks.engine.training_setup import Place, SetupSubject, setup_of

        self._send("components", names=[f"{model.name}.fit"])
        names = ("x", "y", "sample_weight", "class_weight", "validation_data", "validation_split", "batch_size", "shuffle")
        names += ("epochs", "steps_per_epoch", "callbacks", "initial_epoch", "validation_batch_size", "validation_steps")
        setup = setup_of(model, (), {name: arguments.get(name) for name in names})
        places = {} if self._interception is None else self._interception.places
        setup.places = {key: Place(*found) for key, found in places.items()}
        if line is not None:
            setup.places["fit"] = Place(*line)
        if id(model) in places:
            setup.places["compile"] = Place(*places[id(model)])
        request = self._request
        if 0 in request["finished"]:
            return
        done = request["done"].get("0", {})
        subject = SetupSubject(setup, f"{model.name}.fit")
        examination = Examination(
            subject, None, request["contract"], request["select"], request["ignore"], request["seed"], done=done
        )
        plan = [one.id for one in examination.plan]
        self._send("component", index=0, kind="setup", file=subject.file, line=subject.line, plan=plan)
        for record in examination.records(announce=lambda id: self._send("begin", index=0, id=id)):
            self._send("end", index=0, **record.as_dict())
        self._send("finished", index=0, **examination.circumstances())

    def _on_own_step(self, what: str, line: Line | None) -> None:
        if not self._asking:
            call = {"train_on_batch": "`train_on_batch`"}.get(what, "an optimizer of its own loop")
            self._cannot(
                f"{self._target} trains{_at(line, ' at ')} with {call}, not with `fit`: there is no call to take model and "
                "data from. Ask before the loop, in the script: `print(kerasmith.check(model, x, y))`, with a compiled model "
                "and some of the data."
            )

    def _cannot(self, message: str) -> NoReturn:
        self._send("cannot", index=None, message=message)
        self._end()

    def _too_long(self) -> None:
        if not self._asking:
            self._cannot(
                f"{self._target} has not reached its `fit` after {self._request['limit']:g} s"
                f"{_at(fit_interception.line_of_main_thread(), '; it is at ')}. Give it less data for a check, allow more "
                "time with --script-limit, or write `print(kerasmith.check(model, x, y))` before `fit`."
            )

    def _stopped(self, error: SystemExit) -> NoReturn:
        if error.code in (None, 0):
            self._cannot(self._ended())
        message = f": {error.code}" if isinstance(error.code, str) else f" with exit status {error.code}"
        message += f" ({sys.stderr.last})" if isinstance(sys.stderr, _LastLine) and sys.stderr.last else ""
        self._cannot(
            f"{self._target} ended{message} before `fit`. Its own arguments stand behind two dashes: kerasmith check "
            f"{self._target} -- --epochs 3"
        )

    def _words_of(self, error: BaseException) -> str:
        from kerasmith.checks.engine.messages import describe_error

        message = describe_error(error)
        advice = "Run the script itself to see more."
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            advice = f"It ran in {os.getcwd()}; give it its data, or a few made ones of the same shape and kind."
        elif isinstance(error, ModuleNotFoundError):
            advice = "Install it into the environment that kerasmith runs in, or start that environment's `kerasmith`."
        elif isinstance(error, EOFError):
            advice = "It waits for an input, and there is nobody to ask: give the answer as an argument behind `--`."
        elif "URL fetch failure" in str(error) or "urlopen" in str(error) or type(error).__name__ == "URLError":
            advice = "It fetches data from the network; have them here, or give a few made ones of the same shape and kind."
        where = _at(fit_interception.line_of_error(error), " at ")
        return f"{self._target} stops before `fit`{where}: {message.rstrip('.')}. {advice}"

    def _ended(self) -> str:
        if self._fits:
            times = "once" if self._fits == 1 else f"{self._fits} times"
            return f"{self._target} calls `fit` {times}: --fit {self._request['fit']} asks for one more than there is."
        if self._interception is None:
            return f"{self._target} ended without importing Keras, so there is no training to ask about."
        return (
            f"{self._target} ended without calling `fit` on a compiled model. If it trains when it is given an argument, "
            f"write it behind two dashes: kerasmith check {self._target} -- --train. If it trains with a loop of its own, "
            "write `print(kerasmith.check(model, x, y))` before the loop."
        )


class _LastLine(io.TextIOBase):
    """Standard error that remembers the last line that was written to it: there a script says why it ends."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.last = stream, ""

    def write(self, text: str) -> int:
        self.last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), self.last)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


def _nothing_trained(model: Any, arguments: dict[str, Any]) -> Any:
    """What an earlier `fit` gives back to the script: a history without numbers."""
    import keras

    class _Unknown(dict):
        def __missing__(self, key: str) -> list[float]:
            return [float("nan")] * int(arguments.get("epochs") or 1)

    history = keras.callbacks.History()
    history.history, history.epoch = _Unknown(), list(range(int(arguments.get("epochs") or 1)))
    history.set_model(model)
    return history


def _at(line: Line | None, before: str) -> str:
    """` at train.py:12 (model = make())`; "" where the line is unknown."""
    if line is None:
        return ""
    return f"{before}{pathlib.Path(line.file).name}:{line.line}" + (f" ({line.text})" if line.text else "")


if __name__ == "__main__":
    warnings.filterwarnings("default")
    main()
