"""Scripts that train: they run up to a `fit`, train and write nothing, and what keeps them from there is told with a line."""

import json

import keras
import pytest

from kerasmith.checks.engine.report import exit_status
from kerasmith.checks.engine.script import report_of_script
from kerasmith.checks.formats import json as as_json
from kerasmith.checks.formats import junit, sarif, short, text

BACKEND = keras.config.backend()
TRAINS = """\
import argparse
import sys

import numpy as np
import keras
from keras import layers
from helpers import data


class Loud(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def make(units):
    model = keras.Sequential([keras.Input((3,)),
                              layers.Dense(units)])
    model.compile("sgd",
                  loss=Loud())
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, required=True)
    units = parser.parse_args().units
    assert sys.argv[0].endswith("train.py")
    x, y = data()
    first = make(1)
    history = first.fit(x, y[:, :1], epochs=2)
    print(history.history["val_loss"][-1], open(__file__).read()[:6])
    before = first.get_weights()[0]
    model = make(units)
    saver = keras.callbacks.ModelCheckpoint("best.keras")
    try:
        model.fit(x, y, epochs=100, callbacks=[saver])
    except BaseException:
        open("caught.txt", "w").write("?")
    open("after.txt", "w").write("?")


if __name__ == "__main__":
    main()
"""


def write(folder, source, name="train.py"):
    (folder / name).write_text(source)
    return str(folder / name)


def asked(target, *arguments, **options):
    return report_of_script(target, [BACKEND], arguments=list(arguments), select=["T000"], **options)


@pytest.mark.heavy("two processes that import Keras", seconds=25)
def test_a_script_is_asked_at_its_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = write(tmp_path, TRAINS)
    write(tmp_path, "import numpy as np\ndef data():\n    return np.zeros((8, 3)), np.zeros((8, 2))\n", "helpers.py")
    report = asked(target, "--units", "5", fit=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["helpers.py", "train.py"]
    (finding,) = report.findings
    line = TRAINS.splitlines().index("        model.fit(x, y, epochs=100, callbacks=[saver])") + 1
    assert (report.subject, report.kind, report.line, report.backends) == ("sequential_1.fit", "setup", line, [BACKEND])
    assert (finding.id, exit_status([report])) == ("T000", 1)
    # The line of the user's loss, where it was raised.
    assert TRAINS.splitlines()[finding.line - 1].strip().startswith("return keras.ops.mean")
    assert "(8, 5)" in finding.expected
    place = f"train.py:{finding.line}"
    for form in (short, text, junit):
        assert place in form.render([report])
    (result,) = json.loads(sarif.render([report]))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": finding.line}
    assert json.loads(as_json.render([report]))["findings"][0]["line"] == finding.line

    report = asked(target, "--units", "5", fit=3)
    assert "calls `fit` 2 times" in report.problem
    assert exit_status([report]) == 2


# None of these comes to Keras.
STOPPED = {
    "missing data": (
        "x = open('data/train.csv')\n",
        "stops before `fit` at train.py:1 (x = open(",
        "No such file",
        "It ran in",
    ),
    "raises": (
        "def f():\n    return 1 / 0\nf()\nfit\n",
        "at train.py:2 (return 1 / 0)",
        "ZeroDivisionError",
        "Run the script",
    ),
    "no module": ("import no_such_module_here\n", "ModuleNotFoundError", "Install it"),
    "asks": ("input('which?')\n", "EOFError", "nobody to ask"),
    "arguments": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', required=True)\np.parse_args()\n",
        "exit status 2",
        "arguments are required: --data",
        "behind two dashes: kerasmith check",
    ),
    "ends with words": ("raise SystemExit('no GPU here')\n", "ended: no GPU here before `fit`"),
    "no Keras": ("print('done')\n", "ended without importing Keras"),
    "syntax": ("def f(:\n", "SyntaxError", "train.py:1"),
    "hangs": ("while True:\n    pass\n", "has not reached its `fit` after 1 s; it is at train.py:", "--script-limit"),
    "ends its process": ("import os\nos._exit(7)\n", "ended with status 7"),
}


@pytest.mark.host("Keras is never imported")
@pytest.mark.parametrize("name", STOPPED)
def test_what_keeps_a_script_from_its_fit_is_told(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    source, *expected = STOPPED[name]
    report = asked(write(tmp_path, source), limit=1.0 if name == "hangs" else 60.0)
    for words in expected:
        assert words in report.problem, report.problem
    assert "Traceback" not in report.problem
    assert exit_status([report]) == 2
    assert "could not be checked" in text.render([report])


@pytest.mark.heavy("a process that imports Keras for each", seconds=25)
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("model.fit(x, x)\n", ["compile()", "train.py:4 (model.fit(x, x))"]),
        (
            "model.compile('sgd', 'mse')\nmodel.train_on_batch(x, x)\n",
            ["train.py:5", "`train_on_batch`", "kerasmith.check("],
        ),
        ("model.compile('sgd', 'mse')\n", ["without calling `fit`", "-- --train"]),
    ],
)
def test_what_is_no_fit_of_a_compiled_model(tmp_path, monkeypatch, body, expected):
    monkeypatch.chdir(tmp_path)
    start = "import keras, numpy as np\nx = np.zeros((4, 3), 'float32')\n"
    model = "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])\n"
    report = asked(write(tmp_path, start + model + body))
    for words in expected:
        assert words in report.problem, report.problem
