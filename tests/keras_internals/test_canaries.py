"""One test for each name that Keras or a backend keeps private and kerasmith uses: it fails when the name is gone.

The rows are those of `src/kerasmith/keras_internals/README.md`. On the next Keras the failing ones are what has to be mended.
"""

import contextlib
import importlib
import inspect
import random

import keras
import numpy as np
import pytest
from keras import ops

import kerasmith
from kerasmith.keras_internals import (
    callback_attributes,
    compiled,
    compiled_outputs,
    data_copies,
    data_epoch,
    dataset_order,
    epoch_caller,
    fit_call,
    fit_interception,
    fit_weights,
    global_arrays,
    global_batch,
    inner_state,
    layer_outputs,
    layers,
    learning_rate,
    loss_and_gradient,
    metric_direction,
    model_calls,
    optimizers,
    output_graph,
    own_steps,
    owned,
    plain_layers,
    random_state,
    shape_inference,
    step_ends,
    step_updates,
    summed_metrics,
    tensors,
    traced_batch,
    training_state,
    untouched,
    versions,
    worker_steps,
    xla_steps,
)
from kerasmith.keras_internals.layer_loading import loading_by
from kerasmith.keras_internals.outside_traces import outside_traces
from kerasmith.keras_internals.train_function_hook import attach, detach

BACKEND = keras.backend.backend()


def model_of(*metrics):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse", metrics=list(metrics), run_eagerly=BACKEND != "jax")
    return model


class Look(keras.callbacks.Callback):
    """Keeps what a function says in the middle of a `fit`."""

    def __init__(self, hook, function):
        super().__init__()
        self.said = None

        def look(*args, **kwargs):
            self.said = function()

        setattr(self, hook, look)


class Data(keras.utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.callers = []

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((2, 3), "float32"), np.ones((2, 1), "float32")

    def on_epoch_begin(self):
        self.callers.append(epoch_caller.find(self))


@pytest.fixture(scope="module")
def trained():
    """(model, the `FitCall` and JAX's weights seen from within, the data's callers)."""
    model, data = model_of("mae"), Data(workers=2)
    fit, weights = (
        Look("on_train_batch_end", fit_call.find),
        Look("on_train_batch_end", lambda: training_state.weights_now(model, [0])),
    )
    model.fit(data, epochs=1, verbose=0, callbacks=[fit, weights])
    return model, fit.said, weights.said, data


def test_frames_of_fit(trained):
    _, fit, _, data = trained
    assert fit is not None
    assert fit.x is data
    assert isinstance(fit.callbacks, keras.callbacks.CallbackList)
    assert fit.epochs == 1


def test_whether_a_fit_is_running(trained):
    look = Look("on_epoch_end", lambda: fit_call.is_running(fit_call.find().callbacks))
    model_of().fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, callbacks=[look])
    assert look.said
    assert not fit_call.is_running(object())


@pytest.mark.skipif(BACKEND != "tensorflow", reason="its datasets")
def test_order_of_a_dataset():
    import tensorflow as tf

    numbers = tf.data.Dataset.range(4)
    order = dataset_order.changing_order
    assert order(numbers.shuffle(4, seed=1).batch(2)) == "shuffle"
    assert order(numbers.shuffle(4, seed=1, reshuffle_each_iteration=False).batch(2)) is None
    assert order(tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True).batch(2)) == "seed"
    assert order(numbers.map(abs, num_parallel_calls=2, deterministic=False)) == "deterministic"
    slices = tf.data.Dataset.from_tensor_slices(np.arange(4)).shuffle(4).batch(2)
    assert [part.tolist() for part in dataset_order.source_tensors(slices)["tensors"]] == [[0, 1, 2, 3]]
    files = tf.data.TFRecordDataset(["a", "b"])
    assert [part.tolist() for part in dataset_order.source_tensors(files)["tensors"]] == [[b"a", b"b"]]


def test_every_local_of_fit_is_there():
    assert set(fit_call._LOCALS) <= set(inspect.unwrap(keras.Model.fit).__code__.co_varnames)


def test_epoch_iterator(trained):
    iterator = trained[1].epoch_iterator
    assert iterator.num_batches == 2
    assert iterator.steps_per_execution == 1
    assert {"_num_batches", "_current_iterator", "_steps_seen"} <= set(vars(iterator))
    assert callable(iterator._get_iterator)


def test_first_batches_of_a_generator():
    def batches():
        while True:
            yield np.ones((2, 3), "float32"), np.ones((2, 1), "float32")

    look = Look("on_train_begin", lambda: fit_call.first_batch(fit_call.find()))
    model_of().fit(batches(), steps_per_epoch=1, verbose=0, callbacks=[look])
    assert look.said is not None


def test_frames_of_an_epoch(trained):
    training = [caller for caller in trained[3].callers if caller.purpose == "fit"]
    assert len(training) == 1
    assert training[0].adapter is trained[1].epoch_iterator.data_adapter


def test_names_of_methods_that_read_data():
    assert callable(keras.Model._symbolic_build)
    if BACKEND == "tensorflow":
        assert callable(keras.Model._maybe_symbolic_build)


def test_ready_queue():
    look = Look("on_train_batch_begin", lambda: fit_call.find().epoch_iterator.data_adapter.enqueuer.ready_queue)
    model_of().fit(Data(workers=2), verbose=0, callbacks=[look])
    assert look.said is not None


def test_epoch_of_the_data_adapter():
    look = Look("on_epoch_begin", lambda: data_epoch.epoch_of(fit_call.find().epoch_iterator.data_adapter))
    model_of().fit(np.ones((4, 3)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[look])
    assert (look.said is not None) == versions.shuffles_by_counter()


def test_list_of_callbacks_may_be_replaced(trained):
    assert isinstance(trained[1].callbacks.callbacks, list)


def test_initial_epoch():
    model, begun = model_of(), []
    training_state.begin_at(model, 2)
    count = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    model.fit(np.ones((2, 3)), np.ones((2, 1)), epochs=3, verbose=0, callbacks=[count])
    assert begun == [2]


def test_flush_futures():
    training_state.finish_hooks(keras.callbacks.CallbackList())


@pytest.mark.skipif(BACKEND != "jax", reason="the state of a step is JAX's")
def test_jax_state(trained):
    assert trained[2] is not None
    assert trained[2][0].shape == (3, 2)


def test_final_weights():
    model, said = model_of(), []
    training_state.before_final_weights(model.optimizer, lambda: said.append(1))
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert said == [1]
    training_state.own_final_weights(model.optimizer)
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert said == [1]


def test_learning_rate_and_iterations():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizer = keras.optimizers.SGD(schedule, gradient_accumulation_steps=2)
    assert learning_rate.schedule_of(optimizer) is schedule
    assert isinstance(learning_rate.rate_given(keras.optimizers.SGD(0.1)), keras.Variable)
    optimizer.build([keras.Variable([1.0])])
    for _ in range(2):
        optimizer.apply([ops.ones(1)])
    assert learning_rate.steps_done(optimizer) == 2


def test_train_function_may_be_replaced():
    class Watch(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_begin(self, batch, logs=None):
            attach(self._model, self)

        def on_train_end(self, logs=None):
            detach(self._model)

        def before_step(self, state, batches):
            self.seen += 1

        def after_step(self, logs, state, batches):
            return logs, state

    watch = Watch()
    model_of().fit(np.ones((4, 3)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[watch])
    assert watch.seen == 2


def test_layers_inside_of_layers(trained):
    assert sum(isinstance(layer, keras.layers.Dense) for layer in layers.all_layers(trained[0])) == 2
    assert len(layers.own_weights(trained[0].layers[0])) == 2


def test_whether_call_takes_training():
    assert layers.takes_training(keras.layers.Dropout(0.5))
    assert not layers.takes_training(keras.layers.Flatten())


def test_default_build():
    class Plain(keras.layers.Layer):
        pass

    assert layers.has_default_build(Plain)
    assert not layers.has_default_build(keras.layers.Dense)


def test_tracker(trained):
    model = trained[0]
    first, second = keras.layers.Dense(1, name="first"), keras.layers.Dense(1, name="second")
    layers.replace_tracked(model, "extra", first)
    assert any(layer is first for layer in layers.all_layers(model))
    layers.replace_tracked(model, "extra", second)
    assert [layer for layer in layers.all_layers(model) if layer in (first, second)] == [second]
    layers.replace_tracked(model, "extra", None)


def test_additional_loss(trained):
    assert float(ops.convert_to_numpy(layers.added_loss(trained[0], ops.convert_to_tensor(2.0)))) == 2.0


def test_functional():
    inputs = keras.Input((2,))
    assert type(keras.Model(inputs, keras.layers.Dense(1)(inputs))) is layers.functional()


def test_structure_of_the_inputs_of_a_graph():
    inputs = keras.Input((2,))
    assert keras.Model([inputs], keras.layers.Dense(1)(inputs))._inputs_struct == [inputs]


def test_variables_are_made_inside_of_a_step_that_is_traced():
    made = []

    def step(x):
        with outside_traces():
            made.append(keras.Variable(np.ones(3), dtype="float32"))
            made[-1].assign(np.full(3, 2.0))
        return x * 2.0

    with keras.StatelessScope():
        tensors.output_spec(step, keras.KerasTensor((2, 3)))
    np.testing.assert_array_equal(ops.convert_to_numpy(made[0]), [2.0, 2.0, 2.0])


def test_metrics_given():
    assert compiled.metrics_given(model_of("mae")) == ["mae"]


def test_losses_of_a_trained_model(trained):
    ((path, loss, factor),) = compiled.losses_by_output(trained[0])
    assert tuple(path) == ()
    assert isinstance(loss, keras.losses.Loss)
    assert factor in (None, 1.0)


def test_symbolic_build():
    model = model_of("mae")
    assert not compiled.is_built(model)
    compiled.build_on(model, (np.ones((2, 3), "float32"), np.ones((2, 1), "float32")))
    assert compiled.is_built(model)


def test_symbolic_build_of_an_own_step():
    class Own(own_steps.OwnSteps, keras.Model):
        def build_on(self, batch):
            self.seen = [tensor.shape for tensor in batch]

    model = Own()
    model.compile()
    model.optimizer = own_steps.OptimizerGroup({}, list)
    compiled.build_on(model, (np.ones((2, 3), "float32"),))
    assert model.seen == [(2, 3)]
    assert callable(model._post_build)


def test_state_inside_of_a_stateless_scope():
    variable, other = keras.Variable([1.0]), keras.Variable([5.0])
    with inner_state.inner_state([(other, ops.ones(1))]) as state:
        variable.assign(variable.value + other.value)
    assert state.variables == [variable]
    assert float(variable.value[0]) == 1.0
    state.assign(state.values)
    assert float(variable.value[0]) == 2.0
    with keras.StatelessScope(state_mapping=[(variable, ops.zeros(1))]) as scope:
        with inner_state.inner_state() as state:
            variable.assign(variable.value + 7.0)
        assert float(variable.value[0]) == 0.0
        state.assign(state.values)
    assert float(scope.get_current_value(variable)[0]) == 7.0


def test_arguments_of_a_loss():
    assert compiled.function_arguments(keras.losses.Huber(delta=3.0))["delta"] == 3.0
    assert isinstance(compiled.wrap_loss(lambda a, b: a), compiled.loss_wrapper())


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's XLA cannot call the host")
def test_a_function_around_a_step_that_xla_compiles():
    import tensorflow as tf

    found = []

    @tf.function(jit_compile=True)
    def step(x):
        found.append(xla_steps._graph_around_the_step())
        return x

    tf.function(step)(tf.ones(1))
    step(tf.ones(2))
    assert found[0] is not None
    assert found[1] is None


def test_mean_of_a_function():
    wrapper = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, a=1)
    assert wrapper._fn is keras.losses.mean_squared_error
    assert wrapper._fn_kwargs == {"a": 1}
    assert type(wrapper).update_state.__wrapped__ is not None


def test_direction():
    assert metric_direction.direction_in_keras(keras.metrics.MeanIoU(2)) in ("max", None)
    assert metric_direction.direction_in_keras(keras.metrics.BinaryAccuracy()) == "max"
    source = inspect.getsource(importlib.import_module(keras.callbacks.EarlyStopping.__mro__[1].__module__))
    assert "_direction" in source


def test_direction_of_monitor():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy", "mae"])
    model._symbolic_build(data_batch=(np.zeros((2, 2)), np.zeros((2, 1))))
    stopping = keras.callbacks.EarlyStopping
    directions = [
        metric_direction.direction_of_monitor(stopping(monitor=name, mode=mode), model)
        for name, mode in (("val_loss", "auto"), ("accuracy", "auto"), ("accuracy", "min"), ("nothing", "auto"))
    ]
    assert directions == ["min", "max", "min", "unknown"]


@pytest.mark.parametrize("cls", list(callback_attributes.ATTRIBUTES))
def test_attributes_of_callbacks(cls):
    source = "".join(inspect.getsource(base) for base in cls.__mro__ if base.__module__.startswith("keras."))
    assert [name for name in callback_attributes.ATTRIBUTES[cls] if f"self.{name}" not in source] == []


def test_loading_of_a_layer(tmp_path):
    model, read = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), []
    model.save_weights(tmp_path / "a.weights.h5")
    with loading_by(model.layers, lambda load: lambda store: (read.append(sorted(store.keys())), load(store))):
        model.load_weights(tmp_path / "a.weights.h5")
    assert read == [["0", "1"]]
    assert "load_own_variables" not in vars(model.layers[0])


def test_mask():
    x, mask = ops.ones((2, 3)), ops.ones((2, 3), "bool")
    assert tensors.keras_mask(x) is None
    tensors.set_keras_mask(x, mask)
    assert tensors.keras_mask(x) is mask


def test_output_spec():
    spec = tensors.output_spec(lambda x: ops.sum(x, -1), keras.KerasTensor((4, 3)))
    assert tuple(spec.shape) == (4,)


def test_global_seed_generator():
    keras.random.normal((1,))
    assert "keras" in random_state.capture()


def test_generators_without_a_seed():
    model = keras.Sequential([keras.layers.Dropout(0.5), keras.layers.Dropout(0.5, seed=3)])
    free, seeded = (layer.seed_generator for layer in model.layers)
    with random_state.seeded_generators(model):
        assert (free._initial_seed, seeded._initial_seed) == (0, 3)
    assert (free._initial_seed, seeded._initial_seed) == (None, 3)
    if BACKEND == "torch":
        before = ops.convert_to_numpy(free.state).copy()
        model(np.ones((2, 3)), training=True)
        assert np.array_equal(before, ops.convert_to_numpy(free.state))


def test_what_a_model_owns():
    model, variable = model_of(), keras.Variable([1.0])
    model.helpers = {
        "optimizer": (keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),),
        "metric": keras.metrics.Mean(),
    }
    model.helper = type("Helper", (), {})()
    model.helper.lost = [variable]
    found = owned.owned(model)
    assert [*found.optimizers] == [
        "optimizer", "helpers['optimizer'][0]", "helpers['optimizer'][0].inner_optimizer",
    ]  # fmt: skip
    wanted = [variable, *model.variables, *model.optimizer.variables, *model.helpers["metric"].variables]
    assert {id(v) for v in wanted} <= {id(v) for v in found.variables.values()}
    model.optimizer.build(model.trainable_variables)
    assert optimizers.trained_variables(model.optimizer) == model.trainable_variables


def test_stateless_scope():
    variable = keras.Variable([1.0])
    assert not summed_metrics.is_summed(variable)
    if BACKEND == "torch":
        assert summed_metrics.trainer_sums() == (versions.minor(keras.__version__) >= (3, 16))
        with keras.StatelessScope(state_mapping=[(variable, ops.ones(1))]):
            assert summed_metrics.is_summed(variable) == summed_metrics.trainer_sums()


def test_reduction_of_losses(monkeypatch):
    from keras.src.losses import loss

    asked = []

    def over_all(functions, values, **given):
        asked.append(given["reduction"])
        return functions.reduce_weighted_values(values, **given)

    for owner, name in (
        (loss, "reduce_weighted_values"),
        (keras.losses.Loss, "__call__"),
        (keras.layers.Layer, "_get_own_losses"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    global_batch.replace_reduction(over_all, None)
    global_batch.replace_added_losses(lambda loss: loss + 1)
    mse = keras.losses.MeanSquaredError(reduction="sum")
    assert float(mse(np.ones((2, 1)), np.zeros((2, 1)))) == 2.0
    assert asked == ["sum"]
    layer = keras.layers.Layer()
    layer.add_loss(ops.ones(()))
    assert [float(one) for one in layer.losses] == [2.0]


def test_metrics_of_compile():
    model = model_of(
        "mae", keras.metrics.MeanMetricWrapper(lambda y, p: p), keras.metrics.MeanMetricWrapper(keras.losses.Dice())
    )
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    metrics = global_batch.single_metrics(model)
    assert [global_batch.is_kerass_sum(one) for one in metrics] == [True, True, False, False]


@pytest.mark.skipif(BACKEND != "torch", reason="only PyTorch has a device for tensors without values")
def test_state_of_a_first_inference_of_shapes():
    variable = keras.Variable([1.0])
    with keras.StatelessScope() as scope:
        with keras.device("meta"):
            assert ops.zeros(()).device.type == "meta"
            variable.assign(ops.zeros(1))
        assert scope.get_current_value(variable) is not None
        with shape_inference.clean_retry():
            assert scope.get_current_value(variable) is None


@pytest.mark.parametrize("name", ["keras.src.saving.serialization_lib", "keras.src.utils.rng_utils"])
def test_modules_that_ask_for_tensorflow(name):
    assert hasattr(importlib.import_module(name), "tf")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="names of TensorFlow")
def test_tensorflow():
    assert tensors.compiled_by_xla() is False
    keras.utils.set_random_seed(1)
    assert random_state.tensorflow_is_seeded()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="elsewhere a step can call the host")
def test_the_end_of_a_call_of_a_step():
    class Looker:
        looks = 0

        def look(self):
            self.looks += 1

    def loss(y_true, y_pred):
        assert step_ends.look_after_steps(looker)
        return ops.mean(y_pred, axis=-1)

    looker = Looker()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss, run_eagerly=True)
    batch = np.ones((1, 2)), np.ones((1, 1))
    for step in (model.train_on_batch, model.test_on_batch, model.fit, model.evaluate):
        before = looker.looks
        step(*batch)
        assert looker.looks > before


@pytest.mark.skipif(BACKEND != "torch", reason="names of PyTorch")
def test_torch():
    from kerasmith.keras_internals.torch_dispatch import count_operations

    averages = [ops.zeros(2)]
    tensors.lerp(averages, [ops.ones(2)], 0.5)
    assert averages[0].tolist() == [0.5, 0.5]
    assert count_operations(lambda: ops.add(averages[0], 1.0)) > 0


@pytest.mark.skipif(BACKEND != "jax", reason="JAX alone traces a step without reading its batch")
def test_the_batch_of_a_step_that_jax_traces():
    seen = []

    class Loss(keras.losses.Loss):
        def call(self, y_true, y_pred):
            seen.append(traced_batch.traced_labels(y_true))
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    # A loss of somebody else may have changed the labels, so nothing is told; Keras' own would be asked.
    Loss.call.__globals__["__name__"], name = "keras.tests", Loss.call.__globals__["__name__"]
    try:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", Loss())
        labels = np.arange(4, dtype="float32")[:, None]
        model.fit(np.ones((4, 3)), labels, batch_size=4, shuffle=False, verbose=0)
    finally:
        Loss.call.__globals__["__name__"] = name
    np.testing.assert_array_equal(seen[-1][0], labels)


def test_the_loss_in_the_dtype_of_the_model():
    model = model_of()
    batch = np.ones((2, 3), "float32"), np.zeros((2, 1), "float32")
    model.fit(*batch, verbose=0)
    with loss_and_gradient._loss_of(model) as losses, step_updates.intercepted(model):
        step_updates.run_eagerly(model, tuple(ops.convert_to_tensor(part) for part in batch))
    assert len(losses) == 1
    loss = ops.convert_to_numpy(ops.stop_gradient(losses[0]))
    np.testing.assert_allclose(loss, np.mean(ops.convert_to_numpy(model(batch[0])) ** 2), rtol=1e-5)


class _Fails(keras.layers.Layer):
    """Raises while a step is traced, as a loss does that gets wrong labels."""

    fails = False

    def call(self, x):
        if self.fails:
            raise ValueError("what this test plants")
        return x


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_variables_survive_an_error(method):
    inputs, layer = keras.Input((3,)), _Fails()
    model = kerasmith.Model(inputs, layer(keras.layers.Dense(1)(inputs)))
    model.compile("sgd", "mse")
    before, layer.fails = model.get_weights(), True
    x, y = np.ones((2, 3)), np.ones((2, 1))
    with pytest.raises((ValueError, RuntimeError), match="what this test plants"):  # Keras 3.12 tells it as its own.
        model.predict(x, verbose=0) if method == "predict" else getattr(model, method)(x, y, verbose=0)
    assert [value.tolist() for value in model.get_weights()] == [value.tolist() for value in before]
    assert keras.ops.convert_to_numpy(model.optimizer.iterations) == 0


def test_variables_survive_an_interrupt():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    inputs = keras.Input((3,))
    model = kerasmith.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), batch_size=1, verbose=0, callbacks=[Stop()])
    assert keras.ops.convert_to_numpy(model.optimizer.iterations) == 2


def test_no_attribute_of_keras_is_taken_for_state_of_a_user(trained):
    model = trained[0]
    assert set(owned.owned(model).plain) == set()
    model.others = {"a": [(1, np.ones(2))], "b": 3.0}
    assert set(owned.owned(model).plain) == {"others['a'][0]", "others['b']"}
    # What Keras keeps is looked up without a trace.
    before = keras.layers.Dense(1).name
    drawn = random.getstate()
    owned._names_of_keras.cache_clear()
    owned.owned(model)
    assert random.getstate() == drawn
    number = int(before.rpartition("_")[2]) if before[-1].isdigit() else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_variables_of_any_model_survive_wrong_labels(method):
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs))
    model.compile("adam", kerasmith.losses.Dice())
    before = model.get_weights()
    with pytest.raises(Exception, match="255"):
        getattr(model, method)(np.ones((2, 4, 4, 1)), np.full((2, 4, 4, 1), 255.0), verbose=0)
    assert [value.tolist() for value in model.get_weights()] == [value.tolist() for value in before]
    assert np.isfinite(model.fit(np.ones((2, 4, 4, 1)), np.ones((2, 4, 4, 1)), verbose=0).history["loss"]).all()


def test_whether_a_layer_is_called():
    class Ask(keras.layers.Layer):
        def call(self, x):
            said.append(layers.is_in_layer_call())
            return x

    said = []
    Ask()(np.ones((2, 3)))
    assert said[-1]
    assert not layers.is_in_layer_call()


def test_a_chain_of_dense_layers():
    inputs = keras.Input((3,))
    layers = [keras.layers.Dense(2), keras.layers.Dense(1)]
    model = keras.Model(inputs, layers[1](layers[0](inputs)))
    assert plain_layers.dense_layers(model) == layers
    assert plain_layers.dense_layers(keras.Model(inputs, keras.layers.ReLU()(layers[0](inputs)))) is None
    layers[0].activity_regularizer = keras.regularizers.L2(0.1)
    assert plain_layers.dense_layers(model) is None
    assert hasattr(model, "_get_operation_for_node")


def test_losses_and_metrics_of_outputs():
    model = model_of("mae")
    x, y = ops.ones((4, 3)), ops.ones((4, 1))
    y_pred = model(x)
    (pair,) = compiled_outputs.loss_pairs(model, y, y_pred)
    assert pair.y_true is y
    assert pair.y_pred is y_pred
    ((output, (metric,), weighted),) = compiled_outputs.metrics_of_outputs(model, y, y_pred)
    assert (output is y_pred, metric.name, weighted) == (True, "mae", [])
    assert compiled_outputs.given(model) == {"loss": "mse", "loss_weights": None, "metrics": ["mae"], "weighted_metrics": None}


def test_the_operations_behind_an_output():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Softmax()])
    assert output_graph.last_operations(model, np.ones((2, 3), "float32")) == [[model.layers[1], model.layers[0]]]
    assert layer_outputs.layers_that_return(model, ops.ones((2, 3))) == [model.layers[1]]


def test_names_that_keras_gives():
    with untouched.untouched():
        name = keras.layers.Dense(1).name
    assert keras.layers.Dense(1).name == name
    with untouched.untouched():
        drawn = ops.convert_to_numpy(keras.random.normal((2,)))
    np.testing.assert_array_equal(ops.convert_to_numpy(keras.random.normal((2,))), drawn)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's seeds")
def test_seeds_of_tensorflow():
    import tensorflow as tf

    make = lambda: list(tf.data.Dataset.range(50).shuffle(50).as_numpy_iterator())  # noqa: E731
    tf.random.set_seed(1)
    with untouched.untouched():
        first = make()
    assert make() == first
    data = tf.data.Dataset.range(50).shuffle(50, seed=1)
    alike = data_copies.without_its_counter(data)
    assert alike is not data
    assert list(alike.as_numpy_iterator()) == list(data.as_numpy_iterator())


def test_weights_of_classes():
    assert fit_weights.of_classes(np.array([0, 1, 2]), {0: 2.0, 1: 3.0}).tolist() == [2.0, 3.0, 1.0]


def test_where_fit_and_compile_are_defined():
    for name in ("fit", "compile", "train_on_batch"):
        owner, method = fit_interception._defined(keras.Model, name)
        assert vars(owner)[name] is method
    assert fit_interception.user_line().text.startswith("assert fit_interception.user_line()")


@pytest.mark.skipif(BACKEND != "jax", reason="puts batches on devices by a distribution")
def test_distribution_of_batches(monkeypatch):
    from keras.src.backend.jax import distribution_lib

    seen = []

    def place(batch, layout):
        seen.append(layout)
        return batch

    monkeypatch.setattr(distribution_lib, "distribute_data_input", distribution_lib.distribute_data_input)
    global_arrays.replace_distribution_of_batches(place)
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    try:
        model_of().evaluate(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    finally:
        keras.distribution.set_distribution(before)
    assert len(seen) >= 2
    assert all(hasattr(layout, "mesh") for layout in seen)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="workers are TensorFlow's")
def test_keras_still_fails_with_several_workers(monkeypatch):
    import tensorflow as tf
    from keras.src.backend.tensorflow import trainer

    class Workers:
        """What Keras does with a strategy of several workers, whose values are spread over them."""

        def reduce(self, how, value, axis=None):
            if axis is None:
                return value
            return tf.reduce_mean(value, axis=axis)

        def experimental_local_results(self, value):
            return (value,)

    # When this no longer raises, Keras does not need `let_workers_fit` any more.
    monkeypatch.setattr(trainer, "_collective_all_reduce_multi_worker", lambda strategy: True)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        trainer.reduce_per_replica({"loss": tf.constant(1.0)}, Workers(), "auto")
    assert "distribute_strategy.reduce(" in inspect.getsource(keras.Model._maybe_symbolic_build)
    monkeypatch.setattr(trainer, "reduce_per_replica", trainer.reduce_per_replica)
    monkeypatch.setattr(keras.Model, "_maybe_symbolic_build", keras.Model._maybe_symbolic_build)
    worker_steps.let_workers_fit()
    assert float(trainer.reduce_per_replica({"loss": tf.constant(1.0)}, Workers(), "auto")["loss"]) == 1


def test_calls_of_a_model_are_surrounded(monkeypatch, capsys):
    seen = []

    @contextlib.contextmanager
    def around(shared, arguments):
        seen.append((shared, arguments["self"], arguments["verbose"]))
        arguments["epochs"] = 2
        yield

    monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)
    model_calls.surround("shared", {"fit": around}, quiet=True)
    model = model_of()
    assert len(model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=2).epoch) == 2
    assert seen == [("shared", model, 0)]
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(BACKEND != "tensorflow", reason="workers are TensorFlow's")
def test_loss_and_metrics_of_workers(monkeypatch):
    from keras.src.losses import loss

    for owner, name in (
        (loss, "scale_loss_for_distribution"),
        (loss, "unscale_loss_for_distribution"),
        (keras.Model, "_compute_loss"),
        (keras.Model, "_aggregate_additional_loss"),
        (keras.Model, "compute_metrics"),
        (keras.metrics.Mean, "update_state"),
        (keras.Metric, "add_variable"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    seen = []

    def noted(name):
        def called(own, *given):
            seen.append(name)
            return own(*given)

        return called

    worker_steps.replace_loss_and_metrics(noted("loss"), noted("added"), noted("metrics"), lambda: seen.append("samples"))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_regularizer="l2")])
    model.compile("sgd", "mse", run_eagerly=True)
    model.evaluate(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert {"loss", "added", "metrics", "samples"} <= {*seen}
