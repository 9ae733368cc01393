"""The pytest plugin: what scenario files expect are tests, and tests in Python get a topology to publish to.

Collected are `*.scenario.yaml` and `*.scenario.yml`, every .yaml and .yml file that the command line names, and those under the
folders of the ini option `routesim_paths`. Nothing of routesim is imported before the first of them is found.
"""

import sys
from collections.abc import Callable, Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from routesim.testing.broker_fixtures import _routesim_servers, declare_marker, routesim_broker, told_of_failure

if TYPE_CHECKING:
    from routesim.diagnostics import Diagnostic, Invalid
    from routesim.run import Result
    from routesim.scenario import Scenario
    from routesim.testing.api import Topology

__all__ = ["_routesim_servers", "routesim_broker"]  # fixtures
ENDINGS = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini("routesim_paths", "Folders or files of routesim scenarios, beside *.scenario.yaml.", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of `routesim_broker`."""
    declare_marker(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows what its broker saw."""
    report = yield
    told_of_failure(item, report)
    return report


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """A scenario file has tests."""
    if file_path.suffix not in ENDINGS:
        return None
    named = file_path.stem.endswith(".scenario") or parent.session.isinitpath(file_path)
    if named or _configured(file_path, parent.config.getini("routesim_paths")):
        file: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
        return file
    return None


def _configured(path: Path, folders: list[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)


class ScenarioFile(pytest.File):
    """A test for each thing that the scenario expects, and one for the run as a whole: steps and ending. It runs once."""

    def collect(self) -> Iterator[pytest.Item]:
        from routesim.diagnostics import Invalid

        try:
            asked = _asked(self.scenario)
        except Invalid:
            asked = []  # the test of the whole says why
        for name, about in asked:
            yield ExpectationItem.from_parent(self, name=name, about=about)
        yield ScenarioItem.from_parent(self, name="scenario")
        if self.explores:
            yield ExplorationItem.from_parent(self, name="explore")

    @property
    def explores(self) -> bool:
        """Whether the scenario asks for every course of events."""
        from routesim.diagnostics import Invalid

        try:
            return self.scenario.explore is not None
        except Invalid:
            return False  # the test of the whole says why

    @cached_property
    def scenario(self) -> "Scenario":
        """Raises `Invalid`."""
        from routesim.scenario import load

        return load(self.shown)

    @cached_property
    def result(self) -> "Result":
        from routesim.run import Runner

        return Runner(self.scenario, keep=False).run()

    @cached_property
    def problems(self) -> "list[Diagnostic]":
        """What made the run fail."""
        from routesim.explain.failing.failures import failures

        return failures(self.result)

    @property
    def shown(self) -> str:
        """The path as a person would write it."""
        try:
            return str(self.path.relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)


def _asked(scenario: "Scenario") -> list[tuple[str, Any]]:
    """What a scenario expects, each with a name of its own: what is asked, and the line."""
    from routesim.run.expecting.promises import described, said
    from routesim.scenario import Expect
    from routesim.text import visible

    inside = [item for step in scenario.steps if isinstance(step.action, Expect) for item in step.action.expectations]
    found: list[tuple[str, Any]] = [(".".join(item.path), item) for item in (*inside, *scenario.expect)]
    found += [(f"route {described(row)}", row) for row in scenario.routes]
    found += [(said(rule), rule) for rule in scenario.never]
    names: dict[str, Any] = {}
    for name, about in found:
        line = f"{visible(name)} (line {about.line})"
        number = sum(known == line or known.startswith(f"{line} #") for known in names)
        names[f"{line} #{number + 1}" if number else line] = about
    return list(names.items())


class Failed(Exception):
    """The text is the report, its first line the reason; there is no traceback to show."""


class _Item(pytest.Item):
    parent: ScenarioFile

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What failed, as the command line says it."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.name} of {self.parent.shown}"


class ExpectationItem(_Item):
    """One expectation, route or rule of never."""

    def __init__(self, *, about: Any, **given: Any) -> None:
        super().__init__(**given)
        self.about = about

    def runtest(self) -> None:
        checked = next((item for item in self.parent.result.expectations if item.about is self.about), None)
        if checked is None:
            raise Failed("not checked: the run ended before")
        if not checked.ok:
            from routesim.explain.failing.failures import section_of

            wanted = (section_of(checked), checked.line, checked.text)
            problems = [
                item for item in self.parent.problems if (item.code, item.place.line if item.place else 0, item.message) == wanted
            ]
            raise Failed(_report(problems, named=True))


class ScenarioItem(_Item):
    """The run as a whole; where nothing else of its file is run, all that it expects too."""

    def runtest(self) -> None:
        from routesim.diagnostics import Invalid

        try:
            scenario = self.parent.scenario
        except Invalid as invalid:
            raise Failed(f"{invalid.diagnostics[0].message}\n{_told(invalid.diagnostics)}") from None
        for warning in scenario.warnings:
            self.add_report_section("call", "routesim", _told([warning]))
        if self.parent.result.ok:
            return
        alone = not any(isinstance(item, ExpectationItem) and item.parent is self.parent for item in self.session.items)
        problems = [item for item in self.parent.problems if alone or item.code in ("step", "end")]
        if problems:
            from routesim.report.summary.summary import verdict

            raise Failed(f"{_report(problems, named=False)}\n{verdict(self.parent.result).text}")


class ExplorationItem(_Item):
    """Every course of events, as the section `explore` asks for it."""

    def runtest(self) -> None:
        from routesim.explore import NotExplored, bounds_of, explored
        from routesim.report.results import FAILING
        from routesim.report.results.explored import suite_of, sum_of

        try:
            found = explored(self.parent.scenario, bounds_of(self.parent.scenario), cures=False)
        except NotExplored as problem:
            raise Failed(str(problem)) from None
        problems = [case.problem for case in suite_of(found).cases if case.outcome in FAILING and case.problem is not None]
        if problems:
            raise Failed(f"{_report(problems, named=False)}\n{sum_of(found)}")
        if not found.explored.complete:
            raise Failed(sum_of(found))


def _report(problems: "list[Diagnostic]", *, named: bool) -> str:
    """In the first line the reason for the first of them, which pytest repeats in its summary. `named`: the name of the test says
    what was expected."""
    from routesim.report.formats.diagnostics import failure_lines
    from routesim.text import visible

    first = problems[0]
    reason = f"found {first.found}" + (f", because {first.why}" if first.why else "")
    return "\n".join(
        [visible(reason if named else f"{first.message}: {reason}"), *("\n".join(failure_lines(item)) for item in problems)]
    )


def _told(problems: list[Any]) -> str:
    from io import StringIO

    from routesim.report.formats import diagnostics

    out = StringIO()
    diagnostics.write(out, problems, colour=False)
    return out.getvalue().strip("\n")


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Of the queues that a message reached: why it reached none, and those that are too many or too few."""
    api = sys.modules.get("routesim.testing.api")
    if op != "==" or api is None:
        return None
    for side, other in ((left, right), (right, left)):
        if isinstance(side, api.ReachedQueues) and isinstance(other, (set, frozenset)):
            reached, wanted = sorted(side), sorted(map(str, other))
            lines = [f"reached {', '.join(reached) or 'no queue'}, expected {', '.join(wanted) or 'no queue'}"]
            missing = [(queue, side.why_not(queue)) for queue in wanted if queue not in side]
            lines += [f"not {queue}: {why}" for queue, why in missing if why]
            return [*lines, *([side.why] if side.why else [])]
    return None


@pytest.fixture
def routesim_topology(request: pytest.FixtureRequest) -> "Callable[[Any], Topology]":
    """Load what a scenario or definitions file declares; a relative path is looked for beside the test, then in the root."""
    from routesim.diagnostics import Invalid
    from routesim.scenario import Scenario
    from routesim.testing.api import Topology

    def loaded(given: Any) -> Topology:
        __tracebackhide__ = True
        try:
            return Topology(given if isinstance(given, Scenario) else _found(given, request))
        except Invalid as invalid:
            raise _as_told(invalid) from None

    return loaded


@pytest.fixture
def routesim_run(request: pytest.FixtureRequest) -> "Callable[..., Any]":
    """Run a scenario, or the one in a file, and have its `Outcome`; paths as in `routesim_topology`."""
    from routesim.diagnostics import Invalid
    from routesim.scenario import Scenario
    from routesim.testing.api import simulate

    def ran(given: Any, *, seed: int | None = None) -> Any:
        __tracebackhide__ = True
        try:
            return simulate(given if isinstance(given, Scenario) else _found(given, request), seed=seed)
        except Invalid as invalid:
            raise _as_told(invalid) from None

    return ran


def _as_told(invalid: "Invalid") -> "Invalid":
    """With what the command line says of the file as a note, and without the way through routesim."""
    invalid.add_note(_told(invalid.diagnostics))
    return invalid.with_traceback(None)


def _found(path: str | Path, request: pytest.FixtureRequest) -> Path:
    beside = request.path.parent / path
    return beside if beside.exists() else request.config.rootpath / path
