"""What `kerasmith migrate` says to calls that it knows, to others, and to what is no call. Nothing of it is run."""

import subprocess
import sys

import pytest

import kerasmith.cli
from kerasmith.migration import known_calls, migrate
from tests.migration import table

pytestmark = pytest.mark.host("a table of calls and a parser, without any tensor")


_MACRO = "ConfusionMatrix(3, multi_label=True, report=('recall',), absent='skip_both')"


@pytest.mark.parametrize(
    ("call", "expression"),
    [
        ("monai.losses.DiceCELoss(sigmoid=True)", "DiceCE(from_logits=True, dice_weight=1.0, ce_weight=1.0, smooth=5e-06)"),
        ("DiceCELoss(sigmoid=True)", "DiceCE(from_logits=True, dice_weight=1.0, ce_weight=1.0, smooth=5e-06)"),
        ("monai.losses.DiceLoss(sigmoid=True, jaccard=True)", "Jaccard(from_logits=True, smooth=5e-06)"),
        ("smp.losses.DiceLoss('multiclass')", "Dice(from_logits=True, scope='batch', smooth=0.0)"),
        ("sm.losses.bce_dice_loss", "CrossEntropy() + Dice(scope='batch', smooth=5e-06)"),
        ("tfa.losses.PinballLoss(tau=0.2)", "Pinball(quantiles=0.2)"),
        ("torchmetrics.CohenKappa('multiclass', num_classes=5)", "CohenKappa(5)"),
        ("torchmetrics.Accuracy(task='multiclass', num_classes=3)", "ConfusionMatrix(3, report=())"),
        ("torchmetrics.Recall('multilabel', num_labels=3, average='macro')", _MACRO),
        ("torchmetrics.F1Score(task='binary')", "ConfusionMatrix(2, report=('f1',), absent='zero')"),
        ("tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)", "CrossEntropy(from_logits=True)"),
        ("pl.callbacks.Timer({'hours': 2})", "TimeLimit(7200)"),
        ("nn.BCEWithLogitsLoss(pos_weight=w)", "Focal(from_logits=True, gamma=0.0, pos_weight=w)"),
        (
            "monai.losses.DiceLoss(softmax=True, weight=[1, 3])",
            "2.0 * Dice(from_logits=True, class_weights=[1, 3], smooth=5e-06)",
        ),
    ],
)
def test_known(call, expression):
    assert migrate(call).expression == expression


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("monai.losses.DiceLos()", r"not known. Nearest: monai.losses.DiceLoss"),
        ("monai.losses.DiceLoss(sigmod=True)", r"no argument `sigmod`.*sigmoid"),
        ("smp.losses.DiceLoss()", r"needs `mode`"),
        ("DiceLoss()", r"may be .*monai.*Write which"),
        ("1 +", "not Python"),
        ("f(x)(y)", "no call of a name"),
        ("monai.losses.DiceLoss(**config)", "unpacked"),
        ("monai.losses.DiceLoss(True, include_background=False)", "twice"),
        ("torch.nn.BCELoss(1, 2, 3, 4, 5)", "4 parameters"),
    ],
)
def test_unknown(call, text):
    with pytest.raises(ValueError, match=text):
        migrate(call)


def test_what_has_no_counterpart_is_said(capsys):
    assert kerasmith.cli.main(["migrate", "monai.losses.DiceLoss(sigmoid=True, squared_pred=True)"]) == 1
    out = capsys.readouterr().out
    compile(out, "out", "exec")
    assert "# Not carried over:\n# - `squared_pred=True`" in out
    assert kerasmith.cli.main(["migrate", "monai.losses.DiceLoss(sigmoid=True, other_act=my_function)"]) == 1
    assert "`other_act=my_function`" in capsys.readouterr().out
    assert kerasmith.cli.main(["migrate", "monai.losses.DiceLoss(sigmoid=True)"]) == 0
    assert kerasmith.cli.main(["migrate", "monai.losses.Nothing()"]) == 2
    assert "kerasmith migrate --list" in " ".join(capsys.readouterr().err.split())


def test_every_line_is_python_and_every_call_is_listed(capsys):
    assert kerasmith.cli.main(["migrate", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(known_calls()) >= 100
    for path, call in known_calls().items():
        needed = {"loss": "NTXentLoss()", "duration": "'00:01:00:00'"}
        given = ", ".join(f"{name}={needed.get(name, '3')}" for name, default in call.defaults.items() if default is None)
        compile(str(migrate(f"{path}({given})")), path, "exec")


def test_neither_keras_nor_a_peer_is_imported():
    code = (
        "import sys; from kerasmith.migration import known_calls; known_calls();"
        "print([name for name in ('keras', 'numpy', 'torch', 'monai', 'torchmetrics') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_page_is_that_of_the_tables():
    assert table.PAGE.read_text() == table.page(), "run `python -m tests.migration.table`"
