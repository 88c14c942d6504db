"""What the tools that track experiments want to be called: one small adapter for each way of calling."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from kerasmith.files.plain_data import flat_text

TOOLS: tuple[str, ...] = ("mlflow", "trackio", "wandb")
_LONGEST = 500  # of a parameter of MLflow


class Tool(Protocol):
    """Takes what a run comes to."""

    def begin(self, config: Mapping[str, Any]) -> None:
        """Asked before training; a ValueError without a run that is active."""

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """The columns of an epoch."""

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        """A uint8 picture."""

    def events(self, new: Sequence[str], every: Sequence[str], step: int) -> None:
        """What happened since the last time, and all of it."""


class MLflow:
    """Metrics, parameters, images, and `events.txt` among the artifacts."""

    def __init__(self, module: Any) -> None:
        self._mlflow = module

    def begin(self, config: Mapping[str, Any]) -> None:
        if self._mlflow.active_run() is None:
            raise ValueError(_no_run("mlflow", "with mlflow.start_run(): model.fit(...)"))
        if config:
            self._mlflow.log_params({name: str(flat_text(value))[:_LONGEST] for name, value in config.items()})

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        self._mlflow.log_metrics(dict(values), step=step)

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        self._mlflow.log_image(picture, key=name, step=step, synchronous=True)

    def events(self, new: Sequence[str], every: Sequence[str], step: int) -> None:
        self._mlflow.log_metric("events", len(every), step=step)
        self._mlflow.log_text("\n".join([*every, ""]), "events.txt")


class Logged:
    """trackio and W&B: everything goes through `log`; a run has its configuration from `init`.

    Args:
        module: the package.
        name: of the package.
    """

    def __init__(self, module: Any, name: str) -> None:
        self._module, self._name = module, name

    def begin(self, config: Mapping[str, Any]) -> None:
        run = self._run()
        if run is None:
            raise ValueError(_no_run(self._name, f"{self._name}.init(project=...) before `fit`"))
        plain = {name: flat_text(value) for name, value in config.items()}
        if plain and hasattr(run.config, "update"):
            run.config.update(plain, **({"allow_val_change": True} if self._name == "wandb" else {}))

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        self._module.log(dict(values), step=step)

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        self._module.log({name: self._module.Image(picture)}, step=step)

    def events(self, new: Sequence[str], every: Sequence[str], step: int) -> None:
        self._module.log({"events": len(every), "event": "\n".join(new)}, step=step)

    def _run(self) -> Any:
        if self._name == "wandb":
            return self._module.run
        variables = importlib.import_module(f"{self._module.__name__}.context_vars")
        return variables.current_run.get()


def tool_of(tool: Any) -> Tool:
    """The adapter of a tool by its name, of its module, or an object that is one.

    Raises:
        ValueError: for another tool.
        ImportError: if it is not installed.
    """
    if all(callable(getattr(tool, method, None)) for method in ("begin", "numbers", "picture", "events")):
        return tool
    name = tool if isinstance(tool, str) else getattr(tool, "__name__", type(tool).__name__)
    if name not in TOOLS:
        raise ValueError(
            f"`tool` must be one of {', '.join(map(repr, TOOLS))}, its module, or an object with the methods begin, numbers, "
            f"picture and events. Received: tool={tool!r}. TensorBoard has a callback of its own, callbacks.TensorBoard"
        )
    if isinstance(tool, str):
        try:
            tool = importlib.import_module(name)
        except ImportError as problem:
            raise ImportError(f"Tracking with {name} needs its package: `pip install {name}`. {problem}") from problem
    return MLflow(tool) if name == "mlflow" else Logged(tool, name)


def _no_run(name: str, instead: str) -> str:
    return f"Tracking sends to the run of {name} that is active, and there is none. Write `{instead}`"
