"""The pytest plugin: `pytest --kerasmith=pkg.losses` puts the checks to a module without a test file. Imports no Keras."""

import pathlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kerasmith", "kerasmith: checks of losses, metrics, callbacks and layers")
    group.addoption(
        "--kerasmith",
        action="append",
        default=[],
        metavar="TARGET",
        help="check the components of a module, besides what else is collected: pkg.losses, path.py, or one of them as "
        "pkg.losses:Name; may be repeated; `-m kerasmith` runs nothing else",
    )
    group.addoption(
        "--kerasmith-select",
        action="append",
        default=[],
        metavar="IDS",
        help="only these checks: ids or how they begin, with commas between them",
    )
    group.addoption("--kerasmith-ignore", action="append", default=[], metavar="IDS", help="all but these checks")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kerasmith: a check, collected by --kerasmith")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Adds the targets to what the session collects."""
    report = yield
    targets = collector.config.getoption("kerasmith") if isinstance(collector, pytest.Session) else ()
    if targets and report.passed:
        nodes = [Target.of(collector, target) for target in dict.fromkeys(targets)]
        report.result = [*report.result, *nodes]
    return report


class Target(pytest.Collector):
    """A module, or one component of it."""

    @classmethod
    def of(cls, session: pytest.Session, target: str) -> "Target":
        """The collector of one value of `--kerasmith`."""
        node = cls.from_parent(session, name=target, nodeid=target, path=_file_of(target) or session.path)
        node.add_marker("kerasmith")
        return node

    def collect(self) -> Iterator[pytest.Item]:
        from kerasmith.checks.engine import registry
        from kerasmith.checks.engine.finding import CannotCheck
        from kerasmith.testing.component_tests import planned_tests

        select, ignore = self._ids("kerasmith_select"), self._ids("kerasmith_ignore")
        try:
            registry.planned("loss", select, ignore)
            subjects = _subjects(self.name)
        except CannotCheck as problem:
            raise self.CollectError(str(problem)) from None
        for id, function in planned_tests(subjects, {"select": select, "ignore": ignore}):
            yield CheckItem.from_parent(self, name=id, check=function)

    def _ids(self, option: str) -> list[str] | None:
        given = ",".join(self.config.getoption(option))
        return [id.strip() for id in given.split(",") if id.strip()] or None


class CheckItem(pytest.Item):
    """One check of one component."""

    def __init__(self, *, check: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def runtest(self) -> None:
        self.check()

    def reportinfo(self) -> tuple[pathlib.Path, None, str]:
        return self.path, None, self.name


def _subjects(target: str) -> list[tuple[str, Callable[[], Any], dict[str, Any]]]:
    """[(name, function that gives the `Subject`, {})] of a target; a whole file is one of its own, its source."""
    from kerasmith.checks.engine import target as targets
    from kerasmith.checks.engine.subject import subject_of

    place, name = targets.split(target)
    found = targets.components(target)
    file = targets.source_file(place) if name is None else None
    subjects, own = [], {}
    if file is not None:
        from kerasmith.checks.engine.subject import source_subject

        subjects.append(("source", lambda: source_subject(file), own))
        own = {"without": "S"}  # The file as a whole is asked already.
    return subjects + [(label, lambda part=part, label=label: subject_of(part, name=label), own) for label, part in found]


def _file_of(target: str) -> pathlib.Path | None:
    """The file that a target names; None if it is the name of a module."""
    place = target.partition(".py:")[0] + ".py" if ".py:" in target else target
    file = pathlib.Path(place)
    return file.resolve() if file.suffix == ".py" and file.is_file() else None
