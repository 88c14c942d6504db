"""What each part of the gate cost, beside what it may cost."""

import dataclasses
import pathlib
import re
import statistics
import time
import tomllib

# A part may take this much more than its budget before the gate fails.
TOLERANCE = 1.2
KEPT = 20


@dataclasses.dataclass(frozen=True)
class Time:
    """What came of one part: exit status, processor seconds with its children, seconds on the clock, and what it printed."""

    name: str
    status: int
    cpu: float
    wall: float
    text: str

    @property
    def counts(self):
        """{"passed": 12, ...} as pytest counted them."""
        last = re.findall(r"^=*\s*(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s", self.text, re.MULTILINE)
        return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last[-1])} if last else {}


@dataclasses.dataclass(frozen=True)
class Budget:
    """Minutes by the name of a part, and the minutes on the clock for everything.

    The clock only warns: it also counts what else the machine does.
    """

    minutes: dict
    clock: float

    @classmethod
    def read(cls, path):
        """The budget of a TOML file."""
        table = tomllib.loads(pathlib.Path(path).read_text())
        return cls(table["minutes"], table["clock"])

    def minutes_of(self, name):
        """The processor minutes of a part; none are known of a part that is outside of the gate."""
        return self.minutes.get(name, 0.0)

    def problems(self, done):
        """A line for each part that took more than a fifth over its budget.

        On a slower machine than that of the budget all parts take longer: the median of their ratios is taken out.
        """
        ratios = [one.cpu / 60 / self.minutes[one.name] for one in done if one.name in self.minutes]
        slower = max(1.0, statistics.median(ratios)) if len(ratios) > 2 else 1.0
        found = []
        for one in done:
            if one.name not in self.minutes:
                found.append(f"{one.name} has no budget: write `{one.name} = {one.cpu / 60:.1f}` into tests/budget.toml")
            elif one.cpu > 60 * TOLERANCE * slower * self.minutes[one.name]:
                found.append(
                    f"{one.name} took {one.cpu / 60:.1f} minutes of processor time, its budget is {self.minutes[one.name]}. "
                    "Make its slowest tests faster (the list of durations is above), or mark them heavy with a reason."
                )
        return found


def report(done, wall, budget, folder):
    """Prints the table, then the sum in pytest's words; returns the exit status. Keeps the table in `folder`."""
    lines = [f"{'part':18} {'CPU min':>8} {'budget':>8} {'clock':>8}  tests"]
    for one in done:
        allowed = f"{budget.minutes[one.name]:8.1f}" if budget and one.name in budget.minutes else f"{'':8}"
        counts = ", ".join(f"{number} {word}" for word, number in one.counts.items())
        lines.append(
            f"{one.name:18} {one.cpu / 60:8.1f} {allowed} {one.wall / 60:8.1f}  {counts or ('FAILED' if one.status else '')}"
        )
    problems = [f"{one.name} failed with status {one.status}" for one in done if one.status]
    problems += budget.problems(done) if budget else []
    total = {}
    for one in done:
        for word, number in one.counts.items():
            total[word] = total.get(word, 0) + number
    total = {"failed": total.pop("failed", 0), "passed": total.pop("passed", 0), **total}
    said = ", ".join(f"{number} {word}" for word, number in total.items() if number or word == "passed")
    if budget and wall > 60 * budget.clock:
        lines += ["", f"WARNING all took {wall / 60:.1f} minutes on the clock; {budget.clock:.0f} are the aim"]
    lines += ["", *(f"ERROR {line}" for line in problems), f"{said} in {wall:.0f}s"]
    text = "\n".join(lines)
    (folder / "table.txt").write_text(text + "\n")
    print("\n" + text, flush=True)
    return 1 if problems else 0


def new_folder(root, commit):
    """A folder for the timings of this run; only the last ones are kept."""
    parent = root / ".timings"
    folder = parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{commit[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(one for one in parent.iterdir() if one.is_dir())[:-KEPT]:
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    return folder
