"""Cases as a network sees them: normalised images, and maps of what is to be learned."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.instances import cores_of
from kerasmith.recipes.training.cases import VOID, Case
from kerasmith.recipes.training.patches import Sample
from kerasmith.recipes.training.plan import Plan

_RETAINED = 1_000_000_000  # bytes of samples that stay in memory

MASK, CORES = "mask", "cores"


def fitted_normalization(plan: Plan) -> Normalization:
    """The normalisation of the plan, by the training images."""
    return Normalization(plan.values["normalization"]).fit(plan.files.image(case) for case in plan.train)


def samples(plan: Plan, cases: Sequence[Case], normalization: Normalization) -> list[Callable[[], Sample]]:
    """A function for each case that gives its `Sample`; the last ones stay in memory, all of them where they are few."""
    pixels = max((int(np.prod(case.shape)) for case in cases), default=1) * (plan.channels + 2) * 4
    make = functools.lru_cache(max(1, _RETAINED // pixels))(lambda case: _sample(plan, case, normalization))
    return [functools.partial(make, case) for case in cases]


def _sample(plan, case, normalization):
    image = normalization(plan.files.image(case))
    labels = plan.files.labels(case)
    if not plan.instances:
        return Sample(image, {MASK: labels})
    void = labels < 0
    objects = np.where(void, 0, labels)
    maps = {MASK: objects > 0, CORES: cores_of(objects)}
    return Sample(image, {name: np.where(void, VOID, one).astype(np.int32) for name, one in maps.items()})
