"""What the packages show, and that none stands on what stands on it."""

import ast
import importlib
import inspect
import pathlib
import pkgutil
import types

import grimp
import pytest

import kerasmith

PACKAGES = sorted(name for name in kerasmith.__all__ if hasattr(getattr(kerasmith, name), "__path__"))


def test_no_module_stands_on_itself():
    graph = grimp.build_graph("kerasmith", cache_dir=None, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while ends := {m for m, imported in imports.items() if not imported or not any(m in other for other in imports.values())}:
        imports = {module: imported - ends for module, imported in imports.items() if module not in ends}
    assert not imports, "modules that import each other: " + ", ".join(sorted(imports))


@pytest.mark.parametrize("name", PACKAGES)
def test_no_function_hides_a_module(name):
    package = importlib.import_module(f"kerasmith.{name}")
    for module in pkgutil.iter_modules(package.__path__):
        shown = getattr(package, module.name, None)
        assert shown is None or isinstance(shown, types.ModuleType), f"kerasmith.{name}.{module.name}"


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_shows_its_public_names(name):
    package = importlib.import_module(f"kerasmith.{name}")
    public = getattr(package, "__all__", None)
    if public is None:
        assert not exported(package), f"kerasmith.{name} exports names and has no __all__"
        return
    shown: dict = {}
    exec(f"from kerasmith.{name} import *", shown)
    assert sorted(set(shown) - {"__builtins__"}) == sorted(public)
    assert dir(package) == sorted(public)


def exported(package) -> list[str]:
    """What a package imports from its own modules to show it."""
    tree = ast.parse(pathlib.Path(inspect.getfile(package)).read_text())
    return [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package.__name__}.")
        for alias in node.names
    ]
