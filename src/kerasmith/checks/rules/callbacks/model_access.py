"""What a callback does in every step: model access, threads."""

import ast
import inspect
import textwrap
import threading

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import scenarios
from kerasmith.checks.harness.scripted_training import STEPS
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import BATCH_HOOKS, MODEL_LINES, CallbackCase, hooks_of

_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore, threading.Event)


@check("C109", "callback", "warning", since="0.1.0")
def asks_for_the_model_in_each_step(case: CallbackCase) -> None:
    """`self.model` is used in every training step.

    On JAX the state of a training lives in the compiled step. Each access to `self.model` copies all of it back into
    the model: a step takes six to eight times as long, whatever the hook does with it.

    Fix: look at the model every so many steps, or at the end of the epoch; keep what does not change, such as the optimizer's
    name, in `on_train_begin`; set a learning rate for each step with a `LearningRateSchedule`.
    """
    with temporary_cwd():
        if not any("batch" in name for name in hooks_of(case.make())):
            raise NotApplicable("has no hook of a training step")
    steps = case.observed.steps
    number = STEPS * len(scenarios.falling())
    if 2 * len(steps) <= number:
        return
    raise Failed(
        expected=f"`self.model` is asked for in a few of {number} steps",
        actual=f"in {len(steps)} of {number}",
        lines=(
            "count, original = [], keras.callbacks.Callback.model",
            "keras.callbacks.Callback.model = property(lambda self: (count.append(1), original.fget(self))[1])",
            *case.fit_lines(epochs=3),
            'print(len(count), "accesses in 12 steps")',
        ),
    )


@check("C119", "callback", "warning", since="0.1.0")
def claims_to_be_safe_in_threads(case: CallbackCase) -> None:
    """`async_safe = True` is declared, and batches would disturb each other.

    Keras then calls the batch hooks of several steps from a pool of threads, in any order. A running sum that is read,
    changed and written back without a lock loses steps; `self.model` is in the middle of a step.

    Fix: remove `async_safe`, or keep what changes under a `threading.Lock` and away from the model.
    """
    with temporary_cwd():
        callback = case.make()
    if not getattr(callback, "async_safe", False):
        raise NotApplicable("does not declare `async_safe`")
    lines = (
        *MODEL_LINES[:1],
        "hooks = keras.callbacks.CallbackList([callback], model=model, epochs=1, steps=20000)",
        "hooks.on_train_begin(); hooks.on_epoch_begin(0)",
        "import sys; sys.setswitchinterval(1e-6)",
        'for batch in range(20000): hooks.on_train_batch_end(batch, {"loss": 1.0})',
        "hooks.on_epoch_end(0); hooks.on_train_end()",
        "print({name: value for name, value in vars(callback).items() if isinstance(value, (int, float))})",
    )
    if any(isinstance(value, _LOCKS) for value in vars(callback).values()):
        exposed = []
    else:
        exposed = _read_and_written(case.subject.cls)
    if exposed:
        raise Failed(
            expected="what a batch hook changes is guarded by a lock",
            actual=f"`self.{exposed[0]}` is read and written without one",
            lines=lines,
        )
    steps = case.observed.steps
    if steps:
        raise Failed(
            expected="batch hooks leave the model alone", actual=f"they ask for it in {len(steps)} steps", lines=lines
        )


def _read_and_written(cls):
    """Attributes that a batch hook both reads and writes outside of a `with` block."""
    for name in BATCH_HOOKS:
        hook = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        if hook is None or hook.__module__.partition(".")[0] == "keras":
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(hook)))
        except (OSError, TypeError, SyntaxError):
            continue
        read, written = set(), set()
        for node in _outside_with(tree):
            if isinstance(node, ast.AugAssign) and _of_self(node.target):
                read.add(node.target.attr)
            if _of_self(node):
                (written if isinstance(node.ctx, ast.Store) else read).add(node.attr)
        both = sorted(read & written)
        if both:
            return both
    return []


def _outside_with(node):
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.With):
            yield from _outside_with(child)


def _of_self(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
