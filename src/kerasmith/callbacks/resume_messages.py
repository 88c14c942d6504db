"""What Resume tells of the checkpoint that it goes on from."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from kerasmith.files.messages import say, warn


def refuse(problems: Sequence[str], file: Any) -> None:
    """Raises a ValueError of what makes a checkpoint that of another training, if there is any."""
    if problems:
        listed = "; ".join(problems[:6]) + (f"; and {len(problems) - 6} more" if len(problems) > 6 else "")
        raise ValueError(
            f"The checkpoint {file} belongs to another training. {listed}. Undo the change, or begin anew in another "
            f'directory: Resume("{Path(file).parent}-2").'
        )


def refuse_short_data(steps: int, epoch: int) -> NoReturn:
    """Raises a ValueError of data that end before the step at which the checkpoint stands; epochs count from 0."""
    raise ValueError(
        f"The data ended before step {steps} of epoch {epoch + 1}, where the checkpoint stands. Give `fit` the data of the "
        "interrupted run, or another directory."
    )


def warn_of_damaged(files: Iterable[tuple[Any, Any]]) -> None:
    """Warns of each (file, problem) that the one before it is used for."""
    for file, problem in files:
        warn(f"Resume: the checkpoint {file} is damaged ({problem}). The one before it is used.", stacklevel=4)


def warn_of_gone(keys: Sequence[str]) -> None:
    """Warns of callbacks of the checkpoint that are not in the list any more."""
    if keys:
        names = ", ".join(key.split("#")[0] for key in keys)
        warn(f"Resume: the checkpoint has the state of {names}, not in the list of callbacks now.", stacklevel=4)


def say_where(state: Any, epochs: int, is_over: bool, file: Any, directory: Path) -> None:
    """Prints where training goes on, or that it is over.

    Args:
        state: the checkpoint.
        epochs: those of `fit`.
        is_over: whether nothing is left to train.
        file, directory: where the checkpoint is.
    """
    if is_over:
        say(
            f"Resume: this training is over ({state['epoch']} of {epochs} epochs{', stopped early' * state['stopped']}), "
            f"nothing is trained. {directory} has its state; remove it, or give another directory, to train anew."
        )
        return
    where = f"epoch {state['epoch'] + 1}" + (f", step {state['batch'] + 1}" if state["batch"] else "")
    say(f"Resume: goes on at {where}, from {file}")
