"""What `routesim celery monitor` does once its command line is understood."""

from typing import TYPE_CHECKING

from routesim.cli.shared.exits import NO_VERDICT, OK, FilesRefused, UsageError
from routesim.cli.shared.options import choice, unit_checked
from routesim.cli.shared.output import format_for, opened, stderr_line, style_of
from routesim.cli.shared.refusing import refuse, scenario_of
from routesim.diagnostics import did_you_mean
from routesim.report.formats import MONITOR, formats_of, writer_of
from routesim.scenario import Scenario

if TYPE_CHECKING:
    from routesim.run.folds.event_subscriber import EventSubscriber


def monitor_file(path: str, at: str | None, every: str | None, listener: str | None, format: str | None) -> int:
    """The exit status: 0, or 3 where the run did not come to rest."""
    from routesim.report.answers.monitor import MonitorView
    from routesim.run.tasks.monitored import watch

    choice("--format", format, formats_of(MONITOR))
    at_ms = duration_of("--at", at)
    every_ms = duration_of("--every", every)
    if every_ms == 0:
        raise UsageError("--every takes a duration above 0, such as 1s")
    try:
        scenario = scenario_of(path, None, redis=True)
    except FilesRefused as problem:
        return refuse(problem, format)
    heard = _listener(scenario, listener)
    seen = watch(scenario, at_ms, listener=heard.hear if heard is not None else None)
    if heard is not None:
        heard.finish(seen.at_ms)
    with opened(None) as out:
        chosen = format_for(format, out)
        writer_of(chosen, MONITOR)(out, MonitorView(seen, every_ms, heard), style_of(out, chosen))
    if seen.result.kept_going:
        stderr_line(
            f"routesim: {seen.result.ended}: {seen.result.kept_going}; what is shown is the moment at which the run was stopped"
        )
        return NO_VERDICT
    return OK


def _listener(scenario: Scenario, name: str | None) -> "EventSubscriber | None":
    if name is None:
        return None
    if name not in scenario.consumers:
        hint = did_you_mean(name, scenario.consumers)
        raise UsageError(f"--as takes a consumer of the scenario, and '{name}' is none" + (f"; {hint}" if hint else ""))
    from routesim.run.folds.event_subscriber import EventSubscriber

    return EventSubscriber(scenario, name)


def duration_of(option: str, text: str | None) -> int | None:
    """In ms. Raises `UsageError`."""
    if text is None:
        return None
    ms = unit_checked(option, text)
    if ms is None:
        raise UsageError(f"{option} takes a duration of virtual time such as 5s or 250ms, not '{text}'")
    return ms
