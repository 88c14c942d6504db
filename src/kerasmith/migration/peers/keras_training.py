"""Schedules and callbacks of Keras 3 that ours can stand in for."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import drop, lost, sets, to


def _save_freq(line: Line, argument: Argument) -> None:
    if argument.text not in ("'epoch'",):
        line.write("every", argument.text)


def _checkpoint(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["save_best_only"].text == "True":
        line.write("k", "1")
    else:
        line.lost.append("`save_best_only=False`: a file of every epoch; here `k` best ones are kept, 3 by default.")


def _floor(line: Line, arguments: Mapping[str, Argument]) -> None:
    """`alpha` is a share of the first rate there, `eta_min` a rate here."""
    rate, share = arguments["initial_learning_rate"], arguments["alpha"]
    if rate.literal and share.literal:
        to("eta_min", 0.0, lambda value: value * rate.value)(line, share)
    else:
        line.write("eta_min", f"{share.text} * {rate.text}")


CALLS = (
    Call(
        "keras.optimizers.schedules.CosineDecayRestarts",
        "initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name=None",
        "schedules.CosineRestarts",
        {
            "initial_learning_rate": to("eta_max"),
            "first_decay_steps": to("T_0"),
            "t_mul": to("T_mult", 1, lambda value: int(value) if value == int(value) else value),
            "m_mul": to("peak_decay", 1.0),
            "alpha": drop,
            "name": drop,
        },
        finish=_floor,
    ),
    Call(
        "keras.callbacks.BackupAndRestore",
        "backup_dir, save_freq='epoch', double_checkpoint=False, delete_checkpoint=True",
        "callbacks.Resume",
        {"backup_dir": to(""), "save_freq": _save_freq, "double_checkpoint": drop, "delete_checkpoint": drop},
        ("Ours brings back optimizer, random state, order of the data, callbacks and history too, at the step.",),
    ),
    Call(
        "keras.callbacks.ModelCheckpoint",
        "filepath, monitor='val_loss', verbose=0, save_best_only=False, save_weights_only=False, mode='auto', "
        "save_freq='epoch', initial_value_threshold=None",
        "callbacks.TopKCheckpoints",
        {
            "filepath": lambda line, argument: (
                line.write("", "'checkpoints'"),
                line.notes.append(f"`filepath={argument.text}`: ours takes a directory, and `filename=` for the files in it."),
            ),
            "monitor": to("monitor", "val_loss"),
            "verbose": drop,
            "save_best_only": drop,
            "save_weights_only": sets(True, save_weights_only=True),
            "mode": to("mode", "auto"),
            "save_freq": lost("epoch", "models are compared after epochs."),
            "initial_value_threshold": lost(None, "every model competes."),
        },
        finish=_checkpoint,
    ),
    Call(
        "keras.callbacks.CSVLogger",
        "filename, separator=',', append=False",
        "callbacks.HistoryCSV",
        {"filename": to(""), "separator": lost(",", "columns are separated by commas."), "append": drop},
    ),
    Call(
        "keras.callbacks.ReduceLROnPlateau",
        "monitor='val_loss', factor=0.1, patience=10, verbose=0, mode='auto', min_delta=0.0001, cooldown=0, min_lr=0.0",
        "callbacks.ReduceOnPlateau",
        {
            "monitor": to("monitor", "val_loss"),
            "factor": to("factor", 0.1),
            "patience": to("patience", 10),
            "verbose": to("verbose", 0),
            "mode": to("mode", "auto"),
            "min_delta": to("min_delta", 0.0001),
            "cooldown": to("cooldown", 0),
            "min_lr": lost(0.0, "write `min_factor=min_lr / rate`, as a share of the schedule's rate."),
        },
        ("Ours multiplies whatever schedule the optimizer has.",),
    ),
    Call(
        "keras.callbacks.TensorBoard",
        "log_dir='./logs', histogram_freq=0, write_graph=True, write_images=False, write_steps_per_second=False, "
        "update_freq='epoch', profile_batch=0, embeddings_freq=0, embeddings_metadata=None",
        "callbacks.TensorBoard",
        {
            "log_dir": to(""),
            "histogram_freq": to("histograms", 0),
            "write_graph": drop,
            "write_images": lost(False, "weights are shown as histograms."),
            "write_steps_per_second": lost(False, "times are in the report."),
            "update_freq": lost("epoch", "one point an epoch."),
            "profile_batch": lost(0, "the profiler is that of the backend."),
            "embeddings_freq": lost(0, "embeddings are not written."),
            "embeddings_metadata": drop,
        },
        ("Ours needs no TensorFlow.",),
    ),
    Call(
        "keras.callbacks.TerminateOnNaN",
        "raise_error=False",
        "callbacks.NumericsGuard",
        {"raise_error": drop},
        ("Ours names the first layer, term or gradient that is not finite.",),
    ),
    Call("keras.callbacks.ProgbarLogger", "", "callbacks.LiveProgress"),
    Call(
        "keras.callbacks.SwapEMAWeights",
        "swap_on_epoch=False",
        "callbacks.WeightAveraging",
        {"swap_on_epoch": drop},
        ("Without `use_ema=True` of the optimizer: the callback averages, `decay=0.999`.",),
    ),
)
