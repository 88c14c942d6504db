"""The plain part of YAML: values with their places, and an error for everything else."""

import pytest

from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.config_file import parse

pytestmark = pytest.mark.host("a text is read")


def test_values_are_as_they_are_written():
    text = "a: 1\nb: [0.5, 1e-3, yes, 'no', ~]\nc: {d: true, 2: x}\n'e': \"5\"\nf: 20:60\ng: -3\nh: 1_000\ni: 2001-01-01\n"
    assert parse(text).plain() == {
        "a": 1,
        "b": [0.5, 1e-3, "yes", "no", None],
        "c": {"d": True, "2": "x"},
        "e": "5",
        "f": "20:60",
        "g": -3,
        "h": "1_000",
        "i": "2001-01-01",
    }


def test_places_are_those_of_the_file():
    value = parse("a: 1\nloss: 'dice'\n").data["loss"]
    assert (str(value.key_place), str(value.place)) == ("config:2:1", "config:2:8")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2", "config:2:1", "twice"),
        ("- 1", "config:1:1", "key: value"),
        ("a: &x 1", "config:1:4", "anchors"),
        ("a: *x", "config:1:4", "anchors"),
        ("a: !!python/object/apply:os.system [echo]", "config:1:4", "tags"),
        ("a: [1, [2", "config:1:10", "no YAML"),
        ("", "config", "empty"),
        ("# nothing\n", "config", "empty"),
        ("{[1]: 2}", "config:1:2", "a key is a name"),
        ("a: 1\n---\nb: 2", "config:2:1", "one document"),
        ("a: " + "[" * 12 + "]" * 12, "config:1:12", "nested"),
        ("a: 1e999", "config:1:4", "finite"),
        ("\x00", "config", "no YAML"),
    ],
)
def test_everything_else_is_an_error_with_its_place(text, place, words):
    with pytest.raises(ConfigError) as error:
        parse(text)
    assert str(error.value).startswith(f"{place}: "), error.value
    assert words in str(error.value)
