"""The attributes in which Keras' callbacks keep what they have learnt of a training."""

import keras

_MONITORS = ("best",)

# Also the keys in checkpoints: a name that Keras changes stays here, with the new one beside it.
ATTRIBUTES: dict[type[keras.callbacks.Callback], tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: (*_MONITORS, "wait", "stopped_epoch", "best_epoch", "best_weights"),
    keras.callbacks.ReduceLROnPlateau: (*_MONITORS, "wait", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: (*_MONITORS, "_current_epoch", "_batches_seen_since_last_saving", "_last_batch_seen"),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.History: ("history", "epoch"),
    keras.callbacks.TensorBoard: ("_global_train_batch", "_global_test_batch", "_previous_epoch_iterations"),
}
