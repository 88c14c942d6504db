"""The figures of a run in a file, for scripts."""

from typing import Any

from kerasmith._types import Config, Path
from kerasmith.base.arguments import check_config
from kerasmith.base.direction import best_index, direction_of
from kerasmith.callbacks.run_report.run_output import RunOutput
from kerasmith.callbacks.run_report.run_record import RunRecord
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.plain_data import json_text, plain
from kerasmith.report import environment
from kerasmith.report.training import LEARNING_RATE


class SummaryFile(RunOutput):
    """A JSON file with final and best values of a run, its duration, configuration and environment; written at the end.

    Args:
        path: the file; its directory must exist.
        title: what the run is called.
        config: {name: value}, what the run was made with. A `seed` is repeated in the environment.
        record: see `RunOutput`.

    Raises:
        ValueError: if the directory does not exist or `config` is no dict.

    Example:

    >>> import keras, tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     file = SummaryFile(scratch + "/summary.json", config={"seed": 7})
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[file])
    ...     file.summary()["best"]["loss"]["epoch"]
    2
    """

    def __init__(self, path: Path, *, title: str | None = None, config: Config | None = None, record: RunRecord | None = None):
        super().__init__(path, record)
        check_config(config)
        self.config: Config = dict(config or {})
        self.title: str = title or self.path.resolve().parent.name
        self.added: dict[str, Any] = {}

    def add_summary(self, **values: Any) -> None:
        """Adds values; they win over values of the run."""
        self.added.update(values)

    def summary(self) -> dict[str, Any]:
        """What the file holds."""
        record = self.record
        rows, best = record.rows, {}
        for name in dict.fromkeys(name for row in rows for name in row):
            index = best_index([row.get(name) for row in rows], direction_of(name, record.directions))
            if index is not None and name != LEARNING_RATE:
                best[name] = {"value": rows[index][name], "epoch": rows[index]["epoch"]}
        run = {
            "title": self.title,
            "status": record.status,
            "started": record.started,
            "epochs": len(rows),
            "seconds": round(record.seconds, 3),
            **{name: record.description[name] for name in ("parameters", "trainable") if name in record.description},
            "final": {name: value for name, value in (rows[-1] if rows else {}).items() if name != "epoch"},
            "best": best,
            "directions": record.directions,
            "events": record.events.in_order(),
            "epoch_seconds": [None if s is None else round(s, 3) for s in record.epoch_seconds],
            "config": self.config,
            "environment": environment(self.config.get("seed")),
        }
        return plain({**run, **self.added})

    def write(self) -> None:
        """Replaces the file."""
        write_atomically(self.path, json_text(self.summary()), make_directory=True)

    def after_training(self) -> None:
        with self.sparing(f"writing {self.path}"):
            self.write()
