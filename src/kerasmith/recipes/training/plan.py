"""What a training will do, decided by the configuration and by the data, each decision with its reason."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasmith.recipes.training import class_ids, fingerprint, network_plan
from kerasmith.recipes.training.cases import Case, Files, read_cases, to_one_spacing
from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.fields import FIELDS
from kerasmith.recipes.training.loss_plan import decide_loss, decide_metrics
from kerasmith.recipes.training.part_calls import check_parts
from kerasmith.recipes.training.split import split


@dataclasses.dataclass(frozen=True)
class Decision:
    """A value and why it is what it is.

    Attributes:
        key: of the configuration, or what else was decided.
        value: as a configuration writes it.
        why: a short phrase.
        is_set: whether the configuration says so.
    """

    key: str
    value: Any
    why: str
    is_set: bool = False


@dataclasses.dataclass
class Plan:
    """A training before it begins.

    Attributes:
        config: what was given.
        values: {key: plain value} of all keys, nothing left to decide; `None` for none.
        decisions: in the order of the keys.
        train, held_out: the cases.
        files: reads them.
        ids: {id of the masks: class}; of objects {0: 0, 1: 1}.
        names: of the classes.
        fingerprint: see `fingerprint.fingerprint`.
        digest: of the data.
        notes: what is noteworthy about the data.
    """

    config: Config
    values: dict[str, Any]
    decisions: list[Decision]
    train: list[Case]
    held_out: list[Case]
    files: Files
    ids: dict[int, int]
    names: list[str]
    fingerprint: dict[str, Any]
    digest: str
    notes: list[str]

    @property
    def instances(self) -> bool:
        """Whether objects are kept apart."""
        return bool(self.values["instances"])

    @property
    def axes(self) -> int:
        """Spatial axes of the images."""
        return int(self.fingerprint["axes"])

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return int(self.fingerprint["channels"])

    @property
    def outputs(self) -> str:
        """What the network ends in: "sigmoid", "softmax" or "instances"."""
        return "instances" if self.instances else "sigmoid" if len(self.names) == 2 else "softmax"


def make_plan(config: Config) -> Plan:
    """Reads all files once and decides what the configuration leaves open. Loads no Keras.

    Raises:
        ConfigError: for everything about the configuration and the data that would stop or spoil a training.
    """
    check_parts(config)
    cases = read_cases(config, config["images"], config["masks"])
    train, held_out, why_split = split(config, cases)
    spacing, train, held_out = to_one_spacing(train, held_out)
    names, void = list(config["classes"]), config["void"]
    if config["instances"]:
        class_ids.check_instances(config, [*train, *held_out])
        ids, why_ids = {0: 0, 1: 1}, "each object has an id of its own"
    else:
        ids, why_ids = class_ids.class_ids(config, [*train, *held_out])
    files = Files(None if config["instances"] else ids, void)
    known_data = fingerprint.fingerprint(train, files, None if config["instances"] else ids, names, void, spacing)
    decided = _Decider(config)
    _decide_data(decided, config, ids, names, why_ids, why_split)
    network_plan.decide(decided, config, known_data)
    decide_loss(decided, config, known_data)
    decide_metrics(decided, config, names)
    _decide_rest(decided, config)
    return Plan(
        config,
        {key: decided.values[key] for key in FIELDS},
        sorted(decided.decisions, key=lambda one: list(FIELDS).index(one.key)),
        train,
        held_out,
        files,
        ids,
        names,
        known_data,
        fingerprint.digest(train, held_out),
        _notes(config, ids, names, train, held_out, known_data),
    )


class _Decider:
    """Collects decisions: what was set counts, else what the data say."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.values: dict[str, Any] = {}
        self.decisions: list[Decision] = []

    def __call__(self, key: str, value: Any, why: str, *, written: Any = None, why_set: str = "as set") -> Any:
        """Decides on a key.

        Args:
            key: of the configuration.
            value: what the data say.
            why: a phrase.
            written: the value that was set, in the form of `value`, where the configuration has it in another.
            why_set: a phrase for a value that was set.
        """
        is_set = key in self.config.places and not self.config.is_auto(key)
        if key in self.config.inherited:
            value, why = (self.config[key] if written is None else written), self.config.inherited[key]
        elif is_set:
            value, why = (self.config[key] if written is None else written), why_set
        self.values[key] = value
        self.decisions.append(Decision(key, value, why, is_set))
        return value


def _decide_data(decided, config, ids, names, why_ids, why_split):
    plain = {name: number for name, number in zip(names, ids, strict=True)}
    for key in ("images", "masks"):
        decided(key, config[key], "as set")
    decided("classes", plain, why_ids, written=plain, why_set=why_ids)
    for key in ("void", "instances", "validation_masks", "group", "folds", "fold"):
        decided(key, config[key], "default")
    if config.is_auto("validation"):
        share = None if why_split.startswith("there is one") else "auto" if config["folds"] is not None else 0.2
        decided("validation", share, why_split)
    else:
        decided("validation", config["validation"], why_split)


def _decide_rest(decided, config):
    import importlib.util

    from kerasmith.backends import installed_backends

    decided("callbacks", [], "default", written=written(config, "callbacks"))
    for key in ("threshold", "precision", "seed", "check", "from"):
        decided(key, config[key], "default")
    installed = installed_backends()
    if not installed:
        raise ImportError("No backend of Keras is installed. Write `pip install tensorflow`, or jax, or torch.")
    decided("backend", _usual_backend(config, installed), "$KERAS_BACKEND, else the first that is installed")
    if decided.values["backend"] not in installed:
        raise config.error("backend", f"the backend is not installed. Write `pip install {decided.values['backend']}`.")
    has = importlib.util.find_spec("tensorboard") is not None
    decided("tensorboard", has, "the package tensorboard is installed" if has else "the package tensorboard is not installed")
    if decided.values["tensorboard"] and not has:
        raise config.error("tensorboard", "the package tensorboard is not installed. Write `pip install tensorboard`.")
    decided("out", str(Path("runs").absolute() / Path(config.name).stem), "runs/, with the name of the configuration")


def _usual_backend(config, installed):
    import os

    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked not in FIELDS["backend"].choices and config.is_auto("backend"):
        raise config.error(
            "backend", f"$KERAS_BACKEND must be one of {', '.join(FIELDS['backend'].choices)}. Received: {asked!r}"
        )
    return asked or installed[0]


def written(config: Config, key: str) -> list[str] | None:
    """The texts of a list of calls as the configuration writes it, None where it does not."""
    from kerasmith.recipes.training.expression import text_of

    value = config[key]
    return None if config.is_auto(key) else [text_of(call) for call in value]


def _notes(config, ids, names, train: Sequence[Case], held_out: Sequence[Case], known_data) -> list[str]:
    """What a reader should know before training."""
    notes = []
    if not config["instances"]:
        for part, cases in (("training", train), ("held-out", held_out)):
            absent = class_ids.absent_classes(ids, names, cases) if cases else []
            if absent:
                notes.append(f"no {part} mask holds {', '.join(absent)}")
    resampled = sum(case.is_resampled for case in train)
    if resampled:
        size = " x ".join(f"{one:g}" for one in known_data["spacing"])
        notes.append(f"{resampled} images have another spacing than {size} and are resampled to it")
    elif known_data["spacing"] is None and any(case.spacing is not None for case in train):
        notes.append("only some files say the spacing of their pixels, so it is not used")
    rare = [name for name, share in known_data["class_shares"].items() if 0 < share < 1e-4]
    if rare:
        notes.append(f"{', '.join(rare)}: less than 1 pixel of 10,000")
    if math.isclose(known_data["intensity"]["std"], 0.0):
        notes.append("the images are constant: nothing can be learned from them")
    return notes
