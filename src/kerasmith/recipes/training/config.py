"""A configuration that was read and checked as far as it goes without the data."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasmith.recipes.training import config_file, values
from kerasmith.recipes.training.config_error import ConfigError, Place, did_you_mean, displayed
from kerasmith.recipes.training.fields import AUTO, FIELDS, REQUIRED
from kerasmith.recipes.training.paths import absolute

_PATHS = ("images", "masks", "validation_masks", "from", "out")


@dataclasses.dataclass(frozen=True)
class Config:
    """The values of all keys.

    Attributes:
        name: of the file, or "config".
        settings: {key: value as `values` reads it}; "auto" where the data decide.
        places: {key: where its value stands}, of the keys that were set.
        written: {key: plain value as it was written}, of the keys that were set.
        inherited: {key: why}, of the keys whose values an earlier run has decided.
    """

    name: str
    settings: dict[str, Any]
    places: dict[str, Place]
    written: dict[str, Any]
    inherited: dict[str, str] = dataclasses.field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def is_auto(self, key: str) -> bool:
        """Whether the data decide."""
        value = self.settings[key]
        return isinstance(value, str) and value == AUTO

    def error(self, key: str, text: str) -> ConfigError:
        """An error at the value of a key."""
        return ConfigError(self.places.get(key, Place(self.name)), text)


def read_config(source: str | os.PathLike[str] | Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Config:
    """Reads a file, or a dict of what would stand in it.

    Paths are relative to the folder of the file, of a dict to the working directory.

    Args:
        source: the path of a file, or {key: value}.
        overrides: {key: plain value} that counts instead, such as what the command line gave; None values count for nothing.

    Raises:
        ConfigError: for what cannot be read, with file, line and column.
    """
    if isinstance(source, Mapping):
        name, folder, root = "config", Path.cwd(), _value(dict(source), Place("config"))
    else:
        name, folder = os.fspath(source), Path(source).resolve().parent
        root = config_file.read(source)
    for key, value in root.data.items():
        if key not in FIELDS:
            raise ConfigError(
                value.key_place or value.place, f"there is no key `{displayed(key)[1:-1]}`. {did_you_mean(key, FIELDS)}"
            )
    given = dict(root.data)
    for key, value in (overrides or {}).items():
        if value is not None:
            given[key] = _value(absolute(".", value) if key in _PATHS else value, Place(f"--{key}"))
    settings = {}
    for key, field in FIELDS.items():
        if key not in given:
            if field.default is REQUIRED:
                raise ConfigError(Place(name), f"the key `{key}` is missing: {field.doc}. Write `{key}: {field.example}`.")
            settings[key] = field.default
        elif field.default is AUTO and values.is_auto(given[key]):
            settings[key] = AUTO
        else:
            settings[key] = values.read(field, given[key])
    for key in _PATHS:
        if settings[key] not in (None, AUTO):
            settings[key] = absolute(folder, settings[key])
    if isinstance(settings["validation"], str) and settings["validation"] != AUTO:
        settings["validation"] = absolute(folder, settings["validation"])
    config = Config(
        name,
        settings,
        {key: value.place for key, value in given.items()},
        {key: value.plain() for key, value in given.items()},
    )
    _check_together(config)
    return config


def _check_together(config: Config) -> None:
    held_out = config["validation"]
    is_folder = isinstance(held_out, str) and held_out != AUTO
    if is_folder and config["validation_masks"] is None:
        raise config.error("validation", "a folder of images needs its masks: add `validation_masks: folder`.")
    if config["validation_masks"] is not None and not is_folder:
        raise config.error("validation_masks", "`validation_masks` needs the images: add `validation: folder`.")
    if config["folds"] is not None and not config.is_auto("validation"):
        raise config.error("folds", "`folds` hold each file out once, so `validation` is not for you to set. Remove one.")
    if config["fold"] is not None and (config["folds"] is None or config["fold"] > config["folds"]):
        raise config.error("fold", f"`fold` is one of `folds`, counted from 1. Received: fold={config['fold']}")
    classes, void = config["classes"], config["void"]
    if void is not None and void in [one for one in classes.values() if one is not None]:
        raise config.error("void", f"the id {void} is that of the class `{_name_of(classes, void)}`. Give `void` another id.")
    if config["instances"] and len(classes) > 2:
        raise config.error("instances", "masks of objects have one class: write `classes: [background, name]`.")


def _name_of(classes, number):
    return next(name for name, one in classes.items() if one == number)


def _value(data: Any, place: Place) -> config_file.Value:
    """A plain value as a file would give it."""
    if isinstance(data, Mapping):
        return config_file.Value(
            {str(name): dataclasses.replace(_value(one, place), key_place=place) for name, one in data.items()}, place
        )
    if isinstance(data, list | tuple):
        return config_file.Value([_value(one, place) for one in data], place)
    if isinstance(data, os.PathLike):
        return config_file.Value(os.fspath(data), place)
    return config_file.Value(config_file.scalar(data, place) if isinstance(data, str) else data, place)
