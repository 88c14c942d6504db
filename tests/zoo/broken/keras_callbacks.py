"""Faults of callbacks of Keras 3.15.1 itself."""

import keras

from tests.zoo.entries import Broken

BROKEN = [
    # Source: keras-team/keras 17012 (patience after a restart), and what `BackupAndRestore` leaves out.
    Broken(
        keras.callbacks.EarlyStopping, check="C107", note="a resumed run has forgotten the best value and the epochs waited"
    ),
    Broken(keras.callbacks.ReduceLROnPlateau, check="C107", note="the same"),
    Broken(
        keras.callbacks.ModelCheckpoint,
        init={"filepath": "best.keras", "save_best_only": True},
        contract={"continues": True},
        check="C107",
        note="a resumed run overwrites the best model with the first that comes",
    ),
    Broken(keras.callbacks.CSVLogger, init={"filename": "log.csv"}, check="C107", note="a resumed run empties the file"),
    # Source: the docstring of CSVLogger recommends `append=True` "useful for continuing training".
    Broken(
        keras.callbacks.CSVLogger,
        init={"filename": "log.csv", "append": True},
        check="C118",
        note="epochs since the last checkpoint stand in the file twice",
    ),
    # Source: `_is_improvement` in keras/src/callbacks/monitor_callback.py takes the first value whatever it is.
    Broken(
        keras.callbacks.EarlyStopping, init={"patience": 3}, check="C122", note="a NaN in the first epoch stays the best value"
    ),
    Broken(keras.callbacks.ReduceLROnPlateau, init={"patience": 3}, check="C122", note="the same"),
    # A kill during the second write destroys the only checkpoint.
    Broken(
        keras.callbacks.BackupAndRestore, init={"backup_dir": "backup"}, check="C116", note="its files are not written whole"
    ),
    Broken(keras.callbacks.ModelCheckpoint, init={"filepath": "model.keras"}, check="C116", note="the same"),
]
