"""What the data and the configuration decide, before any training and without Keras."""

import numpy as np
import pytest
from PIL import Image

from kerasmith import losses
from kerasmith.cli import main
from kerasmith.recipes.training.catalogue import snake
from kerasmith.recipes.training.config import read_config
from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.loss_expression import WITH_TERM_ON_PIXELS
from kerasmith.recipes.training.loss_plan import class_weights
from kerasmith.recipes.training.plan import make_plan
from kerasmith.recipes.training.resolved_file import resolved_text
from tests.support import fresh_process
from tests.support.image_folders import write_pairs

pytestmark = pytest.mark.host("files are read and values are decided")


def plan_of(config, **overrides):
    return make_plan(read_config(config, overrides))


def test_three_lines_are_enough_and_no_keras_is_loaded(tmp_path):
    config = write_pairs(tmp_path)
    code = (
        "import sys\nfrom kerasmith.cli import main\n"
        f"assert main(['train', {str(config)!r}, '--plan']) == 0\n"
        "assert 'keras' not in sys.modules\n"
    )
    shown = fresh_process.run(code)
    for words in (
        "4 images to train on, 1 held out",
        "zscore",
        "0.5*dice + 0.5*ce",
        "each pixel about twice",
        "drawn with seed 0",
    ):
        assert words in shown, words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "images", "masks"]


MORE = (
    "",
    "loss: ce(class_weights=auto) + ramp(0, 1, epochs=2:4)*dice\naugment: {mirror: yes}\npatch: 16\n",
    "folds: 3\nfold: 2\ngroup: '(p[0-9])'\nmodel: unet(widths=[4, 8])\nvoid: 9\n",
)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("more", MORE)
def test_what_is_written_back_gives_the_same_run(tmp_path, classes, more):
    config = write_pairs(tmp_path, classes=classes)
    config.write_text(config.read_text() + more)
    plan = plan_of(config)
    again = tmp_path / "again" / "config.yaml"
    again.parent.mkdir()
    again.write_text(resolved_text(plan.values, {one.key: one.why for one in plan.decisions if not one.is_set}))
    other = plan_of(again)
    assert other.values == plan.values
    assert other.digest == plan.digest
    assert not [key for key, value in other.values.items() if value == "auto" and key != "validation"]


def test_the_data_decide(tmp_path):
    small = plan_of(write_pairs(tmp_path / "a", shape=(32, 40)))
    assert small.values["patch"] == [32, 48]
    large = plan_of(write_pairs(tmp_path / "b", shape=(200, 300)))
    assert large.values["patch"] == [128, 128]
    assert large.values["oversample"] == 0.5  # 128 of 60,000 pixels
    assert "class_weights=[" in large.values["loss"]
    volume = plan_of(write_pairs(tmp_path / "c", shape=(16, 24, 24)))
    assert volume.values["patch"] == [16, 24, 24]
    assert volume.values["augment"]["rotate"] is False
    several = plan_of(write_pairs(tmp_path / "d", classes=3))
    assert several.outputs == "softmax"
    assert several.names == ["background", "class_1", "class_2", "class_3"]
    assert plan_of(write_pairs(tmp_path / "e", instances=True), instances=True).outputs == "instances"


def test_losses_with_a_term_on_pixels_are_those_that_weigh_them():
    marked = {snake(name) for name, one in vars(losses).items() if getattr(one, "_weighs_pixels", False)}
    assert marked | {"unified_focal"} == set(WITH_TERM_ON_PIXELS)  # its term reads the weights by itself


def test_class_weights_are_those_of_median_frequency():
    shares = np.array([0.7, 0.2, 0.1])
    expected = np.median(shares) / shares
    np.testing.assert_allclose(class_weights(list(shares)), expected / expected.mean(), rtol=1e-3)


def test_one_other_id_is_the_foreground(tmp_path):
    config = write_pairs(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        Image.fromarray(np.array(Image.open(path)) * 255).save(path)
    assert plan_of(config).values["classes"] == {"background": 0, "foreground": 255}


def test_groups_stay_together_and_folds_cover_all(tmp_path):
    config = write_pairs(tmp_path, count=9)
    for name in ("images", "masks"):
        for i in range(9):
            (tmp_path / name / f"p{i}.png").rename(tmp_path / name / f"patient{i // 3}_{i}.png")
    held_out = []
    for fold in (1, 2, 3):
        plan = plan_of(config, folds=3, fold=fold, group="(patient[0-9])")
        assert len({case.name.split("_")[0] for case in plan.held_out}) == 1
        assert len(plan.held_out) == 3
        held_out += [case.name for case in plan.held_out]
    assert len(set(held_out)) == 9


def spoil(tmp_path, name):
    """One thing wrong with the data."""
    mask = np.array(Image.open(tmp_path / "masks" / "p1.png"))
    if name == "size":
        Image.fromarray(mask[:-4]).save(tmp_path / "masks" / "p1.png")
    elif name == "missing":
        (tmp_path / "masks" / "p1.png").unlink()
    elif name == "unreadable":
        (tmp_path / "images" / "p1.png").write_bytes(b"no image")
    elif name == "id":
        mask[0, 0] = 77
        Image.fromarray(mask).save(tmp_path / "masks" / "p1.png")
    elif name == "channels":
        Image.fromarray(np.stack([mask] * 3, -1)).save(tmp_path / "images" / "p1.png")
    elif name == "empty":
        (tmp_path / "images" / "p1.png").write_bytes(b"")
    elif name == "below 0":
        (tmp_path / "masks" / "p1.png").unlink()
        np.save(tmp_path / "masks" / "p1.npy", mask.astype("int16") - 1)
    elif name == "one class":
        for path in (tmp_path / "masks").iterdir():
            Image.fromarray(mask * 0).save(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("size", ["p1.png", "28 x 40"]),
        ("missing", ["p1.png", "without a mask"]),
        ("unreadable", ["p1.png", "cannot be read"]),
        ("id", ["p1.png", "77", "no class"]),
        ("channels", ["p1.png", "3 channels"]),
        ("one class", ["one class only", "background"]),
        ("empty", ["p1.png", "it is empty"]),
        ("below 0", ["p1.npy: it holds -1", "`void: -1`"]),
    ],
)
def test_wrong_data_are_told_by_file(tmp_path, name, words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    config = write_pairs(tmp_path)
    spoil(tmp_path, name)
    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    for word in words:
        assert word in said, said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("epoch: 3", "4:1", "Did you mean `epochs`"),
        ("epochs: many", "4:9", "a whole number"),
        ("epochs: 0", "4:9", "from 1"),
        ("loss: dicee", "4:7", "Did you mean `dice`"),
        ("loss: 'ce(class_weights=auto) + dise'", "4:33", "Did you mean `dice`"),
        ("loss: -2*dice", "4:8", "Leave the minus out"),
        ("loss: dice(class_weights=auto)", "4:7", "no classes to weigh"),
        ("loss: dice + 0.5*ce(class_weights=[1, 2, 3])", "4:21", "each of the 2 classes, in this order: background, square"),
        ("loss: dice_ce(class_weights=[1])", "4:15", "Received: 1."),
        ("loss: dice(class_weights=[1, 2])", "4:12", "no classes to weigh"),
        ("metrics: [iou, psnr]", "4:16", "reads no masks"),
        ("augment: {rotat: true}", "4:11", "Did you mean `rotate`"),
        ("model: unet(widths=3)", "4:8", "list"),
        ("model: unet(widths=[4, 8, 16, 32])\npatch: [12, 12]", "5:8", "multiples of 8"),
        ("validation: [p1, p77]", "4:13", "p77"),
        ("validation: 1.5", "4:13", "between 0 and 1"),
        ("folds: 50", "4:8", "There are 5"),
        ("fold: 2", "4:7", "one of `folds`"),
        ("group: 'p('", "4:9", "no regular expression"),
        ("group: '(x)'", "4:9", "does not match"),
        ("void: 0", "4:7", "is that of the class"),
        ("optimizer: adam(learning_rate=1)\nschedule: one_cycle(3)", "5:11", "Remove one"),
        ("precision: float16", "4:12", "mixed_float16"),
        ("instances: true", "4:12", "told apart"),
        ("backend: theano", "4:10", "tensorflow"),
        ("callbacks: early_stopping(patient=3)", "4:27", "`patience`"),
    ],
)
def test_wrong_values_are_told_by_place(tmp_path, line, place, words):
    config = write_pairs(tmp_path)
    config.write_text("images: images\nmasks: masks\nclasses: [background, square]\n" + line + "\n")
    with pytest.raises(ConfigError) as error:
        plan_of(config)
    assert str(error.value).startswith(f"{config}:{place}: "), error.value
    assert words in str(error.value), error.value
