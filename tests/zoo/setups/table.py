"""Writes the measured part of docs/check_setup.md: `python -m tests.zoo.setups.table torch.jsonl jax.jsonl ...`.

The files are what `python -m tests.zoo.setups.run --epoch --json FILE` wrote, on any number of backends; what several tell of
one set-up is put together.
"""

import json
import sys

from tests.zoo.answers import ROOT
from tests.zoo.setups.run import ALARM, NAMED, OTHER, PARTS, verdict_of
from tests.zoo.setups.setup import SETUPS, load

PAGE = ROOT / "docs" / "check_setup.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BACKENDS = ("torch", "tensorflow", "jax")
# How many were named when the checks were first asked, on PyTorch: of the first set-ups, and of the modules `*_second`.
BLIND = {
    "output_and_loss": ("14 of 14", "7 of 7"),
    "labels": ("14 of 16", "6 of 6"),
    "outputs": ("7 of 7", "1 of 1"),
    "metrics": ("11 of 11", "2 of 3"),
    "weights": ("7 of 9", "1 of 1"),
    "data": ("12 of 14", "5 of 5"),
    "gradients": ("10 of 11", "4 of 4"),
    "learning": ("9 of 12", "3 of 6"),
}
BLIND_ALL, BLIND_ERRORS = ("84 of 94", "29 of 33"), ("1 of 79", "0 of 21")


def read(files):
    """{backend: {name: answer}}."""
    found = {}
    for file in files:
        with open(file) as lines:
            for line in lines:
                answer = json.loads(line)
                named = found.setdefault(answer["backend"], {})
                before = named.get(answer["name"], {"found": {}, "seconds": {}, "epoch": None})
                for key in ("found", "seconds"):
                    answer[key] = before[key] | answer[key]
                answer["epoch"] = answer["epoch"] or before["epoch"]
                named[answer["name"]] = answer
    for named in found.values():
        for answer in named.values():
            answer["verdict"] = verdict_of(answer["name"], answer["expect"], answer["found"])
    return {backend: found[backend] for backend in BACKENDS if backend in found}


def median(values):
    """The middle of some numbers, None of none."""
    values = sorted(values)
    return values[len(values) // 2] if values else None


def shares(answers):
    """Lines of a table: of each theme how many faults are named, and of healthy set-ups how many have an error."""
    backends = list(answers)
    yield f"| question | faulty | first, blind | second, blind | {' | '.join(f'now, {backend}' for backend in backends)} |"
    yield "|---|---|---|---|" + "---|" * len(backends)
    every = [name for name, build in SETUPS.items() if build.theme]
    for theme, blind in BLIND.items():
        yield _row(theme.replace("_", " "), answers, [name for name in every if SETUPS[name].theme == theme], NAMED, blind)
    yield _row("all, named", answers, every, NAMED, BLIND_ALL)
    yield _row("named as another question's", answers, every, OTHER, ("", ""))
    healthy = [name for name, build in SETUPS.items() if not build.theme]
    yield _row("healthy, with an error", answers, healthy, ALARM, BLIND_ERRORS)


def _row(title, answers, names, verdict, blind):
    columns = [_share(answers[backend], names, verdict) for backend in answers]
    return f"| {title} | {len(names)} | {' | '.join(blind)} | {' | '.join(columns)} |"


def _share(answers, names, verdict):
    asked = [answers[name] for name in names if name in answers]
    return f"{sum(answer['verdict'] == verdict for answer in asked)} of {len(asked)}" if asked else "-"


def times(answers):
    """Lines of a table: what asking takes."""
    yield "| backend | set-ups | structural: median, longest | dynamic: median, longest | both, in epochs, median |"
    yield "|---|---|---|---|---|"
    for backend, named in answers.items():
        columns = []
        for part in PARTS:
            seconds = [answer["seconds"][part] for answer in named.values() if part in answer["seconds"]]
            columns.append(f"{median(seconds):.1f} s, {max(seconds):.1f} s" if seconds else "-")
        ratios = [sum(answer["seconds"].values()) / answer["epoch"] for answer in named.values() if answer["epoch"]]
        columns.append(f"{median(ratios):.1f} times" if ratios else "-")
        yield f"| {backend} | {len(named)} | {' | '.join(columns)} |"


def rows(answers):
    """Lines of a table: every set-up, on the first backend."""
    backend, named = next(iter(answers.items()))
    yield f"| set-up | question | found on {backend} | structural | dynamic | one epoch | ratio |"
    yield "|---|---|---|---|---|---|---|"
    for name, build in SETUPS.items():
        if name not in named:
            continue
        answer = named[name]
        found = ", ".join(
            check if severity == "error" else f"{check} ({severity})" for check, severity in answer["found"].items()
        )
        seconds = [f"{answer['seconds'][part]:.1f} s" if part in answer["seconds"] else "-" for part in PARTS]
        epoch, ratio = "-", "-"
        if answer["epoch"]:
            epoch, ratio = f"{answer['epoch']:.2f} s", f"{sum(answer['seconds'].values()) / answer['epoch']:.0f}"
        theme = (build.theme or "healthy").replace("_", " ")
        yield f"| {name.replace('_', ' ')} | {theme} | {found or '-'} | {' | '.join(seconds)} | {epoch} | {ratio} |"


def text(answers):
    """The measured part."""
    return "\n".join(
        [
            BEGIN,
            "## What was measured",
            "",
            "Written by `python -m tests.zoo.setups.table`. The set-ups are those of `tests/zoo/setups`, each faulty one",
            "after a thread or study that it names. *First* were written before the checks, *second* after them; *blind* is",
            "the first time that the checks were asked, on PyTorch, before one was changed for a set-up. Seconds are those of",
            "two cores with eight other jobs; a ratio of 1 is one epoch of the same set-up, which is small: some 200 samples.",
            "",
            *shares(answers),
            "",
            *times(answers),
            "",
            *rows(answers),
            END,
        ]
    )


def main():
    load()
    answers = read(sys.argv[1:])
    page = PAGE.read_text() if PAGE.exists() else f"# Checking a whole training set-up: what was measured\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(before.rstrip() + "\n\n" + text(answers) + (rest.partition(END)[2] or "\n"))
    print(PAGE)


if __name__ == "__main__":
    main()
