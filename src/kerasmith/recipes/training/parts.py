"""The loss, metrics, optimizer, schedule and callbacks of a plan, made."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasmith import callbacks, losses, metrics, schedules
from kerasmith.objectives.objective import Objective
from kerasmith.objectives.term import Term
from kerasmith.recipes.instances import MIN_CORE
from kerasmith.recipes.training.cases import VOID
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.expression import parse_call, parse_sum
from kerasmith.recipes.training.loss_expression import terms_of
from kerasmith.recipes.training.part_calls import callback_arguments, metric_arguments, optimizer_arguments
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.samples import CORES, MASK
from kerasmith.recipes.training.schedule_call import CONSTANT, build_schedule

_CORES_LOSS = {"alpha": 0.7, "beta": 0.3}
"""False positives of cores weigh more: a bridge between two cores merges two objects."""


def make_loss(plan: Plan) -> Objective:
    """The objective of a plan: a term for each loss, and one for cores where objects are kept apart."""
    terms = []
    output = MASK if plan.instances else None
    for one in terms_of(parse_sum(plan.values["loss"], _place(plan, "loss"))):
        make = getattr(losses, one.part.class_name)
        loss = _made(
            plan, "loss", one.part.name, lambda make=make, one=one: make(**one.arguments, **_reading(), name=one.name)
        )
        weight: Any = one.factor
        if one.schedule is not None:
            schedule = _made(
                plan, "loss", one.schedule.name, lambda one=one: build_schedule(one.schedule, plan.values["steps"])
            )
            weight = schedule if one.factor == 1 else _scaled(plan, schedule, one)
        terms.append(Term(loss, weight=weight, name=one.name, output=output))
    if plan.instances:
        terms.append(Term(losses.FocalTversky(**_CORES_LOSS, **_reading()), name=CORES, output=CORES))
    return Objective(terms)


def make_metrics(plan: Plan) -> Any:
    """The metrics, by output where there are two."""
    made = []
    for text in plan.values["metrics"]:
        part, arguments = metric_arguments(parse_call(text, _place(plan, "metrics")))
        arguments = {**arguments, **_reading()}
        if "num_classes" in part.arguments:
            # A metric of one channel counts two classes where it counts classes.
            arguments["num_classes"] = len(plan.names) if part.arguments["num_classes"] or len(plan.names) > 2 else None
        if "class_names" in part.arguments and len(plan.names) > 2:
            arguments["class_names"] = plan.names
        make = getattr(metrics, part.class_name)
        made.append(_made(plan, "metrics", part.name, lambda make=make, arguments=arguments: make(**arguments)))
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(_place(plan, "metrics"), f"two metrics have the name `{twice}`. Write `name=...` into one of them.")
    if not plan.instances:
        return made
    return {MASK: made, CORES: [metrics.LesionDetection(**_reading(), connectivity=4, min_size=MIN_CORE)]}


def make_optimizer(plan: Plan) -> keras.optimizers.Optimizer:
    """The optimizer, with the learning rate that it begins with."""
    class_name, arguments = optimizer_arguments(parse_call(plan.values["optimizer"], _place(plan, "optimizer")))
    return _made(plan, "optimizer", class_name, lambda: getattr(keras.optimizers, class_name)(**arguments))


def make_callbacks(plan: Plan, directory: Path) -> list[keras.callbacks.Callback]:
    """The schedule of the learning rate and the callbacks that were asked for; what they write goes into `directory`."""
    made = []
    if plan.values["schedule"] != CONSTANT:
        made.append(callbacks.ScheduleLR(_schedule(plan)))
    for text in plan.values["callbacks"]:
        where, arguments = callback_arguments(parse_call(text, _place(plan, "callbacks")))
        package, class_name = where.split(":")
        if class_name == "TopKCheckpoints":
            arguments["directory"] = directory / "best"
        make = getattr(callbacks if package == "kerasmith" else keras.callbacks, class_name)
        made.append(_made(plan, "callbacks", class_name, lambda make=make, arguments=arguments: make(**arguments)))
    return made


def check_made(plan: Plan) -> None:
    """Makes all parts once: an argument that a part does not take is told before anything is written."""
    objective = make_loss(plan)
    make_metrics(plan)
    make_optimizer(plan)
    _try_losses(plan, objective)
    with tempfile.TemporaryDirectory() as scratch:
        make_callbacks(plan, Path(scratch))
    if plan.values["schedule"] != CONSTANT:
        schedule = _schedule(plan)
        rate = _made(plan, "schedule", "schedule", lambda: float(schedule(0)))
        if rate < 0:
            raise ConfigError(_place(plan, "schedule"), f"a learning rate is not negative. In step 0 it is {rate:g}.")


def _try_losses(plan, objective):
    """Computes each loss of a small batch: an argument may fit the class and not the number of channels."""
    size = [min(16, side) for side in plan.values["patch"]]
    channels = len(plan.names) if plan.outputs == "softmax" else 1
    logits, masks = np.zeros((1, *size, channels), "float32"), np.zeros((1, *size, 1), "int32")
    for term in objective.terms:
        _made(plan, "loss", term.name, lambda term=term: term.fn(masks, logits))


def _schedule(plan):
    call = parse_call(plan.values["schedule"], _place(plan, "schedule"))
    return _made(plan, "schedule", call.name, lambda: build_schedule(call, plan.values["steps"]))


def _scaled(plan, schedule, one):
    return _made(plan, "loss", "factor", lambda: schedules.Scaled(schedule, one.factor))


def _reading():
    """How losses and metrics read logits and labels."""
    return {"from_logits": True, "ignore_class": VOID}


def _place(plan, key):
    return plan.config.places.get(key, Place(plan.config.name))


def _made(plan: Plan, key: str, name: str, make: Callable[[], Any]) -> Any:
    """What `make` returns; what it cannot do is an error of the configuration."""
    try:
        return make()
    except ConfigError:
        raise
    except ImportError as problem:
        raise ImportError(f"{_place(plan, key)}: `{name}`: {problem}") from problem
    except Exception as problem:  # constructors of Keras raise errors of many kinds
        raise ConfigError(_place(plan, key), f"`{name}`: {' '.join(str(problem).split())}") from problem
