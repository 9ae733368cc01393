"""What worker processes were at over time, and what became of each task: a monitor's view, on the page."""

from routesim.report.answers.monitor import pools_section, worker_sections
from routesim.report.answers.monitored_tasks import tasks_section
from routesim.report.html.markup import Markup, element, joined
from routesim.report.html.plots import Series, plot, time_axis
from routesim.report.html.story import Story
from routesim.report.html.tables import table
from routesim.report.html.timeline import timeline
from routesim.run.folds.monitoring import Load, Monitor
from routesim.run.tasks.fates import fates_of
from routesim.run.tasks.monitored import pending
from routesim.text import visible

TITLES = ("Active: runs in child processes", "Reserved: received, waiting for a child", "Held: received, waiting for their ETA")


def workers_and_tasks(story: Story) -> Markup | None:
    """None where the scenario has no worker processes."""
    monitor, result = story.monitor, story.result
    if monitor is None:
        return None
    parts = []
    if result.clock_ms:
        lanes = timeline(monitor.runs, time_axis(result.clock_ms))
        parts += [*([lanes] if lanes is not None else []), element("div", *_plots(monitor, result.clock_ms), class_="plots")]
    for section in (*worker_sections(monitor, None), pools_section(monitor)):
        parts += [element("h4", section.title), table(section)]
    waiting = [] if result.real is not None else pending(result, monitor)
    tasks = tasks_section(monitor, waiting, result.clock_ms, fates_of(result))
    if tasks.rows:
        parts += [element("h4", tasks.title), table(tasks)]
    return joined(parts)


def _plots(monitor: Monitor, end_ms: int) -> list[Markup]:
    """One for each of the three numbers, with a line for each worker; those that are always 0 are left out."""
    found = []
    for place, title in enumerate(TITLES, start=1):
        series = [Series(visible(name), _points(worker.loads, place)) for name, worker in monitor.workers.items()]
        if any(item.peak() for item in series):
            found.append(plot(title, "tasks", series, time_axis(end_ms)))
    return found


def _points(loads: list[Load], place: int) -> list[tuple[int, int]]:
    return [(0, 0), *((load[0], load[place]) for load in loads)]
