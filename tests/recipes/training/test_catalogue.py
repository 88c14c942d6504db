"""What is read from the source of the parts is what they are."""

import inspect

import pytest

import kerasmith
from kerasmith.recipes.training import catalogue

pytestmark = pytest.mark.host("signatures of classes")


@pytest.mark.parametrize("package", sorted(catalogue.ALIASES))
def test_the_catalogue_has_every_class_and_its_arguments(package):
    module = getattr(kerasmith, package)
    exported = {name: getattr(module, name) for name in module.__all__ if inspect.isclass(getattr(module, name))}
    wanted = {catalogue.snake(name): one for name, one in exported.items()}
    if package == "losses":
        # The others are what losses are made of.
        wanted = {name: one for name, one in wanted.items() if name in module.__all__}
    assert set(catalogue.names(package)) == set(wanted)
    for name, one in wanted.items():
        part = catalogue.part(package, name)
        assert part.class_name == one.__name__
        assert part.bases >= {base.__name__ for base in one.__mro__[1:] if base.__module__.startswith("kerasmith.")} - {
            "Configured"
        }
        parameters = {
            key: value
            for key, value in inspect.signature(one).parameters.items()
            if value.kind in (value.POSITIONAL_OR_KEYWORD, value.KEYWORD_ONLY)
        }
        if set(part.arguments) != set(parameters):
            # A base class of Keras takes more.
            assert set(part.arguments) >= set(parameters), name
        needed = {key for key, value in parameters.items() if value.default is value.empty}
        assert {key for key, is_needed in part.arguments.items() if is_needed} == needed, name
    for alias, name in catalogue.ALIASES[package].items():
        assert catalogue.part(package, alias).name == name
