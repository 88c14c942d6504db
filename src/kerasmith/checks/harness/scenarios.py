"""Made-up logs of trainings: what a callback is told in each epoch."""

import math
from collections.abc import Iterable, Sequence

SCORES = ("accuracy", "acc", "auc", "dice", "f1", "iou", "precision", "recall", "map", "score")
COSTS = ("loss", "error", "mae", "mse", "rmse")


class Scenario:
    """The course of a training.

    Args:
        losses: one per epoch.
        validation: in which epochs there are `val_` keys: 1 each, 2 every second, 0 none.
        keys: other names that the callback asks for.
        score: the course of what is better high; by default it rises as the loss falls.
        metrics: whether the model was compiled with any: without them the logs have the loss alone.
    """

    def __init__(
        self,
        losses: Iterable[float],
        validation: int = 1,
        keys: Iterable[str] = (),
        score: Sequence[float] | None = None,
        metrics: bool = True,
    ) -> None:
        self.losses: list[float] = list(losses)
        self.validation: int = validation
        self.keys: tuple[str, ...] = tuple(keys)
        self.score: Sequence[float] | None = score
        self.metrics: bool = metrics

    @property
    def epochs(self) -> int:
        return len(self.losses)

    def has_validation(self, epoch: int) -> bool:
        """Whether epoch `epoch`, counted from 0, is followed by a validation."""
        return bool(self.validation) and (epoch + 1) % self.validation == 0

    def batch_logs(self, epoch: int, step: int) -> dict[str, float]:
        """Logs of a training step."""
        return self._training(epoch, self.losses[epoch] + 0.001 * step)

    def test_logs(self, epoch: int) -> dict[str, float]:
        """Logs of a validation, under their bare names."""
        return self._training(epoch, self.losses[epoch] * 1.1)

    def epoch_logs(self, epoch: int) -> dict[str, float]:
        """Logs of an epoch."""
        logs = self._training(epoch, self.losses[epoch])
        if self.has_validation(epoch):
            logs.update({f"val_{name}": value for name, value in self.test_logs(epoch).items()})
        return logs

    def _training(self, epoch: int, loss: float) -> dict[str, float]:
        if not self.metrics:
            return {"loss": loss}
        score = self.score[epoch] if self.score is not None else 1 / (1 + loss) if math.isfinite(loss) else math.nan
        bare = dict.fromkeys(name.removeprefix("val_") for name in self.keys)
        names = [name for name in bare if name not in ("loss", "accuracy")]
        return {"accuracy": score, "loss": loss, **{name: score if is_score(name) else loss for name in names}}


def is_score(name: str) -> bool | None:
    """Whether a quantity of this name is better high; None if the name does not say."""
    parts = name.removeprefix("val_").lower().replace("-", "_").split("_")
    if any(part in SCORES for part in parts):
        return True
    return False if any(part in COSTS for part in parts) else None


def falling(epochs: int = 4) -> list[float]:
    """All goes well."""
    return [1.0 * 0.8**epoch for epoch in range(epochs)]


def flat_after(good: int = 3, epochs: int = 16) -> list[float]:
    """Falls for `good` epochs, then stands still a little above its lowest value: patience ends."""
    return [1.0 - 0.2 * epoch if epoch < good else 1.05 - 0.2 * (good - 1) for epoch in range(epochs)]


def with_nan(at: int = 2, epochs: int = 5) -> list[float]:
    """Not a number from epoch `at` on."""
    return [math.nan if epoch >= at else 1.0 - 0.1 * epoch for epoch in range(epochs)]
