"""FROC: how many objects are found at a given number of false alarms per image."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.host import call_on_host
from kerasmith.metrics.object_metric import ObjectMetric
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import static_shape
from kerasmith.objects.binary_images import as_images
from kerasmith.objects.free_response import HITS, bin_edges, cumulative, free_response_counts, value_at


@register
class FROC(ObjectMetric):
    """Free-response ROC: the share of true objects that are found at a given mean number of false positives per image.

    A candidate is a connected component of the pixels with probability > `threshold`, its score s the largest probability
    inside. For each lower bound t of the scores

        sensitivity(t) = true objects hit by a candidate with s >= t / true objects
        false positives per image(t) = candidates with s >= t that hit no object / images

    and the sensitivity at each of `fp_per_image` is read from the line through these points; beyond the last point, all
    candidates together, it stays. A true object counts once, by its best candidate; further ones on it are not held against
    the prediction. The mean over the default `fp_per_image` is the competition performance metric (CPM) of LUNA16.

    Hits and false positives are counted in histograms of the score, so the result does not depend on the batch size, and
    differs from that of single scores only as far as scores share a bin: one bin holds less than 2 / `bins` of the range of
    the probability, and far less near 1. The work is done on the host, from compiled steps too; under TensorFlow's
    XLA (`jit_compile=True`) after each step, so that within an epoch the columns are NaN, not yet known.

    Args:
        fp_per_image: mean numbers of false positives per image at which the sensitivity is read, ascending.
        threshold: probability above which pixels belong to candidates, low: what falls below is never found.
        hit: what hits an object: "overlap": a shared pixel; "iou": IoU > `iou_threshold`; "peak": the candidate's pixel of
            the largest probability lies in the object (CAMELYON16); "center": its centre of mass does.
        iou_threshold: for `hit="iou"`.
        bins: of the score; half are spent evenly on probabilities, half on logits.
        connectivity: pixels that touch belong together: 4 or 8 neighbours in 2-D, 6, 18 or 26 in 3-D; None for 8 and 26.
        min_size: objects and candidates of fewer pixels are dropped.
        instance_labels: y_true holds instance ids, 0 for background, so that true objects may touch. One class only.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. Ignored pixels belong to no object and no
            candidate. Several classes: objects of all but the background are added up.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.Dice`, in 2-D or 3-D.
        sample_weight: (B,); an image counts as so many images.

    Returns:
        A dict: `<name>`, the mean sensitivity; `<name>_sensitivity_at_0.125` and so on; `<name>_objects` true objects in
        `<name>_cases` images. Sensitivities are NaN without true objects.

    Raises:
        ValueError: for a connectivity that the images do not have, pixel weights, or an unknown option.
        RuntimeError: under TensorFlow's XLA (`jit_compile=True`) in `train_on_batch`, on replicas and in loops of your own.

    Example:

    >>> import numpy as np
    >>> truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    >>> truth[0, :3, :3], truth[0, 5:, 5:] = 1, 1  # two lesions
    >>> prediction[0, :2, :2], prediction[0, 0, 7], prediction[0, 7, 7] = 0.9, 0.6, 0.3  # true, false, true
    >>> metric = FROC(fp_per_image=(0, 1))
    >>> metric.update_state(truth, prediction)
    >>> {key: float(value) for key, value in metric.result().items()}
    {'froc': 0.75, 'froc_sensitivity_at_0': 0.5, 'froc_sensitivity_at_1': 1.0, 'froc_objects': 2.0, 'froc_cases': 1.0}

    Reference: Chakraborty and Berbaum, Observer studies involving detection and localization, Medical Physics 31, 2004.
    """

    works_on_host = True
    # The numbers of objects and images are neither good nor bad.
    directions: dict[str, str | None] = {"objects": None, "cases": None}

    def __init__(
        self,
        fp_per_image: Sequence[float] = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8),
        threshold: float = 0.1,
        hit: str = "overlap",
        *,
        iou_threshold: float = 0.0,
        bins: int = 2048,
        name: str = "froc",
        **kwargs: Any,
    ) -> None:
        _check_rates(fp_per_image)
        check_number("threshold", threshold, minimum=0, below=1)
        check_choice("hit", hit, HITS)
        check_number("iou_threshold", iou_threshold, minimum=0, below=1)
        if iou_threshold and hit != "iou":
            raise ValueError(
                f"`iou_threshold` has an effect for hit='iou' only. Received: iou_threshold={iou_threshold}, hit={hit!r}. "
                "Write hit='iou', or leave `iou_threshold` out."
            )
        check_integer("bins", bins, minimum=2)
        super().__init__(threshold=threshold, name=name, **kwargs)
        self.fp_per_image = fp_per_image
        self.hit = hit
        self.iou_threshold = iou_threshold
        self.bins = bins
        self.create_totals({"objects": (), "hits": (bins,), "false_positives": (bins,), "cases": ()})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """(B,) objects and cases; (B, bins) histograms of hits and false positives."""
        pixels, truth = self.encode_images(y_true, y_pred, weights)
        probabilities = as_images(pixels, pixels.probabilities)

        def count(truth, probabilities):
            return free_response_counts(
                truth,
                probabilities,
                self.threshold,
                self.bins,
                hit=self.hit,
                iou_threshold=self.iou_threshold,
                connectivity=self.connectivity,
                min_size=self.min_size,
                truth_is_labels=self.instance_labels,
            )

        counts = call_on_host(count, (truth, probabilities), (static_shape(truth, "y_true")[0], 1 + 2 * self.bins))
        counts = self.per_image(counts, pixels)
        objects, hits, false = counts[:, 0], counts[:, 1 : self.bins + 1], counts[:, self.bins + 1 :]
        return {"objects": objects, "hits": hits, "false_positives": false, "cases": ops.ones_like(objects)}

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        """A dict of sensitivities and what they average over."""
        objects, cases = totals["objects"], totals["cases"]
        hits, false = cumulative(totals["hits"]), cumulative(totals["false_positives"])
        at_rates = [
            safe.ratio(value_at(false, hits, cases * float(rate)), objects, when_empty=math.nan) for rate in self.fp_per_image
        ]
        result = {self.name: sum(at_rates) / len(at_rates)}
        result.update({self.key("sensitivity_at", f"{rate:g}"): x for rate, x in zip(self.fp_per_image, at_rates)})
        return {**result, self.key("objects"): objects, self.key("cases"): cases}

    def curve(self) -> tuple[np.ndarray, ...]:
        """False positives per image, sensitivity and lowest score of all points, as NumPy arrays; outside compiled steps."""
        exact = {name: total.exact() for name, total in self._totals.items()}
        hits, false = (np.append(0, np.cumsum(exact[name][::-1])) for name in ("hits", "false_positives"))
        with np.errstate(invalid="ignore"):
            scores = np.append(math.inf, bin_edges(self.threshold, self.bins)[::-1])
            return false / exact["cases"], hits / exact["objects"], scores


def _check_rates(rates):
    if isinstance(rates, (str, bytes, dict)) or not hasattr(rates, "__len__"):
        raise TypeError(f"`fp_per_image` must be numbers, such as (0.5, 1, 2). Received: fp_per_image={rates!r}")
    for i, rate in enumerate(rates):
        check_number(f"fp_per_image[{i}]", rate, minimum=0)
    if not len(rates) or any(low >= high for low, high in itertools.pairwise(rates)):
        raise ValueError(f"`fp_per_image` must hold at least one number and ascend. Received: fp_per_image={rates!r}")
