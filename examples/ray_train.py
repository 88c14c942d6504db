"""Handwritten digits in two workers of Ray Train: plain `fit`, with the numbers of one process.

The script starts Ray; one that has its own training loop is started as it is by `kerasmith launch --engine ray`.

    KERAS_BACKEND=torch python examples/ray_train.py        # needs: pip install "kerasmith[ray,torch]" scikit-learn
"""

import os
import pathlib
import tempfile

# Before Keras is imported, here and in the workers, which inherit it.
os.environ.setdefault("KERAS_BACKEND", "torch")


def train(config):
    """Runs in each worker."""
    import keras
    import ray.train
    from sklearn.datasets import load_digits

    from kerasmith import distribution
    from kerasmith.callbacks import RunReport
    from kerasmith.losses import Dice

    # Finds the other workers; from here on `batch_size` is that of both together.
    place = distribution.setup()
    keras.utils.set_random_seed(0)
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), keras.utils.to_categorical(digits.target)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")],
    )
    model.compile(keras.optimizers.Adam(3e-3), Dice(scope="batch"), metrics=["accuracy"])
    # Ray waits for a report of every worker; all have the same numbers.
    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ray.train.report({"epoch": epoch, **logs}))
    page = RunReport(config["directory"], overwrite=True)  # one page, of the first worker
    fit = {"batch_size": 64, "epochs": config["epochs"], "validation_data": (x[1500:], y[1500:]), "verbose": 0}
    history = model.fit(x[:1500], y[:1500], callbacks=[tell, page], **fit).history
    print(f"worker {place.rank} of {place.count}: {history['val_accuracy'][-1]:.4f}")


def main(epochs=5, workers=2, directory="runs/ray_train"):
    import ray
    from ray.train import RunConfig, ScalingConfig

    if os.environ["KERAS_BACKEND"] == "tensorflow":
        from ray.train.tensorflow import TensorflowTrainer as Trainer
    else:
        from ray.train.torch import TorchTrainer as Trainer
    ray.init(num_cpus=max(workers, os.cpu_count() or 1), include_dashboard=False, ignore_reinit_error=True)
    trainer = Trainer(
        train,
        train_loop_config={"epochs": epochs, "directory": str(pathlib.Path(directory).resolve())},
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(storage_path=tempfile.mkdtemp()),
    )
    trainer.fit()
    ray.shutdown()
    columns, *_, last = pathlib.Path(directory, "history.csv").read_text().splitlines()
    found = dict(zip(columns.split(","), last.split(","), strict=True))
    print(f"{directory}/report.html", found)
    return found


if __name__ == "__main__":
    main()
