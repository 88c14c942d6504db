"""Writes docs/checks.md: `python -m tests.zoo.table`. Runs the whole zoo on each backend, and the parts of other libraries."""

import collections
import concurrent.futures

from kerasmith.backends import BACKENDS
from kerasmith.checks.engine import registry
from tests.zoo import between_backends
from tests.zoo.answers import ROOT, answers, modules

ZOO = "tests.zoo."
# What the checker said of the modules `strangers_*` before a rule was changed for them, on PyTorch.
BLIND = (
    "The modules `strangers_*` of the zoo were written before the checks that find them, after threads that they name, and",
    "asked on PyTorch before a rule was changed: 8 of 43 faults had an error or warning that named them, 11 of 24 right parts",
    "an error, and two more right parts could not be checked without `--like`. The kinds were chosen because they were missed",
    "before, so this is a lower bound. The modules `second_*` were written after those checks, by the same hand, and asked",
    "before any change for them: 13 of 13 faults were named, and none of 6 right parts had an error (the parameters of a",
    "closure that are not saved had become a warning just before). The figures above are those of today.",
    "",
    "A third set, which is not in the zoo, was written by another hand that had not seen the checks: 45 broken and 28",
    "right parts, of which 39 and 20 are of kinds that are asked; data sets, schedules, optimizers and the like are refused.",
    "Before any change for it 32 of 39 faults were named on PyTorch, and 2 of 20 right parts had an error; after mending 38",
    "of 39 and none, put together from re-runs of what had changed. Asked anew as a whole it is 38 of 39 on PyTorch and on",
    "TensorFlow and 39 of 39 on JAX. What is left is no fault on its backend: a Python `if` on a tensor of PyTorch, functions",
    "of `tf` on TensorFlow. None of the 20 had an error on PyTorch and JAX, one on TensorFlow: a table of positions, asked",
    "with vectors since nothing was declared, took the batch for the axis of time. That question now stays open.",
)
# What `python -m tests.zoo.mutants --share 0.25` printed last.
MUTANTS = (
    "## Mutants",
    "",
    "`python -m tests.zoo.mutants` changes right parts of the zoo in one place each. Of the 279 that it makes 77 were asked,",
    "on PyTorch; 58 of them change a value or a gradient, and 44 of these (76 %) get an error or warning that the part did",
    "not have. A wrong constant and a swapped operator in a formula that nobody declared are what is missed.",
    "",
    "| mutant | noticed |",
    "|---|---|",
    "| swap an operator | 3 of 8 |",
    "| drop an argument | 5 of 6 |",
    "| drop a weight | 10 of 11 |",
    "| detach | 3 of 3 |",
    "| wrong axis | 9 of 9 |",
    "| off by one | 5 of 10 |",
    "| stale state | 9 of 11 |",
    "",
    "Noticed by one check alone each: M000 12, M105 8, L104 5, L000 4, Y000 3, L119 2, X113 2, and L110, L123, L136, M106,",
    "X114, Y103, Y114, Y132 one.",
)


def group_of(module):
    """Where the answers of a module are counted: "broken", "clean", "keras", "kerasmith" or "medicai"."""
    folder, name = module.removeprefix(ZOO).split(".")
    for own in ("kerasmith", "keras", "medicai"):
        if name.startswith(own):
            return own
    return folder


def measured():
    """{group: {backend: answers}}."""
    names = [name for folder in ("broken", "clean", "outside") for name in modules(folder)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for backend, given in zip(BACKENDS, pool.map(lambda backend: answers(names, backend), BACKENDS)):
            for answer in given:
                group = results.setdefault(group_of(answer["module"]), {name: [] for name in BACKENDS})
                group[backend].append(answer)
    for entry, target in between_backends.entries([name for name in names if ".broken." in name]):
        found = {finding.id: finding.severity for finding in between_backends.report(entry, target).findings}
        for backend in BACKENDS:
            for answer in results["broken"][backend]:
                if answer["must"] == entry.check and answer["component"] == entry.component.__name__:
                    answer["found"].update(found)
    return results


def page(results):
    """The Markdown text of the measured zoo."""
    broken = results["broken"]
    lines = [
        "# What `kerasmith check` asks, and what it caught",
        "",
        "Written by `python -m tests.zoo.table`; the tests of every backend hold the same zoo to it. *Caught*: broken",
        "components of the zoo that this check was named for and found, of those that there are, over the three backends. The",
        "other columns name the parts in which it found something, with Keras 3.15.1 and medicai 0.0.4; a part that is wrong",
        "with some inputs or arguments only is examined with those too, and counts each time.",
        "",
        *_summary(results),
        "",
        *BLIND,
        "",
        "| check | severity | what is wrong | caught | Keras' own parts | medicai |",
        "|---|---|---|---|---|---|",
    ]
    for one in registry.load().values():
        must = [answer for backend in BACKENDS for answer in broken[backend] if answer["must"] == one.id]
        caught = sum(one.id in answer["found"] for answer in must)
        text = f"{caught} of {len(must)}" if must else "-"
        columns = [_named(results[group], one.id) for group in ("keras", "medicai")]
        lines.append(f"| {one.id} {one.name} | {one.severity} | {one.title} | {text} | {' | '.join(columns)} |")
    return "\n".join([*lines, "", *MUTANTS]) + "\n"


def _summary(results):
    yield "| | components | " + " | ".join(BACKENDS) + " |"
    yield "|---|---|---|---|---|"
    for group, text in (("broken", "broken, caught by the check named for it"), ("clean", "right, with an error reported")):
        share = []
        for backend in BACKENDS:
            zoo = results[group][backend]
            hit = [
                one for one in zoo if (one["must"] in one["found"] if group == "broken" else "error" in one["found"].values())
            ]
            share.append(f"{len(hit)} of {len(zoo)}")
        names = {one["component"] for backend in BACKENDS for one in results[group][backend]}
        yield f"| {text} | {len(names)} | {' | '.join(share)} |"
    for group, text in (("kerasmith", "kerasmith's own"), ("keras", "Keras' own"), ("medicai", "medicai's")):
        share = [
            f"{sum('error' in one['found'].values() for one in results[group][backend])} of {len(results[group][backend])}"
            for backend in BACKENDS
        ]
        names = {one["component"] for backend in BACKENDS for one in results[group][backend]}
        yield f"| {text} parts with an error reported | {len(names)} | {' | '.join(share)} |"


def _named(zoo, id):
    """The parts in which a check found something; the backends only where not all show it."""
    found = collections.defaultdict(dict)
    for backend in BACKENDS:
        for answer in zoo[backend]:
            if id in answer["found"]:
                found[answer["component"]][backend] = None
    names = [name if len(where) == len(BACKENDS) else f"{name} ({', '.join(where)})" for name, where in sorted(found.items())]
    return ", ".join(names)


if __name__ == "__main__":
    results = measured()
    target = ROOT / "docs" / "checks.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(page(results))
    print(target)
