"""What `path.py:Name` and `package.module:Name` stand for."""

import sys
from types import SimpleNamespace

import pytest

from kerasmith.checks.engine import target
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.subject import subject_of

TEXT = """
import keras
from keras import ops
from keras.losses import MeanSquaredError


class MyLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Holder:
    class Inner(keras.layers.Layer):
        pass


def error_of(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def scale(x, factor):
    return x * factor


def _hidden(y_true, y_pred):
    return 0.0
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of losses whose module is forgotten after the test."""
    path = tmp_path / "losses_of_a_test.py"
    path.write_text(TEXT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield path
    sys.modules.pop("losses_of_a_test", None)


def test_a_file_with_a_name(file):
    ((name, component),) = target.components(f"{file}:MyLoss")
    assert name == "MyLoss"
    assert component.__module__ == "losses_of_a_test"


def test_a_nested_name(file):
    ((name, component),) = target.components(f"{file}:Holder.Inner")
    assert name == "Holder.Inner"
    assert target.kind_of_class(component) == "layer"


def test_a_whole_file_gives_its_own_public_components(file):
    assert [name for name, _ in target.components(str(file))] == ["MyLoss", "error_of"]


def test_all_names_what_is_public(file):
    file.write_text(TEXT + '\n__all__ = ["error_of"]\n')
    assert [name for name, _ in target.components(str(file))] == ["error_of"]


def test_a_module_by_its_dotted_name():
    ((name, component),) = target.components("keras.losses:Dice")
    assert name == "Dice"
    assert target.kind_of_class(component) == "loss"


def test_a_file_of_a_package_is_imported_as_a_part_of_it(tmp_path, monkeypatch):
    package = tmp_path / "package_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "factor.py").write_text("FACTOR = 2.0\n")
    (package / "parts.py").write_text("from .factor import FACTOR\n" + TEXT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        ((_, component),) = target.components(f"{package / 'parts.py'}:MyLoss")
        assert component.__module__ == "package_of_a_test.parts"
    finally:
        for name in [name for name in sys.modules if name.startswith("package_of_a_test")]:
            del sys.modules[name]


def test_a_file_with_the_name_of_an_installed_module(tmp_path, monkeypatch):
    path = tmp_path / "packaging.py"
    path.write_text(TEXT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    import packaging

    try:
        ((_, component),) = target.components(f"{path}:MyLoss")
        assert component.__name__ == "MyLoss"
    finally:
        sys.modules["packaging"] = packaging


def test_splitting_imports_nothing():
    assert target.split("a_module.that.is_not:Name") == ("a_module.that.is_not", "Name")
    assert target.split("a_module") == ("a_module", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.py:Name", "There is no file 'nowhere.py'"),
        ("no/such/file.py", "There is no file"),
        ("", "A component is named"),
        ("keras.losses:", "A component is named"),
    ],
)
def test_targets_that_are_no_targets(text, message):
    with pytest.raises(CannotCheck, match=message):
        target.split(text)


def test_only_python_files(tmp_path):
    other = tmp_path / "weights.txt"
    other.write_text("")
    with pytest.raises(CannotCheck, match="Only Python files"):
        target.split(str(other))


def test_a_missing_name_lists_what_is_there(file):
    with pytest.raises(CannotCheck, match="has no 'MyLos'; it has MyLoss, error_of"):
        target.components(f"{file}:MyLos")


def test_a_module_without_components(tmp_path, monkeypatch):
    path = tmp_path / "empty_of_a_test.py"
    path.write_text("x = 1\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(CannotCheck, match="no public loss, metric, callback or layer"):
        target.components(str(path))
    sys.modules.pop("empty_of_a_test", None)


def test_a_failing_import_says_what_failed(tmp_path, monkeypatch):
    path = tmp_path / "failing_of_a_test.py"
    path.write_text("1 / 0\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(CannotCheck, match="ZeroDivisionError"):
        target.components(str(path))
    with pytest.raises(CannotCheck, match="ModuleNotFoundError"):
        target.components("a_module_that_is_not:Name")


def test_kinds_of_classes():
    import keras

    kinds = [keras.losses.Dice, keras.metrics.Mean, keras.callbacks.EarlyStopping, keras.layers.Dense, keras.Model, dict]
    assert [target.kind_of_class(cls) for cls in kinds] == ["loss", "metric", "callback", "layer", None, None]


def test_a_function_of_a_field_is_an_equation():
    def burgers(f, nu):
        return f.d("t") + f.u * f.d("x") - nu * f.d("xx")

    def heat(fields_of_heat):
        return fields_of_heat.d("t") - fields_of_heat.d("xx")

    def annotated(u: "Field"):  # noqa: F821
        return u.u

    def error_of(y_true, y_pred):
        return y_true - y_pred

    assert [target.takes_field(one) for one in (burgers, heat, annotated, error_of)] == [True, True, True, False]
    assert [subject_of(one).kind for one in (burgers, heat, error_of)] == ["equation", "equation", "loss"]
    residual = SimpleNamespace(pde=burgers, name="shock", fixed={"nu": 0.1}, names="xt", outputs=None)
    assert (subject_of(residual).kind, subject_of(residual).init["fixed"]) == ("equation", {"nu": 0.1})


@pytest.mark.host("asks one objective on whichever backend runs")
def test_an_objective_of_equations_is_a_problem(tmp_path):
    (tmp_path / "rod.py").write_text(
        "from kerasmith import Objective\nfrom kerasmith.physics import Box, Condition, Residual\n"
        "def heat(f, k=0.1):\n    return f.d('t') - k * f.d('xx')\n"
        "rod = Box([0, 0], [1, 2], names='xt')\n"
        "walls = Condition(rod.boundary(8))\n"
        "objective = Objective([Residual(heat, points=rod.uniform(8)), walls])\n"
        "cold = Objective({'fit': 'mse'})\n"
    )
    assert [name for name, _ in target.components(str(tmp_path / "rod.py"))] == ["objective"]
    ((_, objective),) = target.components(f"{tmp_path / 'rod.py'}:objective")
    subject = subject_of(objective)
    assert (subject.kind, subject.file) == ("problem", str(tmp_path / "rod.py"))
    assert subject.setup_lines()[-1].endswith("from rod import objective as problem")
    assert [subject_of(one).kind for one in (objective.terms[0], objective.terms[1])] == ["equation", "problem"]
    ((_, cold),) = target.components(f"{tmp_path / 'rod.py'}:cold")
    with pytest.raises(CannotCheck, match="equations and conditions, and this one has none"):
        subject_of(cold)
    # The domain that points were drawn from is known to the terms of an objective, whatever it names them.
    assert {term.domain.names for term in objective.terms} == {("x", "t")}
