"""The run directory is checked before anything is written, and a user's files are never touched."""

import tempfile

import pytest

from kerasmith.callbacks.run_report.run_directory import prepare

RUN_FILES = ["report.html", "history.csv", "model.keras", "summary.json", "events.out.tfevents.1.kerasmith.2.0"]
DRAFTS = [".report.html.4711.tmp", ".model.keras.4711.tmp.keras"]


def test_makes_missing_directories(tmp_path):
    path = prepare(tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b"
    assert list(path.iterdir()) == []
    assert prepare(str(path)) == path


def test_files_are_refused_and_stay(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(ValueError, match=r"holds files already.* pass overwrite=True \(--overwrite\)"):
        prepare(tmp_path)
    assert (tmp_path / "report.html").read_text() == "mine"


def test_overwrite_removes_files_of_a_run_and_nothing_else(tmp_path):
    others = ["notes.txt", "my_model.keras", "history.csv.bak", "my.events.log"]
    for name in RUN_FILES + DRAFTS + others:
        (tmp_path / name).write_text(name)
    (tmp_path / "events.d").mkdir()
    (tmp_path / "events.d" / "data").write_text("kept")
    prepare(tmp_path, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "events.d"])
    assert (tmp_path / "events.d" / "data").read_text() == "kept"


def test_overwrite_removes_a_link_and_not_its_target(tmp_path):
    run, target = tmp_path / "run", tmp_path / "precious.keras"
    run.mkdir()
    target.write_text("kept")
    (run / "model.keras").symlink_to(target)
    prepare(run, overwrite=True)
    assert list(run.iterdir()) == []
    assert target.read_text() == "kept"


def test_a_file_is_not_a_directory(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        prepare(tmp_path / "file", overwrite=True)
    with pytest.raises(ValueError, match="Choose a directory that you may write"):
        prepare(tmp_path / "file" / "below")


def test_an_unwritable_directory_is_refused_before_files_are_removed(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"Cannot write into .*: Permission denied\. Choose a directory"):
        prepare(tmp_path, overwrite=True)
    assert (tmp_path / "report.html").read_text() == "old"


@pytest.mark.parametrize("directory", [None, 3])
def test_what_is_no_path_is_refused(directory):
    with pytest.raises(ValueError, match=f"Received: directory={directory}"):
        prepare(directory)
