"""The text names everything a reader needs, adds up, fits a narrow terminal, and is plain where there are no colours."""

import io

import pytest
from rich.console import Console

from kerasmith.checks.engine.finding import Record
from kerasmith.checks.formats import text
from tests.checks.formats.reports import CODE, TASTE, WEIGHTS, faulty, right, unchecked

pytestmark = pytest.mark.host("writes reports that are given as records")


def test_one_report_in_full():
    lines = text.render([faulty()], width=100).splitlines()
    assert lines[:4] == [
        "BatchDice  loss  losses.py:10",
        "  inputs   y_true=float32[4,8,8,1]{0,1} y_pred=float32[4,8,8,1](0,1) (inferred)",
        "  contract per_sample=False",
        "  backends tensorflow, torch",
    ]
    start = lines.index("error L101 Sample weights do not multiply each sample's loss")
    assert lines[start + 1] == "  expected [0.25, 0.5] for weights [1, 0]"
    assert lines[start + 3 : start + 6] == [
        "  fix      Return one value per sample.",
        "  at       losses.py:12",
        "  reproducer",
    ]
    assert "warning L113 Fails in half precision (on torch)" in lines
    assert "note L122 Is below 0 (on torch)" in lines
    severities = [line.split()[0] for line in lines if line.startswith(("error ", "warning ", "note "))]
    assert severities == ["error", "warning", "note"]


def test_the_sum_adds_up_and_what_stayed_open_says_why():
    output = text.render([faulty()], width=200)
    total = "14 planned = 5 passed + 4 failed + 1 inconclusive + 2 blocked + 1 not applicable + 1 timeout"
    assert f"1 error, 1 warning, 1 note; {total}; 12.3 s" in output
    assert "  L120 timeout on tensorflow: not finished after 15 s" in output
    assert "  L113 inconclusive on tensorflow: all values are 0" in output
    assert "only TensorFlow traces" not in output
    verbose = text.render([faulty()], verbose=True, width=200)
    assert "  L102: blocked by L101" in verbose
    assert "  L118 not applicable on torch: only TensorFlow traces without a batch size" in verbose


def test_many_reasons_are_cut_without_verbose():
    records = {"torch": [Record(f"L{n}", "inconclusive", f"reason {n} {'x' * 80}") for n in range(101, 108)]}
    report = faulty(records=records)
    brief = text.render([report], width=60).splitlines()
    assert sum("reason" in line for line in brief) == text.MOST_OPEN + 1
    assert "  and 3 more reasons; -v lists all" in brief
    assert max(map(len, brief)) <= 60
    assert all(f"reason {n}" in text.render([report], verbose=True, width=60) for n in range(101, 108))


def test_reproducers_can_be_copied_from_any_terminal():
    for width in (24, 50, 200):
        output = text.render([faulty()], width=width)
        assert f"  reproducer\n{CODE}\n" in output


@pytest.mark.parametrize("width", [24, 30, 44, 80])
def test_fits_a_narrow_terminal(width):
    output = text.render([faulty(), right(), unchecked()], verbose=True, width=width)
    outside_of_code = [line for line in output.splitlines() if line not in CODE.splitlines()]
    assert max(map(len, outside_of_code)) <= width


def test_plain_where_there_is_no_terminal(capsys):
    for output in (text.render([faulty()], width=80), str(faulty())):
        assert "\x1b[1" not in output
        # What the component printed into its finding is not obeyed either.
        assert "\x1b" not in output
    text.show([faulty()])
    assert "\x1b[1" not in capsys.readouterr().out


def test_colours_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard", highlight=False)
    text.show([faulty()], console)
    output = console.file.getvalue()
    assert "\x1b[1;31merror L101" in output
    assert "\x1b[33mwarning L113" in output
    assert "\x1b[36mnote L122" in output
    assert text.render([faulty()], color=True) != text.render([faulty()])


def test_several_reports_are_brief_where_nothing_was_found():
    output = text.render([faulty(), right(), unchecked()], width=120)
    assert "Close  metric  losses.py:40\nnothing found; 2 planned = 2 passed + 0 failed; 1.0 s\n" in output
    assert "could not be checked: PerClass needs num_classes to be built." in output
    assert "\n3 subjects: 1 error, 1 warning, 1 note; 16 planned = 7 passed + 4 failed" in output
    assert output.endswith("  with errors: BatchDice\n  could not be checked: PerClass\n")


def test_nothing_checked_is_not_nothing_found():
    assert "nothing found" not in text.render([unchecked()])
    blocked = right(records={"torch": [Record("M000", "inconclusive", "why")]})
    assert "nothing checked; 1 planned" in text.render([blocked])
    assert "why" in text.render([blocked, right()])


def test_a_finding_alone():
    output = text.render_finding(WEIGHTS, width=80)
    assert output.startswith("error L101 Sample weights")
    assert CODE in output
    assert "  at" not in text.render_finding(TASTE, width=80)
