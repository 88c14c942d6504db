"""Draws samples more often the harder they are for the model."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from kerasmith._types import Contract, Logs
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.callbacks.copies import Copyable
from kerasmith.callbacks.hardness_weights import effective_samples, hardness_weights
from kerasmith.callbacks.sample_scores import loss_scores, margin_scores
from kerasmith.data.index_permutation import key_of, permute
from kerasmith.data.weighted_batches import WeightedBatches
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call


class HardExampleMining(Copyable, keras.callbacks.Callback):
    """Scores the samples every few epochs and has the next epoch draw hard ones more often.

    weights = w0 * clip(e / mean(e), floor, cap),   e = exp(v / temperature)

    w0 are the weights the data had when training began, so that a sample with weight 0 stays never drawn; v is the score by
    rank in (0, 1), or standardised (`numerics.hardness_weights`). The next epoch reads the weights from its first batch on,
    on every backend and with any number of workers. The model is scored as in `predict`, on data without the `transform` of
    the dataset. Metrics, optimizer and seeds are not touched.

    Each epoch logs `mining_effective_samples`, sum(w)^2 / sum(w^2): how many equally drawn samples the weights are worth. If
    it falls towards a few, training turns round samples that may be labelled wrong: raise `temperature` or lower `cap`.

    Args:
        data: the `data.WeightedBatches` that `fit` trains on; x and y are taken of it.
        score: "loss", the compiled loss of each sample (times its `sample_weight`), for losses of Keras and kerasmith, several
            outputs and an `Objective` of losses; "margin", 1 - (p_true - largest other p) of a classifier; or a function
            (y_true, y_pred) -> (B,) of arrays, larger for harder; y_true is None without labels.
        every: epochs from one scoring to the next.
        start: epochs before the first scoring; `every` by default. A model that knows nothing yet ranks noise.
        temperature: > 0; small ones draw little but the hardest. By rank the hardest sample is drawn exp(1 / temperature)
            times as often as the easiest.
        floor, cap: least and largest factor on a weight, 1 being the average. A floor of 0 lets easy samples vanish.
        normalize: "rank" or "z".
        fraction: part of the samples that is scored each time, in turn; others keep their score, or the factor 1 before they
            have one.
        batch_size: of scoring; that of the data by default.
        from_logits: whether "margin" reads logits.

    Scores that are NaN or infinite count as the largest finite one, with a warning; if all are, the weights stay.

    Raises:
        TypeError: for other data, and at the first scoring for a loss that gives one number for a whole batch.

    Example:

    >>> x, y = np.arange(8.0)[:, None], np.arange(8.0)[:, None] ** 2
    >>> data = WeightedBatches(x, y, batch_size=4)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> mining = HardExampleMining(data, every=2, temperature=0.3)
    >>> history = model.fit(data, epochs=3, verbose=0, callbacks=[mining])
    >>> [round(n, 1) for n in history.history["mining_effective_samples"]]
    [8.0, 4.5, 4.5]

    Reference: Loshchilov and Hutter, "Online batch selection for faster training of neural networks", 2015; Shrivastava et
    al., "Training region-based object detectors with online hard example mining", 2016.
    """

    shared = ("data", "_of_all_copies")

    data: Any
    score: str | Callable[..., Any]
    every: int
    start: Any
    temperature: float
    floor: float
    cap: float
    normalize: str
    fraction: float
    batch_size: Any
    from_logits: bool

    kerasmith_contract: Contract = {"observer": False}

    def __init__(
        self,
        data: Any,
        score: str | Callable[..., Any] = "loss",
        every: int = 5,
        *,
        start: int | None = None,
        temperature: float = 0.5,
        floor: float = 0.1,
        cap: float = 10.0,
        normalize: str = "rank",
        fraction: float = 1.0,
        batch_size: int | None = None,
        from_logits: bool = False,
    ) -> None:
        if not isinstance(data, WeightedBatches):
            raise TypeError(
                "`data` must be the kerasmith.data.WeightedBatches that `fit` trains on. "
                f"Received: data of type {type(data).__name__}"
            )
        if not callable(score):
            check_choice("score", score, ("loss", "margin"))
        check_integer("every", every, minimum=1)
        check_integer("start", every if start is None else start, minimum=1)
        check_number("temperature", temperature, above=0)
        check_number("floor", floor, minimum=0, maximum=1)
        check_number("cap", cap, minimum=1)
        check_choice("normalize", normalize, ("rank", "z"))
        check_number("fraction", fraction, above=0, maximum=1)
        check_integer("batch_size", data.batch_size if batch_size is None else batch_size, minimum=1)
        super().__init__()
        self.data, self.score, self.every, self.start = data, score, every, every if start is None else start
        self.temperature, self.floor, self.cap, self.normalize = temperature, floor, cap, normalize
        self.fraction, self.batch_size, self.from_logits = fraction, batch_size or data.batch_size, from_logits
        self._base, self._mined = None, None
        self._of_all_copies = {"base": None, "mined": None}
        self._scores, self._scored = np.full(data.samples, np.nan), 0

    def on_train_begin(self, logs: Logs = None) -> None:
        call = fit_call.find()
        if call is not None and call.x is not self.data:
            warn("HardExampleMining sets the weights of data that this `fit` does not train on. Write `fit(data)`.")
        # A second `fit` finds weights that this callback has set: they are no base. What a copy of it has set for another
        # model, as in the trials of KerasTuner, is taken back.
        if self._mined is None and _same(self.data.weights, self._of_all_copies["mined"]):
            self.data.set_weights(self._of_all_copies["base"])
        if self._mined is None or not _same(self.data.weights, self._mined):
            self._base = self.data.weights

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        done = epoch + 1 - self.start
        if done >= 0 and done % self.every == 0:
            self.mine()
        if logs is not None:
            weights = self.data.weights
            logs["mining_effective_samples"] = float(self.data.samples) if weights is None else effective_samples(weights)

    def mine(self) -> None:
        """Scores the samples that are due and sets the weights."""
        base = np.ones(self.data.samples) if self._base is None else self._base
        due = self._due(np.flatnonzero(base))
        found = self._score(due)
        if np.isfinite(found).any():
            self._scores[due] = found
            factors = hardness_weights(self._of_drawn(base), self.temperature, self.floor, self.cap, self.normalize)
            self.data.set_weights(base * factors)
            self._mined = self.data.weights
            self._of_all_copies.update(base=self._base, mined=self._mined)
        self._scored += len(due)

    @property
    def scores(self) -> np.ndarray:
        """The score of each sample, (N,), NaN where it has none."""
        return self._scores.copy()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on."""
        return {"base": self._base, "mined": self._mined, "scores": self._scores.copy(), "scored": self._scored}

    def load_state_dict(self, state: Any) -> None:
        """Goes on where the callback was that gave `state`; the weights themselves come back with the data.

        Raises:
            ValueError: if it was made for another number of samples.
        """
        scores = np.array(state["scores"], "float64")
        if scores.shape != self._scores.shape:
            raise ValueError(f"The state belongs to {len(scores)} samples. Received: data of {self.data.samples}")
        self._base, self._mined = state["base"], state["mined"]
        self._scores, self._scored = scores, int(state["scored"])

    def _of_drawn(self, base):
        # Samples that are never drawn have no part in ranks and averages.
        return np.where(base > 0, self._scores, np.nan)

    def _due(self, drawn):
        """The part of the drawn samples whose turn it is: one random order after another, each sample once in each."""
        count = math.ceil(self.fraction * len(drawn))
        turns = np.arange(self._scored, self._scored + count)
        due = [
            permute(turns[turns // len(drawn) == r] % len(drawn), len(drawn), key_of(self.data.seed, "mining", int(r)))
            for r in np.unique(turns // len(drawn))
        ]
        return np.sort(drawn[np.concatenate(due)])  # in order, as files are read best

    def _score(self, samples):
        """(len(samples),) finite scores, or all NaN."""
        found = []
        for start in range(0, len(samples), self.batch_size):
            part = samples[start : start + self.batch_size]
            # Batches of one size: JAX and TensorFlow compile once.
            padded = np.concatenate([part, np.repeat(part[-1:], self.batch_size - len(part))])
            batch = self.data.take(padded)
            y_pred = self.model.predict_on_batch(batch[0])
            found.append(self._score_batch(batch, y_pred)[: len(part)])
        found = np.concatenate(found)
        bad = np.flatnonzero(~np.isfinite(found))
        if bad.size == found.size:
            warn("HardExampleMining: no sample has a finite score; the weights stay as they are.", stacklevel=2)
        elif bad.size:
            worst = found[np.isfinite(found)].max()
            warn(
                f"HardExampleMining: {bad.size} of {found.size} scores are not finite, the first that of sample "
                f"{samples[bad[0]]}: {found[bad[0]]}. They count as the largest finite one, {worst:.4g}.",
                stacklevel=2,
            )
            found[bad] = worst
        return found

    def _score_batch(self, batch, y_pred):
        if self.score == "loss":
            return loss_scores(self.model, batch, y_pred)
        y_true = batch[1] if len(batch) > 1 else None
        if self.score == "margin":
            return margin_scores(y_true, y_pred, self.from_logits)
        found = self.score(y_true, y_pred)
        found = np.asarray(keras.ops.convert_to_numpy(found) if keras.ops.is_tensor(found) else found, "float64")
        if found.shape != (self.batch_size,):
            raise ValueError(
                f"`score` must return one number per sample, ({self.batch_size},). It returned shape {found.shape} for "
                f"predictions {tree.map_structure(np.shape, y_pred)}"
            )
        return found


def _same(weights, mined):
    return weights is not None and mined is not None and np.array_equal(weights, mined)
