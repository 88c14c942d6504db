"""The checks name the faults of the zoo's set-ups, say nothing of what was repaired, and report no error of healthy ones.

All set-ups on all backends are asked by `python -m tests.zoo.setups.run`. Here PyTorch is asked for all of them what one batch
answers, and for some what a trained copy answers; the other backends are asked for a cover.
"""

import re

import keras
import pytest

from tests.zoo.setups.run import ALARM, NAMED, asked, checks_of
from tests.zoo.setups.setup import SETUPS, THEMES, load, themes_of

load()
THEMES_ASKED = [theme for theme in THEMES if theme != "runs"]
# Found by training a copy, which takes seconds: of these few are asked.
TRAINED = ("gradients", "learning")
# What the checks do not say, each for a reason. What mends one takes its row out.
KNOWN = {
    "loss_divided_away": "the loss at the start is nearly 0, which counts as learned",
}
# Reasons why a check is undecided that are faults of the check.
CRASH = re.compile(r"inconclusive: (Attribute|Type|Name|Index|Key|Value)Error")
# Every how many of them one is asked where each operation is compiled.
COVER = {"tensorflow": 12, "jax": 24}
# What a theme took on PyTorch, and on a backend that compiles, in seconds.
COST = {"data": (16, 3), "gradients": (2, 3), "learning": (6, 0), "healthy": (5, 3)}


def names_of(theme):
    """The set-ups of a theme that are asked on this backend."""
    names = [name for name, build in SETUPS.items() if build.theme == (None if theme == "healthy" else theme)]
    if keras.config.backend() == "torch":
        return names[::4] if theme in TRAINED else names
    if theme in TRAINED:
        return names[:1] if (theme, keras.config.backend()) == ("gradients", "tensorflow") else []
    # The first are the large networks of keras.applications.
    cover = COVER[keras.config.backend()]
    return names[5::cover] if theme == "healthy" else names[::cover]


def checks_for(themes):
    """Ids of the checks that belong to the themes."""
    return [check for check in (*checks_of("structural"), *checks_of("dynamic")) if {*themes_of(check)} & {*themes}]


def crashes(answer):
    """What a check could not decide because it failed itself."""
    return [f"{answer.name} {check} {why}" for check, why in answer.open.items() if CRASH.match(why)]


def seconds(theme):
    """What a test of the theme takes on this backend."""
    return COST.get(theme, (2, 4))[keras.config.backend() != "torch"]


@pytest.mark.heavy("asks some hundred set-ups, and trains copies of some", seconds=seconds)
@pytest.mark.parametrize("theme", THEMES_ASKED)
def test_faults_are_named_and_repaired(theme):
    wrong = []
    for name in names_of(theme):
        answer = asked(name, select=checks_for((theme, *SETUPS[name].also, "runs")))
        wrong += crashes(answer)
        if answer.verdict != NAMED:
            if name not in KNOWN:
                wrong.append(f"{name}: {answer.found or 'nothing found'}")
            continue
        again = asked(name, repaired=True, select=[*answer.found])
        if again.found:
            wrong.append(f"{name}, repaired: {again.texts}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.heavy("asks some hundred set-ups", seconds=lambda half: seconds("healthy"))
@pytest.mark.parametrize("half", [0, 1])
def test_no_error_is_reported_of_healthy_setups(half):
    wrong = []
    for name in names_of("healthy")[half::2]:
        answer = asked(name, parts=("structural",))
        wrong += crashes(answer)
        if answer.verdict == ALARM and name not in KNOWN:
            wrong.append(f"{name}: {answer.texts}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.host("the list of set-ups")
def test_the_zoo_of_setups_is_large():
    counts = {theme: sum(build.theme == theme for build in SETUPS.values()) for theme in THEMES_ASKED}
    assert min(counts.values()) >= 7, counts
    assert sum(counts.values()) >= 60
    assert len(SETUPS) - sum(counts.values()) >= 60
    assert {*KNOWN} <= {*SETUPS}
