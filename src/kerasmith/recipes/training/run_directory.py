"""The directory of a run: fresh, interrupted, or finished; of this configuration or of another."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasmith.files.atomic_write import write_atomically
from kerasmith.recipes.training.config import Config, read_config
from kerasmith.recipes.training.config_error import ConfigError, displayed

CONFIG, PLAN, MODEL, SUMMARY, CHECKPOINTS = "config.resolved.yaml", "plan.json", "model.keras", "summary.json", "checkpoints"
FREE: tuple[str, ...] = ("epochs", "out", "tensorboard", "callbacks", "check")
"""Keys that may change while a run goes on."""


@dataclasses.dataclass(frozen=True)
class Earlier:
    """A run that a directory holds already.

    Attributes:
        directory: of the run.
        config: its resolved configuration.
        plan: its plan.json.
        epochs: those that it was to have.
        is_finished: whether its results are written.
    """

    directory: Path
    config: Config
    plan: dict[str, Any]

    @property
    def epochs(self) -> int:
        """How many it was to have."""
        return int(self.config["epochs"])

    @property
    def is_finished(self) -> bool:
        """Whether its results are written."""
        return (self.directory / SUMMARY).exists()


def run_directory_of(config: Config) -> str:
    """The run directory of a configuration."""
    return str(Path("runs").absolute() / Path(config.name).stem) if config.is_auto("out") else config["out"]


def earlier_run(directory: str | os.PathLike[str]) -> Earlier | None:
    """The run of a directory, None where there is none.

    Raises:
        ConfigError: where its files cannot be read.
    """
    path = Path(directory)
    if not (path / CONFIG).exists():
        return None
    try:
        plan = json.loads((path / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigError(None, f"{path / PLAN} cannot be read: {problem}. Give another directory with `--out`.") from None
    return Earlier(path, read_config(path / CONFIG), plan)


def check_same(earlier: Earlier, values: Mapping[str, Any], digest: str) -> None:
    """Raises `ConfigError` where a run that exists was begun with another configuration or on other data."""
    before = written_values(earlier.config)
    changed = [
        f"`{key}` was {displayed(before[key])}, is {displayed(value)}"
        for key, value in values.items()
        if key not in FREE and _plain(before.get(key)) != _plain(value)
    ]
    if earlier.plan.get("data") != digest:
        changed.append("the images or masks are other ones, or held out otherwise")
    if changed:
        raise ConfigError(
            None,
            f"{earlier.directory} holds a run of another configuration: "
            f"{'; '.join(changed)}. Undo the change; or give another "
            f"directory, `--out {earlier.directory}-2`; with `--from {earlier.directory}` "
            f"the new run starts from its weights.",
        )


def written_values(config: Config) -> dict[str, Any]:
    """{key: plain value} of a resolved configuration."""
    return {key: config.written.get(key, config.settings[key]) for key in config.settings}


def write_plan(directory: Path, text: str, plan: Mapping[str, Any]) -> None:
    """Writes the resolved configuration and plan.json, each whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / PLAN, (json.dumps(plan, indent=1, ensure_ascii=False) + "\n").encode())
    try:
        write_atomically(directory / CONFIG, text.encode())
    except OSError:
        if not (directory / CONFIG).exists():  # a plan alone is no run, and would refuse the same command
            (directory / PLAN).unlink()
        raise


def _plain(value):
    if isinstance(value, str) and re.fullmatch(r"\s*none\s*", value):
        return None
    return json.loads(json.dumps(value))
