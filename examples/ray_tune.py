"""Handwritten digits with few active units: Ray Tune looks for the weight of the penalty, and each trial has its report.

A trial's result are the columns of the history, so the search can ask for any of them: here for the least penalty among the
weights with an accuracy of .9 or more.

    KERAS_BACKEND=torch python examples/ray_tune.py        # needs: pip install "kerasmith[ray,torch]" scikit-learn
"""

import os
import pathlib
import tempfile

# Before Keras is imported, here and in the trials, which inherit it.
os.environ.setdefault("KERAS_BACKEND", "torch")


def trial(config):
    """One training with `config["weight"]`; runs in a process of its own."""
    import keras
    from keras import layers, ops
    from ray import tune
    from sklearn.datasets import load_digits

    import kerasmith
    from kerasmith import Objective, Tap, Term
    from kerasmith.callbacks import RunReport

    def activity(features):
        return ops.mean(ops.abs(features["hidden"]), axis=-1)

    keras.utils.set_random_seed(0)
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target.astype("int32")
    pixels = keras.Input((64,))
    model = kerasmith.Model(pixels, layers.Dense(10)(Tap("hidden")(layers.Dense(64, activation="relu")(pixels))))
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    objective = Objective({"ce": cross_entropy, "activity": Term(activity, weight=config["weight"])})
    model.compile(keras.optimizers.Adam(3e-3), objective, metrics=["accuracy"])
    report = RunReport(f"{config['directory']}/weight-{config['weight']}", overwrite=True, config={"weight": config["weight"]})
    # Every column of the history, terms and metrics, is a result of the trial; its page is named beside them.
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: tune.report({**logs, "report": f"{report.directory}/report.html"})
    )
    fit = {"batch_size": 50, "epochs": config["epochs"], "validation_data": (x[1500:], y[1500:]), "verbose": 0}
    model.fit(x[:1500], y[:1500], callbacks=[report, tell], **fit)


def main(epochs=5, weights=(0.0, 0.1, 1.0), directory="runs/ray_tune"):
    import ray
    from ray import tune

    ray.init(num_cpus=os.cpu_count() or 1, include_dashboard=False, ignore_reinit_error=True)
    space = {
        "weight": tune.grid_search(list(weights)),
        "epochs": epochs,
        "directory": str(pathlib.Path(directory).resolve()),
    }
    results = tune.Tuner(trial, param_space=space, run_config=tune.RunConfig(storage_path=tempfile.mkdtemp())).fit()
    found = {one.config["weight"]: one.metrics for one in results}
    ray.shutdown()
    for weight, metrics in sorted(found.items()):
        print(f"weight {weight}: accuracy {metrics['val_accuracy']:.3f}, activity {metrics['val_activity']:.3f}")
        print(f"    {metrics['report']}")
    good = [weight for weight, metrics in found.items() if metrics["val_accuracy"] >= 0.9]
    best = min(good or found, key=lambda weight: found[weight]["val_activity"])
    print(f"chosen: {best}")
    return best, found


if __name__ == "__main__":
    main()
