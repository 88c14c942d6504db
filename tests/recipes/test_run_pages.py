"""`kerasmith report` and `kerasmith list`: pages from directories alone, and what is said of bad input."""

import json
import subprocess
import sys

import pytest

from kerasmith.cli import main
from kerasmith.files.run_files import monitored, read_cases, read_history
from kerasmith.report.run_data import read_run_data, write_cases, write_run_data
from tests.report.html_checks import Page, assert_loads_nothing, plot_named, plots, values_of

pytestmark = pytest.mark.host("draws and writes from numbers and text")

DICE = {"a": [0.8, 0.82, 0.9, 0.7], "b": [0.85, 0.87, 0.95, 0.75]}


def make_run(directory, name, *, finished=True, rate=0.1, cases=True, epochs=3):
    run = directory / name
    run.mkdir(parents=True)
    lines = ["epoch,loss,val_loss,val_dice"] + [f"{e},{1 / e!r},{1.1 / e!r},{1 - 0.5 / e!r}" for e in range(1, epochs + 1)]
    (run / "history.csv").write_text("\n".join(lines) + "\n")
    data = {
        "title": f"run {name}", "status": "completed", "seconds": 75.4, "planned": epochs, "config": {"rate": rate, "seed": 0},
        "directions": {"dice": "max"}, "compiled": {"optimizer": "Adam", "model": f"Sequential sequential_{epochs}"},
        "events": [], "terms": ["ce"],
        "sections": [{"title": "Pictures", "html": "<p>a picture</p>", "collapsed": False, "kind": ""}],
    }  # fmt: skip
    write_run_data(run / "report.json", data)
    if finished:
        best = {"loss": {"value": 1 / epochs, "epoch": epochs}, "val_dice": {"value": 1 - 0.5 / epochs, "epoch": epochs}}
        summary = {"title": f"run {name}", "status": "completed", "seconds": 75.4, "best": best, "dice": 0.8, "events": []}
        (run / "summary.json").write_text(json.dumps(summary))
    if cases:
        write_cases(run / "cases.csv", [{"case": f"c{i}", "digest": "x", "dice": v} for i, v in enumerate(DICE[run.name[0]])])
    return run


def command(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def test_a_page_is_made_from_the_directory_alone(tmp_path, capsys):
    run = make_run(tmp_path, "a")
    status, _ = command(capsys, "report", run)
    text = (run / "report.html").read_text()
    page = assert_loads_nothing(text)
    assert (status, page.text("h1")) == (0, "run a")
    assert "Completed 3 epochs" in page.text("p")
    assert "a picture" in page.text("p")
    assert values_of(plot_named(text, "dice"), "val_dice") == [0.5, 0.75, 1 - 0.5 / 3]
    carried = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert (carried["config"], len(carried["rows"])) == ({"rate": 0.1, "seed": 0}, 3)
    # Of a run that was killed there may be the history alone.
    for name in ("report.json", "summary.json", "cases.csv"):
        (run / name).unlink()
    run.rename(tmp_path / "killed")
    command(capsys, "report", tmp_path / "killed", "--out", tmp_path / "x.html")
    assert "Not finished: 3 of ? epochs so far" in (tmp_path / "x.html").read_text()


def test_runs_are_compared(tmp_path, capsys):
    runs = [make_run(tmp_path, "a"), make_run(tmp_path, "b", rate=0.2, epochs=4)]
    status, _ = command(capsys, "report", *runs, "--out", tmp_path / "both.html")
    text = (tmp_path / "both.html").read_text()
    page = assert_loads_nothing(text)
    assert status == 0
    assert "b better by .050, .050 to .050" in page.text("td")
    assert "a 0.1000 b 0.2000" in " ".join(page.text("td").split())
    assert "sequential" not in page.text()  # the number that Keras appends to a name is no setting
    drawn = plot_named(text, "val_dice")
    assert [one["name"] for one in drawn["series"]] == ["a", "b"]
    assert values_of(drawn, "a") == [0.5, 0.75, 0.833333, None]
    assert drawn["legend"] == "runs"
    assert [plot["title"] for plot in plots(text)] == ["val_loss", "val_dice"]
    write_cases(runs[1] / "cases.csv", [{"case": "c0", "dice": 0.5}])
    command(capsys, "report", *runs, "--out", tmp_path / "both.html")
    assert "not paired, other held-out cases: 3 only in the first" in Page((tmp_path / "both.html").read_text()).text("li")


def test_the_list_fits_80_columns(tmp_path, capsys):
    make_run(tmp_path, "a" * 70)
    make_run(tmp_path, "deep/b", finished=False)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "summary.json").write_text("{")
    status, printed = command(capsys, "list", tmp_path)
    lines = printed.out.splitlines()
    assert status == 0
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["run", "state", "epochs", "best", "time"]
    assert lines[1].split()[1:] == ["completed", "3", "val_dice", "0.8333", "(3)", "0:01:15"]
    assert lines[2].split()[:2] == ["broken", "unreadable"]
    assert lines[3].split() == ["deep/b", "unfinished", "3", "val_dice", "0.8333", "(3)", "0:01:15"]
    # Whoever reads may have seen enough.
    call = f"{sys.executable} -c 'from kerasmith.cli import main; raise SystemExit(main())' list {tmp_path} | true"
    done = subprocess.run(call, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_bad_input_says_what_was_expected(tmp_path, capsys):
    run = make_run(tmp_path, "a")
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "history.csv").write_text("epoch,loss\n1,x\n")
    for arguments, words in [
        (["report", tmp_path / "none"], "Expected the directory of a run"),
        (["report", run / "history.csv"], "is a file"),
        (["report", tmp_path], "There are runs in it: a, odd"),
        (["report", tmp_path / "odd"], "Expected a table of numbers"),
        (["report", run, run], "given twice"),
        (["report", run, "--out", tmp_path / "no" / "x.html"], "in a directory that exists"),
        (["list", tmp_path / "none"], "There is no directory"),
        (["list", tmp_path / "empty"], "holds no runs"),
    ]:
        status, printed = command(capsys, *arguments)
        assert status == 2, arguments
        assert words in " ".join(printed.err.split()), arguments
        assert "Traceback" not in printed.err


def test_files_read_back_exactly(tmp_path):
    rows = [{"case": "1", "digest": "007", "dice": 0.1 + 0.2, "objects": 3}, {"case": "a,b", "dice": float("nan")}]
    write_cases(tmp_path / "cases.csv", rows)
    read = read_cases(tmp_path / "cases.csv")
    assert read[0] == rows[0]
    assert read[1]["dice"] != read[1]["dice"]
    assert read_history(tmp_path / "none.csv") == []
    with pytest.raises(ValueError, match="a name of its own"):
        write_cases(tmp_path / "cases.csv", [{"case": "a"}, {"case": "a"}])
    assert monitored({"loss": 0, "val_loss": 0, "val_dice": 0}) == "val_dice"
    assert monitored({"loss": 0, "val_loss": 0}) == "val_loss"
    assert monitored({}) is None
    assert read_run_data(make_run(tmp_path, "a"))["results"] == {"dice": 0.8}
