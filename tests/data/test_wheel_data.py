import sys

import pytest

from kerasmith.data import MissingDataPackage, wheel_file

pytestmark = pytest.mark.host("looks for files of packages")


def make_package(folder, name, monkeypatch):
    package = folder / name
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "data" / "table.txt").write_text("1 2 3\n")
    monkeypatch.syspath_prepend(str(folder))


def test_finds_a_file_without_importing_the_package(tmp_path, monkeypatch):
    make_package(tmp_path, "package_with_data", monkeypatch)
    assert wheel_file("package_with_data", "data/table.txt").read_text() == "1 2 3\n"
    assert "package_with_data" not in sys.modules


def test_missing_package_says_what_to_install():
    with pytest.raises(MissingDataPackage, match=r"pip install no_such_package_anywhere .*'demo'") as caught:
        wheel_file("no_such_package_anywhere", "data/table.txt")
    assert "no_such_package_anywhere" in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_missing_file_names_it(tmp_path, monkeypatch):
    make_package(tmp_path, "package_without_it", monkeypatch)
    with pytest.raises(MissingDataPackage, match=r"has no file 'data/other.txt'.*pip install package_without_it"):
        wheel_file("package_without_it", "data/other.txt", extra="extra")


def test_a_single_module_has_no_data(tmp_path, monkeypatch):
    (tmp_path / "lonely_module.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingDataPackage):
        wheel_file("lonely_module", "data.txt")


def test_dotted_names_are_refused():
    with pytest.raises(ValueError, match="top-level"):
        wheel_file("keras.src", "__init__.py")
