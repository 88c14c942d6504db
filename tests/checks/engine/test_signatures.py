"""What a file says before it is imported: arguments that are missing or unknown, names that it lacks, training on import."""

import pytest

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.signatures import has_parts, look_at_signature, training_on_import

pytestmark = pytest.mark.host("reads text and imports no part")

PARTS = """
import keras
from other import Base, register

model = keras.Sequential()
model.fit([1], [1], epochs=1)


class Plain(keras.losses.Loss):
    def __init__(self, alpha, beta=1.0, *, gamma):
        super().__init__()


class Child(Plain):
    pass


class Open(keras.losses.Loss):
    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)


class Elsewhere(Base):
    pass


@register
class Decorated(Plain):
    pass


def three(y_true, y_pred, weight):
    return y_true


def factory(gamma=2.0):
    return Open(gamma)


made = Open()

if __name__ == "__main__":
    model.fit([1], [1])
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "parts.py"
    path.write_text(PARTS)
    return path


@pytest.mark.parametrize(
    ("name", "init", "words"),
    [
        ("Plain", None, "Plain needs alpha, gamma"),
        ("Plain", {"alpha": 1}, "--init '{\"gamma\": ...}'"),
        ("Plain", {"alpha": 1, "gamma": 2, "delta": 3}, "no argument delta; it has alpha, beta, gamma"),
        ("Child", {}, "Child needs alpha, gamma"),
        ("three", None, r"takes (y_true, y_pred)"),
        ("Nobody", None, "it has Plain, Child"),
    ],
)
def test_what_a_file_shows_to_be_wrong_is_said(file, name, init, words):
    with pytest.raises(CannotCheck) as error:
        look_at_signature(f"{file}:{name}", init)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "init"),
    [
        ("Plain", {"alpha": 1, "gamma": 2}),
        ("Plain", "other:make"),
        ("Open", {"delta": 3}),
        ("Elsewhere", {"anything": 1}),
        ("Decorated", None),
        ("factory", None),
        ("made", None),
        ("Base", None),
    ],
)
def test_what_cannot_be_read_for_certain_is_left_to_the_worker(file, name, init):
    look_at_signature(f"{file}:{name}", init)


def test_training_on_import_is_seen(file):
    assert training_on_import(str(file)) == f"{file}:6 model.fit(...)"
    file.write_text(PARTS.replace("model.fit([1], [1], epochs=1)", "scaler.fit([1])"))
    assert training_on_import(str(file)) is None


def test_a_file_that_is_no_python_is_named_with_its_line(file):
    file.write_text("x = 1\ndef (:\n")
    with pytest.raises(CannotCheck, match="line 2"):
        look_at_signature(f"{file}:Name")


def test_files_with_parts_are_found(tmp_path):
    for text, there in (("class A(B): pass", True), ("def f(y_true, y_pred): pass", True), ("class A: pass\nx = 1", False)):
        (tmp_path / "one.py").write_text(text)
        assert has_parts(tmp_path / "one.py") is there


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("keras.utils.PyDataset", "train.py"),
        ("keras.optimizers.schedules.LearningRateSchedule", "train.py"),
        ("keras.Optimizer", "train.py"),
        ("Regularizer", "part.py:make"),
        ("keras.constraints.Constraint", "part.py:make"),
        ("initializers.Initializer", "part.py:make"),
    ],
)
def test_what_is_no_part_is_told_where_to_ask(tmp_path, base, words):
    file = tmp_path / "parts.py"
    file.write_text(f"class Base({base}):\n    pass\n\n\nclass Mine(Base):\n    pass\n")
    with pytest.raises(CannotCheck, match=words):
        look_at_signature(f"{file}:Mine")


@pytest.mark.parametrize(
    ("init", "words"),
    [("{}:nothing", "has no 'nothing'"), ("{}:needs", "without any"), ("nofile.py:make", "no file"), ("{}:make", None)],
)
def test_a_bad_factory_is_told_from_its_text(tmp_path, init, words):
    file = tmp_path / "parts.py"
    file.write_text("class Mine(Loss):\n    pass\n\n\ndef make():\n    return Mine()\n\n\ndef needs(x):\n    return x\n")
    init = init.format(file)
    if words is None:
        assert look_at_signature(f"{file}:Mine", init) is None
        return
    with pytest.raises(CannotCheck, match=words):
        look_at_signature(f"{file}:Mine", init)


def test_a_number_is_no_part(tmp_path):
    file = tmp_path / "parts.py"
    file.write_text("rate = 3\nloss = make(rate)\n")
    with pytest.raises(CannotCheck, match=r"rate in .* is 3"):
        look_at_signature(f"{file}:rate")
    assert look_at_signature(f"{file}:loss") is None
