"""Import paths of the version before still work, and say what to write now."""

import importlib

import pytest

from kerasmith import _moved


def test_every_old_module_leads_to_one_that_is_there():
    for old, new in _moved._MODULES.items():
        for place in new.split():
            assert importlib.import_module(f"kerasmith.{place}").__name__ == f"kerasmith.{place}", old


def test_an_old_import_gives_the_same_class_and_a_warning():
    from kerasmith.losses import Dice

    with pytest.warns(DeprecationWarning, match=r"Write kerasmith\.losses\.Dice\.") as warned:
        from kerasmith.losses.dice import Dice as Old

    assert Old is Dice
    assert warned[0].filename == __file__


def test_a_module_that_was_split_gives_each_of_its_names():
    from kerasmith.files.history_file import HistoryFile

    with pytest.warns(DeprecationWarning, match=r"files\.history_file"):
        from kerasmith.report.files import HistoryFile as Old

    assert Old is HistoryFile


def test_a_name_that_never_was_is_an_error():
    with pytest.raises(ImportError):
        from kerasmith.losses.dice import Nothing  # noqa: F401
