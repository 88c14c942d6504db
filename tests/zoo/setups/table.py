"""Writes the measured part of docs/check_setup.md: `python -m tests.zoo.setups.table torch.jsonl jax.jsonl ...`.

The files are what `python -m tests.zoo.setups.run --epoch --json FILE` wrote, on any number of backends; several may tell of
one set-up, and the last counts.
"""

import json
import sys

from tests.zoo.answers import ROOT
from tests.zoo.setups.run import ALARM, NAMED, OTHER, PARTS
from tests.zoo.setups.setup import SETUPS, THEMES, load

PAGE = ROOT / "docs" / "check_setup.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BACKENDS = ("torch", "tensorflow", "jax")
# What the checks said of the same set-ups, on PyTorch, when they were asked for the first time: {theme: how many were named}.
BLIND = {}
BLIND_ERRORS = None


def read(files):
    """{backend: {name: answer}}."""
    found = {}
    for file in files:
        with open(file) as lines:
            for line in lines:
                answer = json.loads(line)
                found.setdefault(answer["backend"], {})[answer["name"]] = answer
    return {backend: found[backend] for backend in BACKENDS if backend in found}


def median(values):
    """The middle of some numbers, None of none."""
    values = sorted(values)
    return values[len(values) // 2] if values else None


def shares(answers):
    """Lines of a table: of each theme how many faults are named, and of healthy set-ups how many have an error."""
    backends = list(answers)
    yield f"| question | faulty set-ups | named, blind | {' | '.join(f'named, {backend}' for backend in backends)} |"
    yield "|---|---|---|" + "---|" * len(backends)
    for theme in [theme for theme in THEMES if theme != "runs"]:
        names = [name for name, build in SETUPS.items() if build.theme == theme]
        columns = [_share(answers[backend], names, NAMED) for backend in backends]
        yield f"| {theme.replace('_', ' ')} | {len(names)} | {BLIND.get(theme, '-')} | {' | '.join(columns)} |"
    every = [name for name, build in SETUPS.items() if build.theme]
    columns = [_share(answers[backend], every, NAMED) for backend in backends]
    yield f"| all | {len(every)} | {sum(BLIND.values()) or '-'} | {' | '.join(columns)} |"
    columns = [_share(answers[backend], every, OTHER) for backend in backends]
    yield f"| found, but named as another question's | | | {' | '.join(columns)} |"
    healthy = [name for name, build in SETUPS.items() if not build.theme]
    columns = [_share(answers[backend], healthy, ALARM) for backend in backends]
    blind = "-" if BLIND_ERRORS is None else BLIND_ERRORS
    yield f"| healthy ones with an error | {len(healthy)} | {blind} | {' | '.join(columns)} |"


def _share(answers, names, verdict):
    asked = [answers[name] for name in names if name in answers]
    return f"{sum(answer['verdict'] == verdict for answer in asked)} of {len(asked)}" if asked else "-"


def times(answers):
    """Lines of a table: what asking takes."""
    yield "| backend | set-ups | structural part: median, longest | dynamic part: median, longest | of one epoch, median |"
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
    yield f"| set-up | question | found on {backend} | structural | dynamic | one epoch | source |"
    yield "|---|---|---|---|---|---|---|"
    for name, build in SETUPS.items():
        if name not in named:
            continue
        answer = named[name]
        found = ", ".join(
            check if severity == "error" else f"{check} ({severity})" for check, severity in answer["found"].items()
        )
        seconds = [f"{answer['seconds'][part]:.1f} s" if part in answer["seconds"] else "-" for part in PARTS]
        epoch = f"{answer['epoch']:.2f} s" if answer["epoch"] else "-"
        source = getattr(build, "source", "").replace("|", "/")
        theme = (build.theme or "healthy").replace("_", " ")
        yield f"| {name.replace('_', ' ')} | {theme} | {found or '-'} | {' | '.join(seconds)} | {epoch} | {source} |"


def text(answers):
    """The measured part."""
    return "\n".join(
        [
            BEGIN,
            "Written by `python -m tests.zoo.setups.table`. The set-ups are those of `tests/zoo/setups`: written before the",
            "checks, each faulty one after the thread or study in its row, and asked on two busy cores. *Blind* is the first",
            "time that the checks were asked, on PyTorch, before one was changed for a set-up. A ratio of 1 is the time of",
            "one epoch of the same set-up, which is small: some 200 samples.",
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
    PAGE.write_text(before + text(answers) + rest.partition(END)[2])
    print(PAGE)


if __name__ == "__main__":
    main()
