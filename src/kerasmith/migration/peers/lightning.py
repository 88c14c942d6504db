"""Callbacks and loggers of PyTorch Lightning 2.6."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, drop, lost, sets, to

_STEP = "A Lightning callback hooks into `Trainer`; ours goes into `fit(callbacks=[...])`."


def _start(line: Line, argument: Argument) -> None:
    if argument.literal and isinstance(argument.value, int):
        line.write("start", str(max(argument.value - 1, 0)))
    else:
        line.lost.append(f"`{argument.name}={argument.text}`: `start` here is a number of epochs, not a share of them.")


def _duration(line: Line, argument: Argument) -> None:
    if argument.literal and isinstance(argument.value, str) and argument.value.count(":") == 3:
        days, hours, minutes, seconds = (int(part) for part in argument.value.split(":"))
        line.write("", f"'{24 * days + hours}:{minutes:02d}:{seconds:02d}'")
    elif argument.literal and isinstance(argument.value, dict):
        units = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
        line.write("", str(sum(units[unit] * value for unit, value in argument.value.items())))
    else:
        line.write("", argument.text)


def _directory(line: Line, argument: Argument) -> None:
    line.write("", "'checkpoints'" if argument.text == "None" else argument.text)


def _best(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["save_last"].text == "True":
        line.notes.append("The last state is `callbacks.Resume(directory)`, which training goes on from.")


CALLS = (
    Call(
        "lightning.pytorch.callbacks.ModelCheckpoint",
        "dirpath=None, filename=None, monitor=None, verbose=False, save_last=None, save_top_k=1, save_weights_only=False, "
        "mode='min', auto_insert_metric_name=True, every_n_train_steps=None, train_time_interval=None, every_n_epochs=None, "
        "save_on_train_epoch_end=None, enable_version_counter=True",
        "callbacks.TopKCheckpoints",
        {
            "dirpath": _directory,
            "filename": lost(None, "`filename` has the fields of Python's `format` and ends in .keras."),
            "monitor": to("monitor", None),
            "verbose": drop,
            "save_last": drop,
            "save_top_k": to("k", 3),
            "save_weights_only": sets(True, save_weights_only=True),
            "mode": to("mode", "auto"),
            "auto_insert_metric_name": drop,
            "every_n_train_steps": lost(None, "models are compared after epochs; `Resume(every=steps)` saves within them."),
            "train_time_interval": lost(None, "models are compared after epochs."),
            "every_n_epochs": to("every", None),
            "save_on_train_epoch_end": drop,
            "enable_version_counter": drop,
        },
        (_STEP,),
        finish=_best,
    ),
    Call(
        "lightning.pytorch.callbacks.EarlyStopping",
        "monitor, min_delta=0.0, patience=3, verbose=False, mode='min', strict=True, check_finite=True, "
        "stopping_threshold=None, divergence_threshold=None, check_on_train_epoch_end=None, log_rank_zero_only=False",
        "keras.callbacks.EarlyStopping",
        {
            "monitor": to("monitor"),
            "min_delta": to("min_delta", 0),
            "patience": to("patience", 0),
            "verbose": drop,
            "mode": to("mode", "auto"),
            "strict": drop,
            "check_finite": drop,
            "stopping_threshold": lost(None, "no value ends training by itself."),
            "divergence_threshold": lost(None, "`callbacks.NumericsGuard` watches for values that are not finite."),
            "check_on_train_epoch_end": drop,
            "log_rank_zero_only": drop,
        },
        (_STEP,),
    ),
    Call(
        "lightning.pytorch.callbacks.StochasticWeightAveraging",
        "swa_lrs, swa_epoch_start=0.8, annealing_epochs=10, annealing_strategy='cos', avg_fn=None, device=None",
        "callbacks.WeightAveraging",
        {
            "swa_lrs": both(
                lambda line, _: line.write("", "'swa'"),
                lambda line, argument: line.notes.append(
                    f"`swa_lrs={argument.text}`: the rate is that of the optimizer or of "
                    "`ScheduleLR`, here as before the average begins."
                ),
            ),
            "swa_epoch_start": _start,
            "annealing_epochs": drop,
            "annealing_strategy": drop,
            "avg_fn": lost(None, 'the equal average, or "ema".'),
            "device": drop,
        },
        (_STEP,),
    ),
    Call(
        "lightning.pytorch.callbacks.EMAWeightAveraging",
        "device=None, use_buffers=True, decay=0.999, update_every_n_steps=1, update_starting_at_step=None, "
        "update_starting_at_epoch=None",
        "callbacks.WeightAveraging",
        {
            "device": drop,
            "use_buffers": lambda line, argument: line.notes.append(
                "Statistics of batch normalisation are measured again with `update_batch_norm=x`, not averaged."
            ),
            "decay": to("decay", 0.999),
            "update_every_n_steps": to("every", 1),
            "update_starting_at_step": to("start", None),
            "update_starting_at_epoch": both(
                to("start", None), lambda line, argument: argument.given and line.write("unit", "'epoch'")
            ),
        },
        (_STEP,),
    ),
    Call(
        "lightning.pytorch.callbacks.LearningRateMonitor",
        "logging_interval=None, log_momentum=False, log_weight_decay=False",
        "callbacks.RunReport",
        {
            "logging_interval": lambda line, _: line.write("", "'runs/first'"),
            "log_momentum": lost(False, "momentum is not a column."),
            "log_weight_decay": lost(False, "weight decay is not a column."),
        },
        (_STEP, "The learning rate is a column of the history wherever a schedule or `ScheduleLR` moves it."),
    ),
    Call(
        "lightning.pytorch.callbacks.LearningRateFinder",
        "min_lr=1e-08, max_lr=1, num_training_steps=100, mode='exponential', early_stop_threshold=4.0, update_attr=True, "
        "attr_name=''",
        "callbacks.FindLR",
        {
            "min_lr": to("low", 1e-7),
            "max_lr": to("high", 10.0, float),
            "num_training_steps": to("steps", 100),
            "mode": lost("exponential", "rates rise by a factor."),
            "early_stop_threshold": to("diverge", 4.0),
            "update_attr": drop,
            "attr_name": drop,
        },
        (_STEP, "Ours puts the weights back and shows the curve; the rate is yours to set."),
    ),
    Call(
        "lightning.pytorch.callbacks.Timer",
        "duration=None, interval='step', verbose=True",
        "callbacks.TimeLimit",
        {"duration": _duration, "interval": drop, "verbose": drop},
        (_STEP, 'Ours counts from the start of the process unless `since="train"`, and ends in time for the last validation.'),
    ),
    Call(
        "lightning.pytorch.callbacks.RichProgressBar",
        "refresh_rate=1, leave=False, theme=None, console_kwargs=None",
        "callbacks.LiveProgress",
        {"refresh_rate": drop, "leave": drop, "theme": drop, "console_kwargs": drop},
        (_STEP,),
    ),
    Call(
        "lightning.pytorch.callbacks.TQDMProgressBar",
        "refresh_rate=1, process_position=0, leave=False",
        "callbacks.LiveProgress",
        {"refresh_rate": drop, "process_position": drop, "leave": drop},
        (_STEP,),
    ),
    Call(
        "lightning.pytorch.callbacks.OnExceptionCheckpoint",
        "dirpath, filename='on_exception'",
        "callbacks.Resume",
        {"dirpath": to(""), "filename": drop},
        (
            _STEP,
            "Ours saves each epoch, or every so many steps, so that a kill costs no more; running the script again goes on.",
        ),
    ),
    Call(
        "lightning.pytorch.loggers.CSVLogger",
        "save_dir, name='lightning_logs', version=None, prefix='', flush_logs_every_n_steps=100",
        "callbacks.HistoryCSV",
        {
            "save_dir": lambda line, argument: line.write("", f"{argument.text} + '/history.csv'"),
            "name": drop,
            "version": drop,
            "prefix": drop,
            "flush_logs_every_n_steps": drop,
        },
        ("A logger there, a callback here.",),
    ),
    Call(
        "lightning.pytorch.loggers.TensorBoardLogger",
        "save_dir, name='lightning_logs', version=None, log_graph=False, default_hp_metric=True, prefix='', sub_dir=None",
        "callbacks.TensorBoard",
        {
            "save_dir": to(""),
            "name": drop,
            "version": drop,
            "log_graph": lost(False, "the graph is not written."),
            "default_hp_metric": drop,
            "prefix": drop,
            "sub_dir": drop,
        },
        ("A logger there, a callback here.",),
    ),
)
