"""L-BFGS after Adam, on every backend."""

from typing import Any

import keras
import numpy as np

from kerasmith._types import Path
from kerasmith.base.keywords import explain_keywords
from kerasmith.files.lock import FileLock
from kerasmith.files.writable_directory import writable_directory
from kerasmith.physics.evaluation_journal import EvaluationJournal
from kerasmith.physics.fixed_loss import at_the_start, fixed_loss, limits
from kerasmith.physics.full_batch import full_batch
from kerasmith.physics.minimisation import Minimisation
from kerasmith.physics.polish_directory import open_journal


@explain_keywords
def polish(
    model: keras.Model,
    data: Any,
    steps: int,
    *,
    memory: int = 50,
    tolerance: float = 0.0,
    directory: Path | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    verbose: int | str = 1,
) -> keras.callbacks.History:
    """Trains on with L-BFGS-B, SciPy's, over the loss that the model was compiled with (since 0.2).

    The loss of all data as one batch, with everything that counts in `fit`: terms of an `Objective`, regularisers, a
    `compute_loss` of your own; all trainable variables, learned weights and `Unknown`s too. L-BFGS builds a picture of the
    curvature from the last `memory` steps and finds with a line search how far to go, so it has no learning rate. What the
    compiled optimizer adds (weight decay, clipping) has no part in it. Weights are float64 in between; the loss is computed in
    the dtype of the model, so a model in float64 gets much further: before it is built, write
    `keras.config.set_floatx("float64")` and `keras.config.set_dtype_policy("float64")`, and on JAX set `jax_enable_x64`.
    (On PyTorch `keras.ops.mean` is in single precision all the same, and with it most losses.)

    It is one function from the first step to the last: schedules of terms' weights, `DWA` and `GradNorm` stand still, and
    layers that draw random numbers or keep averages are refused. After every 1000 steps the memory begins anew.

    Args:
        model: any compiled `keras.Model`.
        data: x alone, (x, y), (x, y, sample_weight), or a dataset of such batches, which are joined.
        steps: how many steps to make at most; each takes one evaluation of the loss and its gradient, sometimes a few.
        memory: how many past steps the curvature is taken from.
        tolerance: stop where no component of the gradient is larger than this.
        directory: where to note each evaluation. The same script run again after an interruption ends in the same weights, bit
            for bit, with the same history; with more `steps` it goes on. About 4 bytes for each weight and evaluation, of
            the last 1000 steps. Callbacks hear of the repeated steps as well.
        callbacks: Keras callbacks, for which a step is an epoch: `on_train_begin`, `on_epoch_begin`, `on_epoch_end`,
            `on_train_end`. `model.stop_training = True` ends it.
        verbose: 0 is silent, 1 prints about ten lines, 2 one for each step.

    Returns:
        `model.history`, continued: one more row for each step, `loss` and the columns of the terms. Columns that only `fit` or
        only `polish` has are NaN in the other's rows.

    Raises:
        ValueError: for a model that is not compiled, draws random numbers or moves averages; for a loss that is not finite,
            with the names of the terms; for `steps` below 1; for a directory of another polish.
        ImportError: without SciPy.

    The weights are the best found, also after an interruption. It ends early where no step lowers the loss any further.

    Example:

    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> history = polish(model, (x, 3 * x + 1), steps=20, verbose=0)
    >>> history.history["loss"][-1] < 1e-10
    True

    Source: Liu, Nocedal, "On the limited memory BFGS method for large scale optimization", 1989; Zhu, Byrd, Lu, Nocedal,
    "Algorithm 778: L-BFGS-B", 1997.
    """
    _check_number("steps", steps)
    _check_number("memory", memory)
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not tolerance >= 0:
        raise ValueError(f"`tolerance` must be a number, 0 or more. Received: tolerance={tolerance!r}")
    minimize = _scipy_minimize()
    batch = full_batch(data)
    loss = fixed_loss(model, batch)
    run = Minimisation(model, loss, steps, {"maxcor": memory, "gtol": float(tolerance)}, limits(loss), minimize)
    run.listen(callbacks, 1 if verbose == "auto" else int(verbose))
    if directory is None:
        start = loss.read()
        first = at_the_start(model, loss, start)
        journal = EvaluationJournal(None, list(first.logs), len(start), loss.dtype)
        journal.begin({}, {})
        return run.train(journal, start, first)
    path = writable_directory(directory)
    lock = FileLock(path / "polish.lock")
    if not lock.acquire():
        raise ValueError(f"Another process polishes in {path}. Wait for it, or give another directory.")
    try:
        return run.train(*open_journal(path, model, loss, batch, steps))
    finally:
        lock.release()


def _check_number(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"`{name}` must be a whole number, 1 or more. Received: {name}={value!r}")


def _scipy_minimize():
    try:
        from scipy.optimize import minimize
    except ImportError as problem:
        raise ImportError("physics.polish needs SciPy. Write `pip install scipy`.") from problem
    return minimize
