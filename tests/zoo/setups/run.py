"""Asks the checks about the set-ups: `python -m tests.zoo.setups.run [--backend torch] [--theme labels] [names]`.

Prints a line for each: its name, what is expected, what was found, and seconds; then shares by theme. `--repaired` asks what
was repaired; `--epoch` measures an epoch of `fit` beside it.
"""

import argparse
import dataclasses
import json
import os
import time

NAMED, OTHER, MISSED, RIGHT, ALARM = "named", "named otherwise", "missed", "right", "FALSE ERROR"
PARTS = ("structural", "dynamic")


@dataclasses.dataclass
class Answer:
    """What the checks say of one set-up.

    `found` is {id: severity}, `texts` {id: what was measured}, `open` {id: why} of what stayed undecided; `seconds` is what
    each part took, and `epoch` one epoch of `fit`, where it was measured.
    """

    backend: str
    name: str
    theme: str | None
    expect: str | None
    found: dict
    texts: dict
    open: dict
    seconds: dict
    verdict: str = ""
    epoch: float | None = None

    @property
    def line(self):
        """A line of the table."""
        found = " ".join(f"{check}:{severity}" for check, severity in self.found.items())
        seconds = ", ".join(f"{part} {value:.1f} s" for part, value in self.seconds.items())
        ratio = "" if self.epoch is None else f" | an epoch {self.epoch:.2f} s"
        return f"{self.name} | {self.expect or '-'} | {found or '-'} | {self.verdict} | {seconds}{ratio}"


def checks_of(part):
    """The ids of a part: "structural" are the questions 1 to 6, "dynamic" 7 and 8."""
    from kerasmith.checks.engine import registry

    ids = [check for check in registry.load() if check.startswith("T")]
    return [check for check in ids if (int(check[1:]) >= 175) == (part == "dynamic")]


def verdict_of(name, expect, found):
    """Whether the fault is named by its theme, by another, or not; without a fault, whether an error is reported."""
    from tests.zoo.setups.setup import named, themes_of

    if expect is None:
        return ALARM if "error" in found.values() else RIGHT
    if not named(name, found):
        return OTHER if any(themes_of(check) for check in found) else MISSED
    return NAMED


def asked(name, *, repaired=False, select=None, parts=PARTS, budget=120.0, epoch=False):
    """The `Answer` of the set-up of this name; `select` are ids of checks instead of all of the parts."""
    import keras

    import kerasmith
    from tests.zoo.setups.setup import load

    keras.utils.set_random_seed(0)
    build = load()[name]
    setup = build()
    if repaired:
        setup = setup.repaired()
    answer = Answer(keras.config.backend(), name, build.theme, setup.expect, {}, {}, {}, {})
    for part in parts:
        chosen = [check for check in checks_of(part) if select is None or check in select]
        if not chosen:
            continue
        start = time.monotonic()
        report = kerasmith.check(setup.model, **setup.fit, select=chosen, budget=budget)
        answer.seconds[part] = time.monotonic() - start
        for finding in report.findings:
            answer.found[finding.id] = finding.severity
            answer.texts[finding.id] = f"{finding.title}. {finding.actual}"
        for records in report.records.values():
            for record in records:
                if record.outcome in ("inconclusive", "timeout", "blocked"):
                    answer.open[record.id] = f"{record.outcome}: {record.why}"
    answer.verdict = verdict_of(name, setup.expect, answer.found)
    if epoch:
        answer.epoch = seconds_of_an_epoch(build, repaired)
    return answer


def seconds_of_an_epoch(build, repaired=False):
    """What the second epoch of `fit` takes, or the first where the set-up does not get so far."""
    import keras

    ends = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            ends.append(time.monotonic())

        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.monotonic())

    setup = build().repaired() if repaired else build()
    arguments = setup.fit | {"epochs": 2, "verbose": 0, "callbacks": [Clock()]}
    try:
        setup.model.fit(**arguments)
    except Exception:
        return None
    return ends[-1] - ends[-2]


def summary(answers):
    """Lines of shares: of each theme those that were named, and of those without a fault those with an error."""
    themes = dict.fromkeys(answer.theme for answer in answers)
    for theme in themes:
        of_theme = [answer for answer in answers if answer.theme == theme]
        counts = {
            verdict: sum(answer.verdict == verdict for answer in of_theme) for verdict in (NAMED, OTHER, MISSED, RIGHT, ALARM)
        }
        yield f"{theme or 'healthy'}: {len(of_theme)} | " + ", ".join(
            f"{name} {count}" for name, count in counts.items() if count
        )
    for part in PARTS:
        seconds = sorted(answer.seconds[part] for answer in answers if part in answer.seconds)
        if seconds:
            yield f"{part}: median {seconds[len(seconds) // 2]:.1f} s, longest {seconds[-1]:.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="set-ups; all, if left out")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default=None)
    parser.add_argument("--theme", help="a theme, or `healthy`")
    parser.add_argument("--select", nargs="*", help="ids of checks")
    parser.add_argument("--part", choices=PARTS, action="append", help="both, if left out")
    parser.add_argument("--repaired", action="store_true")
    parser.add_argument("--epoch", action="store_true", help="measure an epoch of `fit` too")
    parser.add_argument("--verbose", action="store_true", help="what was measured, and what stayed open")
    parser.add_argument("--json", help="file to which a line is added for each")
    options = parser.parse_args()
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tests.zoo.setups.setup import load

    chosen = [
        name
        for name, build in load().items()
        if (not options.names or name in options.names)
        and options.theme in (None, build.theme or "healthy")
        and not (options.repaired and build.theme is None)
    ]
    answers = []
    for name in chosen:
        try:
            parts = options.part or PARTS
            answer = asked(name, repaired=options.repaired, select=options.select, parts=parts, epoch=options.epoch)
        except Exception as error:
            print(f"{name} | cannot be asked | {type(error).__name__}: {str(error)[:300]}", flush=True)
            continue
        answers.append(answer)
        print(answer.line, flush=True)
        if options.verbose:
            for check, text in {**answer.texts, **answer.open}.items():
                print(f"    {check} {text[:400]}", flush=True)
        if options.json:
            with open(options.json, "a") as file:
                file.write(json.dumps(dataclasses.asdict(answer)) + "\n")
    print(*summary(answers), sep="\n")


if __name__ == "__main__":
    main()
