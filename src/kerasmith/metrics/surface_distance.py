"""Surface distance: how far the rims of true and predicted objects are apart."""

import functools
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.host import call_on_host
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import static_shape
from kerasmith.objects import surface_distances
from kerasmith.objects.binary_images import binary_images, image_classes

QUANTITIES = ("hd", "hd95", "assd", "nsd")


@register
class SurfaceDistance(PixelMetric):
    """Distances between the surfaces T and P of the true and the predicted objects of each image and foreground class.

        hd = max(max_t d(t, P), max_p d(p, T)): Hausdorff distance
        hd95: the same with the 95th percentile in place of the maximum
        assd: average symmetric surface distance
        nsd = (|t: d(t, P) <= tolerance| + |p: d(p, T) <= tolerance|) / (|T| + |P|): normalised surface Dice

    d is the distance to the nearest element of the other surface, in units of `spacing`. Results are means over the images
    of a class, then over classes. Libraries mean different things by these names; with the arguments below their numbers are
    reproduced:

        library              surface       hd95                 assd
        MONAI                "voxels"      "max_of_directed"    "pooled"
        MedPy                "voxels"      "pooled"             "pooled"
        surface-distance     "dual_grid"   "area_weighted"      "area_weighted"

    With `directed`, only the distances of one side are taken: "truth_to_prediction", d(t, P), shows what was missed,
    "prediction_to_truth", d(p, T), what was invented (MONAI's `directed=True`). assd is then a plain mean, and nsd the share
    of one surface.

    The work is done on the host, from compiled steps too. Under TensorFlow's XLA (`jit_compile=True`) it is done after each
    step: within an epoch the columns are NaN, not yet known.

    Args:
        spacing: size of a voxel along each axis of the image; None for 1.
        definitions: what to report, of "hd", "hd95", "assd", "nsd".
        tolerances: for nsd, in units of `spacing`; several give one key each, `<name>_nsd_<tolerance>`.
        class_tolerances: for nsd, one tolerance per foreground class (per channel for `multi_label`), in the place of
            `tolerances` (since 0.2).
        directed: "symmetric": both surfaces; or "truth_to_prediction", "prediction_to_truth" (since 0.2).
        surface: "voxels": voxels of the object with a background neighbour across a face. "dual_grid": corners of voxels with
            object and background around them, each with the area (2-D: length) of the surface there, by which nsd weighs
            them. Outside the image is background.
        hd95: "max_of_directed": the larger of the percentiles of d(t, P) and of d(p, T); "pooled": the percentile of both
            together; "area_weighted", on the dual grid: as the first, as shares of the area.
        assd: "pooled": mean over the elements of both surfaces; "mean_of_directed": mean of the means of d(t, P) and of
            d(p, T); "area_weighted", on the dual grid: the same, as means over the area.
        both_empty: neither truth nor prediction has the class: "skip" the image, or "perfect": distance 0 and nsd 1.
        one_empty: one of the two has it, the distance is infinite: "worst": the diagonal of the image in its place;
            "infinite": infinite mean; "skip": leave out, though a model that predicts nothing then looks good. nsd: 0, or left
            out.
        per_class: with several foreground classes, adds the results of each, `<name>_hd_<class>`.
        num_classes: channels of y_pred; None reads them from the first batch.
        threads: images worked on at a time; None for the number of processors.
        threshold: probability above which a pixel is foreground. Several channels: the largest wins, class 0 is background.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. Ignored pixels belong to no object.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.Dice`, in 2-D or 3-D.
        sample_weight: (B,), the weight of an image in the means.

    Returns:
        A dict `<name>_<definition>`, NaN without data; `<name>_cases` pairs of image and class in the means, among them (or
        skipped) `<name>_one_empty` and `<name>_both_empty`.

    Raises:
        ValueError: for a spacing that does not fit the images, pixel weights, or an unknown option.
        RuntimeError: under TensorFlow's XLA (`jit_compile=True`) in `train_on_batch`, on replicas and in loops of your own.

    Example:

    >>> import numpy as np
    >>> truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    >>> truth[0, 2:4, 2:6], prediction[0, 2:4, 2:7] = 1, 1  # one column too many
    >>> metric = SurfaceDistance(spacing=(1.0, 0.5), definitions=("hd", "nsd"), tolerances=(0.25,))
    >>> metric.update_state(truth, prediction)
    >>> {key: round(float(value), 4) for key, value in metric.result().items()}
    {'surface_hd': 0.5, 'surface_nsd': 0.8889, 'surface_cases': 1.0, 'surface_one_empty': 0.0, 'surface_both_empty': 0.0}

    Reference: Maier-Hein et al., Metrics reloaded, Nature Methods 2024; Nikolov et al., Clinically applicable segmentation
    of head and neck anatomy for radiotherapy, J Med Internet Res 2021 (nsd).
    """

    works_on_host = True
    direction = "min"
    directions: dict[str, str | None] = {
        "hd": "min",
        "hd95": "min",
        "assd": "min",
        "nsd": "max",
        "cases": None,
        "one_empty": None,
        "both_empty": None,
    }

    def __init__(
        self,
        spacing: Sequence[float] | None = None,
        definitions: Sequence[str] = QUANTITIES,
        tolerances: Sequence[float] = (1.0,),
        *,
        class_tolerances: Sequence[float] | None = None,
        directed: str = "symmetric",
        surface: str = "voxels",
        hd95: str = "max_of_directed",
        assd: str = "pooled",
        both_empty: str = "skip",
        one_empty: str = "worst",
        per_class: bool = True,
        num_classes: int | None = None,
        threads: int | None = None,
        threshold: float = 0.5,
        name: str = "surface",
        **kwargs: Any,
    ) -> None:
        _check_list("definitions", definitions, lambda key, value: check_choice(key, value, QUANTITIES))
        _check_list("tolerances", tolerances, functools.partial(check_number, minimum=0))
        if spacing is not None:
            _check_list("spacing", spacing, functools.partial(check_number, above=0), unique=False)
        if class_tolerances is not None:
            _check_list("class_tolerances", class_tolerances, functools.partial(check_number, minimum=0), unique=False)
            if "nsd" not in definitions or tuple(tolerances) != (1.0,):
                raise ValueError(
                    "`class_tolerances` are those of 'nsd', in the place of `tolerances`. Received: "
                    f"definitions={definitions!r}, tolerances={tolerances!r}. Add 'nsd', and leave `tolerances` out."
                )
        check_choice("directed", directed, surface_distances.DIRECTIONS)
        check_choice("surface", surface, surface_distances.SURFACES)
        check_choice("hd95", hd95, surface_distances.PERCENTILES)
        check_choice("assd", assd, surface_distances.AVERAGES)
        for key, value in (("hd95", hd95), ("assd", assd)):
            if value == "area_weighted" and surface == "voxels":
                raise ValueError(f"Border voxels have no area. Write `surface='dual_grid'`. Received: {key}={value!r}")
        check_choice("both_empty", both_empty, ("skip", "perfect"))
        check_choice("one_empty", one_empty, ("worst", "infinite", "skip"))
        check_choice("per_class", per_class, (False, True))
        for key, value in (("num_classes", num_classes), ("threads", threads)):
            if value is not None:
                check_integer(key, value, minimum=1)
        check_number("threshold", threshold, minimum=0, maximum=1)
        super().__init__(name=name, **kwargs)
        self.spacing = spacing
        self.definitions = definitions
        self.tolerances = tolerances
        self.class_tolerances = class_tolerances
        self.directed = directed
        self.surface = surface
        self.hd95 = hd95
        self.assd = assd
        self.both_empty = both_empty
        self.one_empty = one_empty
        self.per_class = per_class
        self.num_classes = num_classes
        self.threads = threads
        self.threshold = threshold
        if tuple(definitions) == ("nsd",):
            self.direction = "max"
        self._quantities = self._functions()
        if num_classes is not None:
            classes = num_classes - int(num_classes > 1 and not self.multi_label)
            self._check_class_tolerances(classes)
            self.create_totals(dict.fromkeys(self._statistic_names(), (classes,)))

    def _functions(self):
        """{quantity: function of `SurfaceDistances`}."""
        several = len(self.tolerances) > 1
        functions = {
            "hd": surface_distances.hausdorff,
            "hd95": functools.partial(surface_distances.hausdorff_percentile, definition=self.hd95),
            "assd": functools.partial(surface_distances.average_distance, definition=self.assd),
        }
        chosen = {}
        for definition in self.definitions:
            if definition != "nsd":
                chosen[definition] = functions[definition]
                continue
            for tolerance in self.tolerances:
                key = f"nsd_{tolerance:g}" if several else "nsd"
                chosen[key] = functools.partial(surface_distances.surface_dice, tolerance=tolerance)
        return chosen

    def _check_class_tolerances(self, classes):
        if self.class_tolerances is not None and len(self.class_tolerances) != classes:
            raise ValueError(
                f"`class_tolerances` needs one number per foreground class, {classes}. Received: "
                f"class_tolerances={self.class_tolerances!r}"
            )

    def _statistic_names(self):
        return (*self._quantities, "cases", "one_empty", "both_empty")

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """(B, classes) each: the quantities, 1 for pairs that count, 1 for those with one and with no surface."""
        self.check_whole_images(weights)
        pixels = self.encode(y_true, y_pred, weights)
        self.check_channels(pixels)
        if len(pixels.spatial) not in (2, 3):
            raise ValueError(
                "Surfaces are those of images, (B, height, width, C) or (B, depth, height, width, C). "
                f"Received: y_pred of shape {static_shape(y_pred, 'y_pred')} with axis={self.axis}"
            )
        surface_distances.check_spacing(self.spacing, len(pixels.spatial))
        classes = len(image_classes(pixels))
        self._check_class_tolerances(classes)
        masks = binary_images(pixels, self.threshold)
        names = self._statistic_names()
        table = call_on_host(self._measure, masks, (static_shape(masks[0], "y_true")[0], len(names)))
        table = ops.reshape(table, (-1, classes, len(names)))
        return {name: table[..., i] for i, name in enumerate(names)}

    def _measure(self, truth, prediction):
        """(N, statistics) of N pairs of boolean images, the classes of each sample one behind the other; host code."""
        of_class = [functools.partial(surface_distances.surface_dice, tolerance=t) for t in self.class_tolerances or ()]
        functions = [*self._quantities.values(), *of_class]
        table = surface_distances.surface_quantities(
            truth, prediction, functions, self.spacing, self.surface, self.threads or os.cpu_count(), self.directed
        )
        count = len(self._quantities)
        values, empty = table[:, :count], table[:, -1]
        if of_class:
            row = np.arange(len(table))
            values[:, list(self._quantities).index("nsd")] = table[row, count + row % len(of_class)]
        spacing = surface_distances.check_spacing(self.spacing, truth.ndim - 1)
        # An infinite mean is made in `combine`: what has been added up must stay finite.
        worst = math.hypot(*np.multiply(truth.shape[1:], spacing)) if self.one_empty == "worst" else 0.0
        is_nsd = np.array([key.startswith("nsd") for key in self._quantities])
        values[empty == 2] = is_nsd
        values[empty == 1] = np.where(is_nsd, 0.0, worst)
        skipped = ((empty == 2) & (self.both_empty == "skip")) | ((empty == 1) & (self.one_empty == "skip"))
        values[skipped] = 0
        return np.column_stack((values, ~skipped, empty == 1, empty == 2))

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        """A dict of the means over classes, what they average over, and the means of each class."""
        if not totals:  # no batch yet, and classes unknown
            totals = dict.fromkeys(self._statistic_names(), ops.zeros((1,)))
        cases = totals["cases"]
        counted = cases > 0
        classes = ops.sum(ops.cast(counted, "float32"), axis=-1)
        per_class, result = {}, {}
        for name in self._quantities:
            values = safe.ratio(totals[name], cases, when_empty=math.nan)
            if self.one_empty == "infinite" and not name.startswith("nsd"):
                values = ops.where(totals["one_empty"] > 0, math.inf, values)
            per_class[name] = values
            result[self.key(name)] = safe.ratio(ops.sum(ops.where(counted, values, 0.0), axis=-1), classes, math.nan)
        for name in ("cases", "one_empty", "both_empty"):
            result[self.key(name)] = ops.sum(totals[name], axis=-1)
        count = cases.shape[-1]
        if self.per_class and count > 1:
            first = int(not self.multi_label)
            for c in range(count):
                for name, values in (per_class | {"cases": cases}).items():
                    result[self.key(name, c + first)] = values[..., c]
        return result


def _check_list(name, values, check, unique=True):
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__len__") or not len(values):
        raise TypeError(f"`{name}` must be a list with at least one entry. Received: {name}={values!r}")
    for i, value in enumerate(values):
        check(f"{name}[{i}]", value)
    if unique and len(set(values)) < len(values):
        raise ValueError(f"`{name}` must not repeat an entry. Received: {name}={values!r}")
