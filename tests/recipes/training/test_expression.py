"""The language of losses and calls: what it reads, what it refuses, that nothing is executed."""

import pytest

from kerasmith.recipes.training import catalogue
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.expression import parse_call, parse_sum, text_of
from kerasmith.recipes.training.loss_expression import terms_of
from kerasmith.recipes.training.part_calls import callback_arguments, metric_arguments, optimizer_arguments
from kerasmith.recipes.training.schedule_call import check_schedule

pytestmark = pytest.mark.host("texts are read")
HERE = Place("c.yaml", 4, 7)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0.6*dice + 0.4*ce(class_weights=auto) + ramp(0, 0.3, epochs=20:60)*boundary", None),
        ("dice", None),
        ("-dice + ce", None),
        ("(dice+ce)/2", "0.5*dice + 0.5*ce"),
        ("2*(dice - 3*(ce - 0.5*focal))", "2*dice - 6*ce + 3*focal"),
        ("dice(smooth=1e-3,scope='batch')", "dice(smooth=0.001, scope='batch')"),
        ("ce(class_weights=[1, 2.5])", None),
        ("cosine_restarts(10, eta_max=0.5)*dice", None),
    ],
)
def test_a_sum_is_read_and_written_back(text, same):
    products = parse_sum(text, HERE)
    assert text_of(products) == (same or text)
    assert text_of(parse_sum(text_of(products), HERE)) == (same or text)
    terms_of(products)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("dicee", 7, "Did you mean `dice`"),
        ("dice + crossentropy", 14, "`cross_entropy`"),
        ("dice ce", 12, "found `ce`"),
        ("dice(", 12, "found the end"),
        ("dice(smoth=1)", 12, "Did you mean `smooth`"),
        ("dice(smooth=1, smooth=2)", 22, "twice"),
        ("dice(from_logits=true)", 12, "logits"),
        ("focal(1, 2, 3, 4)", 19, "without a name"),
        ("dice*ce", 12, "two losses"),
        ("0.5", 7, "alone is no loss"),
        ("ramp(0, 1, epochs=2:3)", 7, "alone is no loss"),
        ("0*dice", 7, "nothing would be learned"),
        ("ramp(0, 1)*dice", 7, "epochs"),
        ("ramp(0, 1, epochs=3:2)*dice", 18, "larger"),
        ("ramp(0, 1, epochs=3)*dice", 18, "range"),
        ("dice/0", 11, "divides by 0"),
        ("dice/ce", 11, "only numbers divide"),
        ("1e300*dice", 7, "too large"),
        ("triplet", 7, "embeddings"),
        ("ssim", 7, "images"),
        ("dice(smooth=ce(1))", 19, "takes a value"),
        ("(" * 40 + "dice", 19, "nested"),
        ("dice # x", 12, "no meaning"),
        ("__import__('os').system('true')", 23, "no meaning"),
        ("eval('1')", 7, "no loss"),
        ("dice.__class__", 11, "no meaning"),
        ("lambda x: x", 14, "found `x`"),
        ("dice if true else ce", 12, "found `if`"),
        ("f'{1}'", 8, "found"),
        ("[dice]", 7, "expected a loss"),
        ("dice(smooth=open('x'))", 19, "takes a value"),
    ],
)
def test_what_is_no_loss_is_told_with_its_column(text, column, words):
    with pytest.raises(ConfigError) as error:
        terms_of(parse_sum(text, HERE))
    assert str(error.value).startswith(f"c.yaml:4:{column}: "), error.value
    assert words in str(error.value), error.value


def test_code_is_refused_and_nothing_runs(tmp_path):
    witness = tmp_path / "ran"
    for text in (f"open('{witness}', 'w')", f"dice(smooth=open('{witness}', 'w'))", f'exec(\'open("{witness}", "w")\')'):
        with pytest.raises(ConfigError):
            terms_of(parse_sum(text, HERE))
    assert not witness.exists()


def test_every_loss_on_masks_and_every_schedule_can_be_named():
    for name in catalogue.names("losses"):
        part = catalogue.part("losses", name)
        if "SegmentationLoss" in part.bases:
            needed = ", ".join(f"{argument}=1" for argument, is_needed in part.arguments.items() if is_needed)
            assert terms_of(parse_sum(f"{name}({needed})", HERE))[0].part == part
    for text in ("ramp(0, 1, epochs=1:2)", "cosine_restarts(3)", "one_cycle(3)", "cyclic(up=2)", "warmup(one_cycle(3), 2)",
                 "scaled(cyclic(up=1), 0.5)", "shifted(cyclic(up=1), 3)"):  # fmt: skip
        check_schedule(parse_call(text, HERE))


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (metric_arguments, "psnr", "reads no masks"),
        (metric_arguments, "dice_scor", "`dice_score`"),
        (metric_arguments, "confusion_matrix(num_classes=3)", "`classes` says it"),
        (callback_arguments, "early_stoping", "`early_stopping`"),
        (callback_arguments, "resume", "there already"),
        (callback_arguments, "hard_example_mining", "objects"),
        (callback_arguments, "time_limit", "needs `limit`"),
        (optimizer_arguments, "adm", "`adam`"),
        (optimizer_arguments, "sgd(beta_1=1)", "no argument `beta_1`"),
    ],
)
def test_other_parts_are_checked_too(read, text, words):
    with pytest.raises(ConfigError, match=words):
        read(parse_call(text, HERE))
