"""The pytest plugin: scenario files are tests, and tests in Python get a topology to publish to.

Collected are `*.scenario.yaml`, and every .yaml and .yml file under the folders of the ini option `routesim_paths`. Nothing of
routesim is imported before the first of them is found.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from routesim.testing.broker_fixtures import _routesim_servers, declare_marker, routesim_broker, told_of_failure

if TYPE_CHECKING:
    from routesim.run import Result
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
    """A scenario file is a test."""
    if file_path.suffix not in ENDINGS:
        return None
    if file_path.stem.endswith(".scenario") or _configured(file_path, parent.config.getini("routesim_paths")):
        file: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
        return file
    return None


def _configured(path: Path, folders: list[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)


class ScenarioFile(pytest.File):
    """One test: the scenario runs and all that it expects holds."""

    def collect(self) -> Iterator[pytest.Item]:
        yield ScenarioItem.from_parent(self, name="scenario")


class Failed(Exception):
    """The text is the report; there is no traceback to show."""


class ScenarioItem(pytest.Item):
    def runtest(self) -> None:
        from routesim.diagnostics import Invalid
        from routesim.run import Runner
        from routesim.scenario import load

        shown = self._shown()
        try:
            scenario = load(shown)
        except Invalid as invalid:
            raise Failed(_told(invalid.diagnostics)) from None
        for warning in scenario.warnings:
            self.add_report_section("call", "routesim", _told([warning]))
        result = Runner(scenario, keep=False).run()
        if not result.ok:
            raise Failed(_report(result))

    def _shown(self) -> str:
        """The path as a person would write it."""
        try:
            return str(self.path.relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What failed, as the command line says it."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"scenario {self._shown()}"


def _report(result: "Result") -> str:
    from routesim.report.formats.plain import section_lines
    from routesim.report.summary.summary import failed, verdict

    return "\n".join([*section_lines(failed(result), colour=False), verdict(result).text])


def _told(problems: list[Any]) -> str:
    from io import StringIO

    from routesim.report.formats import diagnostics

    out = StringIO()
    diagnostics.write(out, problems, colour=False)
    return out.getvalue().strip("\n")


@pytest.fixture
def routesim_topology(request: pytest.FixtureRequest) -> "Callable[[Any], Topology]":
    """Load what a scenario or definitions file declares; a relative path is looked for beside the test, then in the root."""
    from routesim.scenario import Scenario
    from routesim.testing.api import Topology

    def loaded(given: Any) -> Topology:
        return Topology(given if isinstance(given, Scenario) else _found(given, request))

    return loaded


@pytest.fixture
def routesim_run(request: pytest.FixtureRequest) -> "Callable[..., Any]":
    """Run a scenario, or the one in a file, and have its `Outcome`; paths as in `routesim_topology`."""
    from routesim.scenario import Scenario
    from routesim.testing.api import simulate

    def ran(given: Any, *, seed: int | None = None) -> Any:
        return simulate(given if isinstance(given, Scenario) else _found(given, request), seed=seed)

    return ran


def _found(path: str | Path, request: pytest.FixtureRequest) -> Path:
    beside = request.path.parent / path
    return beside if beside.exists() else request.config.rootpath / path
