"""Which files are held out."""

import re
from collections.abc import Sequence

import numpy as np

from kerasmith.recipes.training.cases import Case, read_cases
from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.config_error import did_you_mean

SHARE = 0.2


def split(config: Config, cases: Sequence[Case]) -> tuple[list[Case], list[Case], str]:
    """(training cases, held-out cases, why).

    Raises:
        ConfigError: for names that are not there, more folds than groups, nothing left to train on.
    """
    held_out = config["validation"]
    if held_out is None:
        return list(cases), [], "as `validation` says"
    if isinstance(held_out, list):
        return _named(config, cases, held_out)
    if isinstance(held_out, str) and not config.is_auto("validation"):
        return list(cases), _folder(config, cases), "as `validation` says"
    groups = _groups(config, cases)
    of = "groups" if config["group"] else "files"
    if config["folds"] is not None:
        if config["folds"] > len(groups):
            raise config.error("folds", f"{config['folds']} folds need as many {of}. There are {len(groups)}.")
        fold = config["fold"] or 1
        chosen = _shuffled(config, groups)[fold - 1 :: config["folds"]]
        why = f"fold {fold} of {config['folds']}: {len(chosen)} of {len(groups)} {of}"
    else:
        share = SHARE if config.is_auto("validation") else held_out
        if len(groups) < 2:
            if not config.is_auto("validation"):
                raise config.error(
                    "validation", f"there is one of the {of} only, so none can be held out. Write `validation: none`."
                )
            return list(cases), [], f"there is one of the {of} only"
        count = min(max(1, round(share * len(groups))), len(groups) - 1)
        chosen = _shuffled(config, groups)[:count]
        why = f"{count} of {len(groups)} {of}, drawn with seed {config['seed']}"
    names = {case.name for group in chosen for case in groups[group]}
    return [case for case in cases if case.name not in names], [case for case in cases if case.name in names], why


def _shuffled(config, groups):
    names = sorted(groups)
    return [names[i] for i in np.random.default_rng(config["seed"]).permutation(len(names))]


def _groups(config, cases):
    """{group: cases}; without `group` each file is one."""
    pattern = config["group"]
    if pattern is None:
        return {case.name: [case] for case in cases}
    groups: dict[str, list[Case]] = {}
    for case in cases:
        match = re.search(pattern, case.name)
        if match is None or match[1] is None:
            raise config.error("group", f"`group` does not match the name {case.name!r}. It must match every file.")
        groups.setdefault(match[1], []).append(case)
    return groups


def _named(config, cases, names):
    known = {case.name: case for case in cases} | {case.image.name: case for case in cases}
    for name in names:
        if name not in known:
            raise config.error(
                "validation", f"there is no image {name!r} to hold out. {did_you_mean(name, {c.name for c in cases})}"
            )
    chosen = {known[name].name for name in names}
    train = [case for case in cases if case.name not in chosen]
    if not train:
        raise config.error("validation", "all images are held out. Leave some to train on.")
    return train, [case for case in cases if case.name in chosen], "as `validation` says"


def _folder(config, cases):
    held_out = read_cases(config, config["validation"], config["validation_masks"], "validation")
    same = {case.digest: case for case in cases}
    twice = [case for case in held_out if case.digest in same]
    if twice:
        raise config.error(
            "validation", f"{twice[0].image} is among the training images too, as {same[twice[0].digest].image}. Remove one."
        )
    usual, first = cases[0], held_out[0]
    if (len(first.shape), first.channels) != (len(usual.shape), usual.channels):
        raise config.error(
            "validation",
            f"{first.image} has {len(first.shape)} axes and {first.channels} channels, the training images have "
            f"{len(usual.shape)} and {usual.channels}.",
        )
    return held_out
