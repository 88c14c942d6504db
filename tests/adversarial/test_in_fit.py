"""What `fit`, `evaluate` and `predict` of an adversarial model do: draws, columns, states, weights, forms of data."""

import keras
import numpy as np
import pytest
from keras import ops

import kerasmith
from kerasmith.losses import DiscriminatorLoss, GradientPenalty
from tests.adversarial.networks import (
    BACKEND,
    RNG,
    X,
    Y,
    compiled,
    conditional_discriminator,
    discriminator,
    everything,
    generator,
    values,
    with_state,
)


def softplus(x):
    return np.logaddexp(0, x)


def test_columns_are_means_over_samples_and_evaluate_changes_nothing():
    model = compiled(kerasmith.Adversarial(generator(), discriminator(), seed=1))
    before = values(model)
    found = model.evaluate(Y, batch_size=5, verbose=0, return_dict=True)
    assert model.evaluate(Y, batch_size=5, verbose=0, return_dict=True) == found
    assert set(found) == {"generator", "discriminator"}
    assert model.metrics_names == ["generator", "discriminator"]
    # The same numbers, drawn anew.
    seed = keras.random.SeedGenerator(2)
    made = np.concatenate([model.predict(keras.random.normal((n, 3), seed=seed), verbose=0) for n in (5, 5, 2)])
    real, fake = (model.discriminator.predict(x, verbose=0).astype("float64") for x in (Y, made))
    np.testing.assert_allclose(found["discriminator"], (softplus(-real) + softplus(fake)).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["generator"], softplus(-fake).mean(), rtol=1e-5)
    for one, other in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_states_of_both_networks_move_and_what_is_drawn_does_not_depend_on_validation():
    first = everything()
    history = first.fit(Y, batch_size=5, epochs=2, verbose=0, shuffle=False).history
    assert set(history) == {"generator", "discriminator", "gradient_penalty", "small"}
    assert all(np.isfinite(history[name]).all() for name in history)
    for network in (first.generator, first.discriminator):
        (norm,) = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert np.abs(ops.convert_to_numpy(norm.moving_mean)).max() > 1e-3
    second = everything()
    other = second.fit(Y, batch_size=5, epochs=2, verbose=0, shuffle=False, validation_data=(Y[:7],)).history
    assert {name: other[name] for name in history} == history
    assert other["val_generator"][0] != other["val_generator"][1]
    for one, two in zip(first.generator.get_weights(), second.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_each_network_has_its_own_regularisers_once():
    parts = with_state()
    model = kerasmith.Adversarial(*parts, seed=0)
    model.compile(generator_optimizer=keras.optimizers.SGD(0.0), discriminator_optimizer=keras.optimizers.SGD(1.0))
    kernel = parts[1].layers[0].kernel
    before = np.array(ops.convert_to_numpy(kernel))
    changes = []
    for factor in (0.0, 0.5):
        start = [np.array(ops.convert_to_numpy(variable)) for variable in model.variables]
        kernel.regularizer = keras.regularizers.L2(factor)
        model.make_train_function(force=True)
        model.latent_seed.state.assign([0, 0])
        parts[1].layers[3].rate = 0.0
        model.fit(Y, batch_size=12, verbose=0, shuffle=False)
        changes.append(np.array(ops.convert_to_numpy(kernel)))
        for variable, value in zip(model.variables, start, strict=True):
            variable.assign(value)
    if BACKEND == "torch":  # elsewhere a step that is traced again is another function
        np.testing.assert_allclose(changes[1] - changes[0], -2 * 0.5 * before, atol=1e-5)


def test_average_of_the_generator():
    parts = with_state()
    model = compiled(kerasmith.Adversarial(*parts, ema=0.75, seed=0))
    kernel = parts[0].layers[0].kernel
    kernel.assign(kernel.value + 1.0)  # weights that are loaded after the model was made
    expected = np.array(ops.convert_to_numpy(kernel), "float64")
    for _ in range(3):
        model.fit(Y, batch_size=12, verbose=0)
        expected = 0.75 * expected + 0.25 * ops.convert_to_numpy(kernel)
    average = model.averaged_generator
    np.testing.assert_allclose(ops.convert_to_numpy(average.layers[0].kernel), expected, rtol=1e-5)
    mine, other = (ops.convert_to_numpy(part.layers[1].moving_variance) for part in (average, parts[0]))
    np.testing.assert_array_equal(mine, other)
    assert not {id(v) for v in average.variables} & {id(v) for v in model.trainable_variables}
    z = RNG.normal(size=(2, 2)).astype("float32")
    np.testing.assert_allclose(model.predict(z, verbose=0), average.predict(z, verbose=0), rtol=1e-6)


def test_weights_of_samples():
    """Weight 0 with the sum of a loss is the same as no sample, for real samples, penalty and what belongs to a pair."""
    weight = np.array([1, 0, 2, 1, 0, 1, 1, 0, 1, 1, 2, 1], "float32")
    kept = np.repeat(np.arange(12), weight.astype(int))
    found = []
    for x, y, w in ((X, Y, weight), (X[kept], Y[kept], None)):
        losses = kerasmith.losses.GeneratorLoss("bce", reduction="sum"), DiscriminatorLoss("bce", reduction="sum")
        distance = keras.losses.MeanAbsoluteError(reduction="sum")
        model = kerasmith.Adversarial(generator(), conditional_discriminator(), *losses, terms={"l1": distance})
        compiled(model, 0.01, 0.01).fit(x, y, sample_weight=w, batch_size=12, verbose=0)
        found.append([*model.generator.get_weights(), *model.discriminator.get_weights()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    model = compiled(kerasmith.Adversarial(generator(), discriminator(), penalty=GradientPenalty("r1"), seed=0))
    plain = model.evaluate(Y, verbose=0, return_dict=True)
    heavy = model.evaluate(Y, sample_weight=np.full(12, 3.0, "float32"), verbose=0, return_dict=True)
    real = softplus(-model.discriminator.predict(Y, verbose=0).astype("float64")).mean()
    assert heavy["discriminator"] == pytest.approx(plain["discriminator"] + 2 * real, rel=1e-5)
    assert heavy["gradient_penalty"] == pytest.approx(3 * plain["gradient_penalty"], rel=1e-5)
    assert heavy["generator"] == plain["generator"]


def test_condition_and_random_input_together():
    label, latent = keras.Input((1,), dtype="int32", name="label"), keras.Input((2,), name="latent")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(3, 2)(label))
    made = keras.layers.Dense(4)(keras.layers.Concatenate()([embedded, latent]))
    label_too, sample = keras.Input((1,), dtype="int32", name="label"), keras.Input((4,), name="sample")
    judged = keras.layers.Concatenate()([keras.layers.Flatten()(keras.layers.Embedding(3, 2)(label_too)), sample])
    judge = keras.Model({"label": label_too, "sample": sample}, keras.layers.Dense(1)(judged))
    labels = (np.arange(12) % 3)[:, None].astype("int32")
    for inputs, x in (([label, latent], labels), ({"label": label, "latent": latent}, {"label": labels})):
        model = compiled(kerasmith.Adversarial(keras.Model(inputs, made), judge, seed=0))
        assert np.isfinite(model.fit(x, Y, verbose=0).history["generator"]).all()
        assert model.predict(x, verbose=0).shape == (12, 4)
        assert np.ptp(model.predict(x, verbose=0)[::3], axis=0).min() > 0


def test_metrics_and_terms_see_real_and_generated():
    def spread(y, y_pred, model):
        assert model.discriminator is judge
        return ops.abs(ops.std(y) - ops.std(y_pred))

    judge = discriminator()
    model = kerasmith.Adversarial(generator(), judge, terms=[spread])
    compiled(model, metrics=["mae"], weighted_metrics=[keras.metrics.MeanSquaredError(name="weighed")])
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    made = model.predict(X, verbose=0)
    assert set(found) == {"generator", "discriminator", "spread", "mae", "weighed"}
    assert found["mae"] == pytest.approx(np.abs(made - Y).mean(), rel=1e-5)
    assert found["spread"] == pytest.approx(abs(Y.std() - made.std()), rel=1e-4)
    assert set(model.fit(X, Y, verbose=0).history) == set(found)


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"run_eagerly": True}, {"steps_per_execution": 2}], ids=str)
def test_ways_to_run_give_the_same(options):
    if BACKEND == "torch" and "run_eagerly" not in options:
        pytest.skip("PyTorch compiles in another way, and has no steps_per_execution")
    plain, other = (
        kerasmith.Adversarial(generator(), discriminator(), "hinge", "hinge", 2, penalty="r1", ema=0.5, seed=4)
        for _ in range(2)
    )
    # Nothing is drawn: TensorFlow's XLA draws other numbers from the same seed.
    compiled(plain).fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    compiled(other, **options).fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    for one, two in zip(values(plain), values(other), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        parts = with_state()
        model = compiled(kerasmith.Adversarial(*parts, penalty="r1", ema=0.9, seed=0), 1e-3, 1e-3, metrics=["mae"])
        history = model.fit(Y, batch_size=4, epochs=2, verbose=0).history
        again = type(model).from_config(model.get_config())
        again.compile_from_config(model.get_compile_config())
    finally:
        keras.config.set_dtype_policy("float32")
    for place in ("generator_optimizer", "discriminator_optimizer"):
        one, two = (getattr(getattr(m, place), "inner_optimizer", getattr(m, place)) for m in (model, again))
        assert type(one) is type(two) is not keras.optimizers.LossScaleOptimizer
    assert all(np.isfinite(history[name]).all() for name in history)
    scaled = [hasattr(one, "dynamic_scale") for one in (model.generator_optimizer, model.discriminator_optimizer)]
    assert scaled == [policy == "mixed_float16"] * 2
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    assert history["discriminator"][0] != history["discriminator"][1]


def test_extreme_outputs_stay_finite():
    judge = discriminator()
    judge.set_weights([300 * w for w in judge.get_weights()])
    for kind in ("bce", "hinge", "least_squares", "wgan"):
        model = compiled(kerasmith.Adversarial(generator(), judge, kind, kind, penalty="wgan_gp"), 1e-9, 1e-9)
        history = model.fit(Y, verbose=0).history
        assert all(np.isfinite(history[name]).all() for name in history), kind
    assert all(np.isfinite(value).all() for value in values(model))
