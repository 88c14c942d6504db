"""The name under which a metric is logged."""

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check

# Keys that Keras or its callbacks write into the logs themselves.
_TAKEN = {"loss", "lr", "learning_rate", "epoch", "batch", "size"}
# What `metrics=["accuracy"]` is called.
_COMMON = {"accuracy", "acc"}


@check("X112", "metric", "note", requires=("X100", "X103", "X102"), needs_inputs=False, since="0.1.0")
def name_is_its_own(case: Case) -> None:
    """The default name is taken by Keras.

    Logs are a dict: of two entries with one name the later one wins. A metric called "loss" hides the loss from the history,
    from EarlyStopping and from ModelCheckpoint; one called "accuracy" hides, or is hidden by, the metric of
    `metrics=["accuracy"]`.

    Fix: give it a name that says what it counts, `def __init__(self, name="lesion_recall", **kwargs)`.
    """
    if case.subject.is_function:
        name = getattr(case.subject.component, "__name__", "")
    elif "name" in case.subject.init or case.subject.cls.__module__.partition(".")[0] == "keras":
        raise NotApplicable("the name was chosen by the user, or by Keras")
    else:
        name = case.make().name
    if name in _TAKEN or name in _COMMON or name.startswith("val_"):
        raise Failed(
            "a name of its own",
            f"it is called {name!r}",
            [f"print({case.kind}.{'__name__' if case.subject.is_function else 'name'})"],
            severity="warning" if name in _TAKEN else None,
        )
