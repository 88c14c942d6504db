"""The table of the gate and its budget."""

import pytest

from scripts.times import Budget, Time, report

pytestmark = pytest.mark.host("reads the text of finished test runs")


def one(name="torch", status=0, cpu=60.0, text="....\n===== 12 passed, 3 skipped in 4.20s =====\n"):
    return Time(name, status, cpu, 70.0, text)


def test_counts_are_those_of_the_last_line():
    assert one().counts == {"passed": 12, "skipped": 3}
    assert one(text="1 failed, 2 passed, 5 deselected in 312.00s (0:05:12)").counts == {
        "failed": 1,
        "passed": 2,
        "deselected": 5,
    }
    assert one(text="All checks passed!").counts == {}


def test_a_fifth_more_than_the_budget_passes_and_no_more():
    budget = Budget({"torch": 1.0}, 25.0)
    assert not budget.problems([one(cpu=71.9)])
    (problem,) = budget.problems([one(cpu=72.1)])
    assert "torch took 1.2 minutes" in problem
    assert "jax = 1.0" in budget.problems([one("jax")])[0]


def test_a_slower_machine_is_no_growth_and_growth_on_it_is():
    budget = Budget(dict.fromkeys(("torch", "jax", "tensorflow", "oldest"), 1.0), 25.0)
    slower = [one(name, cpu=cpu) for name, cpu in (("torch", 85.0), ("jax", 90.0), ("tensorflow", 95.0), ("oldest", 105.0))]
    assert not budget.problems(slower)
    grown = [*slower[:3], one("oldest", cpu=120.0)]
    assert [line.split()[0] for line in budget.problems(grown)] == ["oldest"]


def test_the_table_ends_with_a_sum_in_the_words_of_pytest(tmp_path, capsys):
    done = [one(), one("jax", text="7 passed, 1 warning in 3.0s"), Time("lint", 0, 3.0, 4.0, "All checks passed!")]
    assert report(done, 600, Budget({"torch": 1.0, "jax": 1.0, "lint": 1.0}, 25.0), tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "19 passed, 3 skipped, 1 warning in 600s"
    assert (tmp_path / "table.txt").read_text().splitlines() == lines[1:]


def test_a_part_that_fails_or_grows_is_an_error(tmp_path, capsys):
    assert report([one(status=1)], 60, None, tmp_path) == 1
    assert "torch failed with status 1" in capsys.readouterr().out
    assert report([one(cpu=600)], 60, Budget({"torch": 1.0}, 25.0), tmp_path) == 1


def test_a_slow_clock_warns(tmp_path, capsys):
    assert report([one()], 25.1 * 60, Budget({"torch": 1.0}, 25.0), tmp_path) == 0
    assert "WARNING all took 25.1 minutes on the clock; 25 are the aim" in capsys.readouterr().out
