"""`kerasmith train config.yaml`: from folders of images and masks to a trained model, without code."""

import argparse
import importlib
import os
from typing import Any

from kerasmith.backends import BACKENDS
from kerasmith.cli.arguments import add_traceback, whole_number


def train(options: argparse.Namespace) -> None:
    """Trains a network on folders of images and masks, as a configuration says; goes on where a run was interrupted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module = importlib.import_module("kerasmith.recipes.training.train")
    overrides = {name: getattr(options, name) for name in ("out", "epochs", "backend", "seed")}
    overrides["from"] = options.weights_of
    module.train(options.config, plan_only=options.plan, overrides=overrides)


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "train",
        help="train on folders of images and masks, without code",
        description=train.__doc__,
        epilog="Three lines are a configuration: `images: folder`, `masks: folder`, `classes: 2`. See docs/train.md.",
    )
    command.add_argument("config", metavar="CONFIG", help="a YAML file")
    command.add_argument("--plan", action="store_true", help="say what would be done and why; train nothing, write nothing")
    command.add_argument("--out", metavar="DIR", help="run directory; default: runs/NAME of the configuration")
    command.add_argument(
        "--epochs", type=whole_number(1), metavar="N", help="instead of the configuration's; may be raised later"
    )
    command.add_argument("--seed", type=whole_number(0), metavar="N", help="instead of the configuration's")
    command.add_argument("--backend", choices=BACKENDS, help="default: $KERAS_BACKEND, else the first one installed")
    command.add_argument("--from", dest="weights_of", metavar="RUN", help="begin a new run with the weights of this one")
    add_traceback(command)
    command.set_defaults(command=train)
