"""What the benchmark compares is equal: values and gradients of every row, in every mode of the backend."""

import pytest

from benchmarks import equality, modes
from benchmarks.cases import Case, EmbeddingCase, cases
from benchmarks.contenders import contenders
from benchmarks.families import FAMILIES

CASES = {
    "pixels": list(cases(((2, 16, 8, 1), (2, 16, 8, 3), (1, 4, 8, 8, 2)))),
    "surfaces": [Case((2, 16, 8, 1), True), Case((2, 16, 8, 3), True, True), Case((1, 4, 8, 8, 1), True)],
    "pairs": [EmbeddingCase(48, 8)],
}


@pytest.mark.heavy("compiles each contender of a benchmark", on=("jax", "tensorflow"), seconds=3)
@pytest.mark.parametrize(("family", "loss"), [(family.name, loss) for family in FAMILIES for loss in family.losses])
@pytest.mark.parametrize("mode", modes.modes())
def test_contenders_are_equal(family, loss, mode):
    for case in CASES[family]:
        competing = contenders(loss, case)
        runs = {library: modes.prepare(contender, mode)[1] for library, contender in competing.items()}
        runnable, failures = equality.runnable(runs)
        assert next(iter(runnable)) == "kerasmith"
        # Keras 3.15.1 on PyTorch, probabilities and ids.
        assert all("grad_input must be contiguous" in text for text in failures.values())
        equality.check(runnable, competing)


@pytest.mark.heavy("compiles two contenders of a benchmark", on=("tensorflow",), seconds=4)
def test_a_different_loss_is_refused():
    case = CASES["pixels"][0]
    competing = {"kerasmith": contenders("dice", case)["kerasmith"], "keras": contenders("tversky", case)["keras"]}
    runs = {library: modes.prepare(contender, modes.modes()[0])[1] for library, contender in competing.items()}
    with pytest.raises(AssertionError, match="keras and kerasmith do not compute the same"):
        equality.check(runs, competing)
