"""What reading a file shows, line by line."""

import sys

import pytest

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.subject import source_subject, subject_of
from kerasmith.checks.engine.target import components
from kerasmith.checks.rules.source.backends import functions_of_one_backend
from kerasmith.checks.rules.source.case import SourceCase
from kerasmith.checks.rules.source.exceptions import exceptions_hide_a_derivative
from kerasmith.checks.rules.source.keras2 import names_of_keras_2
from kerasmith.checks.rules.source.numpy_calls import numpy_on_tensors
from kerasmith.checks.rules.source.versions import versions_compared_as_text

pytestmark = pytest.mark.host("reads source as text")

LOSS = """
import keras
import numpy as np
import tensorflow as tf
import torch
from keras import ops


class MyLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        {}
        return ops.mean(y_pred, axis=-1)
"""


def found(check, text):
    """The line of the first place that a check reports, None if it reports nothing."""
    return line_of(check, SourceCase(source_subject(text + "\n"), Contract()))


def line_of(check, case):
    """The line that a check reports of a case, None if it reports nothing."""
    try:
        check(case)
    except Failed as failed:
        return failed.line
    return None


@pytest.mark.parametrize(
    "text",
    [
        "from tensorflow.keras import layers",
        "import tensorflow.keras.losses",
        "from tensorflow import keras",
        "import tensorflow as tf; loss = tf.keras.losses.Loss",
        "from keras import backend as K; K.sum(1)",
        "import keras; keras.backend.set_value(1, 2)",
        "from keras.backend import flatten; flatten(1)",
        "import keras; keras.optimizers.SGD(lr=0.1)",
        "model.optimizer.lr = 0.1",
        "model.fit_generator(data)",
        "from keras.utils.np_utils import to_categorical",
        "import keras\nclass M(keras.metrics.Metric):\n    def reset_states(self): ...",
        "import keras\nclass A(keras.layers.Layer): ...\nclass B(A):\n    def call(self, x): self.add_metric(x)",
    ],
)
def test_names_of_keras_2(text):
    assert found(names_of_keras_2, text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "from keras import backend as K; K.epsilon(); K.backend()",
        "import keras; keras.optimizers.SGD(learning_rate=0.1)",
        "class Schedule:\n    def reset_states(self): self.lr = 1",
        "schedule.lr = 0.1",
        "def f(K): return K.sum()",
        "import torch; torch.optim.SGD([], lr=0.1)",
        "import keras\nclass M(keras.metrics.Metric):\n    def reset_state(self): ...",
        "import keras; keras.optimizers.schedules.CosineDecay(0.1, decay_steps=3)",
    ],
)
def test_names_that_are_right(text):
    assert found(names_of_keras_2, text) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('import keras\nif keras.__version__ > "3.9": ...', 2),
        ('from keras import __version__ as v\n\nif v < "3.9": ...', 3),
        ("import keras\nv = keras.__version__\nif v >= '3': ...", 3),
        ("import keras\nif float(keras.__version__[:3]) < 3.2: ...", 2),
        ("from importlib.metadata import version\nif version('keras') < '3.2': ...", 2),
        ("import keras\nif keras.__version__.split('.') > ['3', '9']: ...", 2),
        ("import sys\nif sys.version < '3.9': ...", 2),
        ("import keras\nif '3.1' <= keras.__version__ < '4': ...", 2),
    ],
)
def test_versions_as_text(text, line):
    assert found(versions_compared_as_text, text) == line


@pytest.mark.parametrize(
    "text",
    [
        "import keras\nif keras.__version__ == '3.15.1': ...",
        "import keras\nfrom packaging.version import Version\nif Version(keras.__version__) > Version('3'): ...",
        "import keras\nif int(keras.__version__.split('.')[0]) >= 3: ...",
        "import keras\nif tuple(map(int, keras.__version__.split('.')[:2])) > (3, 2): ...",
        "import sys\nif sys.version_info >= (3, 11): ...",
        "import keras\nif keras.__version__.startswith('3'): ...",
    ],
)
def test_versions_as_numbers(text):
    assert found(versions_compared_as_text, text) is None


@pytest.mark.parametrize(
    "handler", ["except:\n        return 0.0", "except Exception:\n        pass", "except Exception as e:\n        loss = -1"]
)
def test_exceptions_around_a_derivative(handler):
    text = f"def f(tape, u, x):\n    try:\n        return tape.gradient(u, x)\n    {handler}"
    assert found(exceptions_hide_a_derivative, text) == 4


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    tape.gradient(u, x)\nexcept ValueError:\n    u = 0",
        "try:\n    tape.gradient(u, x)\nexcept Exception:\n    raise",
        "try:\n    import tensorboard\nexcept Exception:\n    tensorboard = None",
        "try:\n    tape.gradient(u, x)\nexcept Exception as e:\n    raise ValueError('no') from e",
    ],
)
def test_exceptions_that_hide_nothing(text):
    assert found(exceptions_hide_a_derivative, text) is None


@pytest.mark.parametrize(
    "line",
    [
        "y_pred = np.clip(y_pred, 0, 1)",
        "z = ops.abs(y_pred); z = np.sum(z)",
        "z = y_true.numpy()",
        "z = y_pred[:, 0] if np.any(y_true) else 0",
    ],
)
def test_numpy_on_tensors(line):
    assert found(numpy_on_tensors, LOSS.format(line)) == 11


@pytest.mark.parametrize(
    "line",
    [
        "z = np.prod(y_pred.shape[1:])",
        "z = np.sqrt(len(y_pred.shape)) * np.pi",
        "z = np.array([1.0, 2.0])",
        "n = y_pred.shape[0]; z = np.arange(n)",
        "y_true = 3.0; z = np.sqrt(y_true)",
        "z = tf.numpy_function(lambda y: np.sum(y), [y_pred], 'float32')",
        "z = np.float32(1) if y_true is None else 2",
    ],
)
def test_numpy_on_constants(line):
    assert found(numpy_on_tensors, LOSS.format(line)) is None


@pytest.mark.parametrize("line", ["z = tf.reduce_sum(y_pred)", "z = torch.sum(y_pred)"])
def test_functions_of_one_backend(line):
    assert found(functions_of_one_backend, LOSS.format(line)) == 11


@pytest.mark.parametrize("line", ["z = ops.sum(y_pred)", "z = keras.config.backend() == 'torch' and torch.sum(y_pred)"])
def test_functions_of_all_backends(line):
    assert found(functions_of_one_backend, LOSS.format(line)) is None


def test_a_file_is_a_subject(tmp_path):
    file = tmp_path / "losses.py"
    file.write_text(LOSS.format("y_pred = np.exp(y_pred)"))
    subject = source_subject(file)
    assert (subject.kind, subject.name, subject.file, subject.line) == ("source", "losses.py", str(file), 1)
    (finding,) = [record.finding for record in Examination(subject).records() if record.finding is not None]
    assert (finding.id, finding.file, finding.line) == ("S105", str(file), 11)
    assert "np.exp(y_pred)" in finding.reproducer


def test_a_text_that_is_not_python_is_not_applicable():
    outcomes = {record.outcome for record in Examination(source_subject("def f(:\n")).records()}
    assert outcomes == {"not applicable"}


def test_a_component_is_looked_at_within_its_own_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "two_of_a_test.py"
    file.write_text(
        LOSS.format("y_pred = np.exp(y_pred)") + LOSS.format("y_pred = ops.exp(y_pred)").replace("MyLoss", "Right")
    )
    for name, expected in (("MyLoss", 11), ("Right", None)):
        ((_, component),) = components(f"{file}:{name}")
        assert line_of(numpy_on_tensors, Examination(subject_of(component)).case) == expected
    del sys.modules["two_of_a_test"]
