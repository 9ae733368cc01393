"""A monitor's view: a plot of queues and workers over virtual time, workers and tasks as tables, or all of it as JSON."""

from collections.abc import Iterable, Sequence
from typing import IO, Any

from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.report import plot
from routesim.report.answers.monitored_tasks import tasks_section
from routesim.report.formats.plain import section_lines
from routesim.report.plot import FIRST, FOURTH, SECOND, THIRD, Curve, Line, PlotField, Span, SpanRow
from routesim.report.style import OutputStyle
from routesim.report.summary.task_sections import undone_section
from routesim.run.folds.depths import Depth
from routesim.run.folds.event_subscriber import EventSubscriber, unknown
from routesim.run.folds.monitoring import NUMBERS, Monitor, WorkerView
from routesim.run.tasks.monitored import Monitored, Sample, samples
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import cut, encoding_of, fitted, visible, wrapped

PLAIN_COLUMNS = 80
MAX_QUEUES = 8
MAX_WORKERS = 8
MAX_CHILDREN = 8
MAX_ROWS = 40
LEAST_NAME = 20  # columns that a table of workers leaves for their names
NOW = ("active", "reserved", "held", "prefetch")
LABELS = {"held": "scheduled"}  # as Flower calls it
ALWAYS = ("active", "reserved", "prefetch", "processed", "succeeded", "failed")


class MonitorView(NamedTuple):
    """`every_ms`: with samples so far apart. `heard`: show what this listener learnt, and what not; queues are shown as they
    are, for their lengths come from the management API."""

    seen: Monitored
    every_ms: int | None = None
    heard: EventSubscriber | None = None


def write_plain(out: IO[str], view: MonitorView, style: OutputStyle) -> None:
    """The plot as wide as usual, tables however wide."""
    _write(out, view, PLAIN_COLUMNS, None, style.colour)


def write_table(out: IO[str], view: MonitorView, style: OutputStyle) -> None:
    """Plot and tables within the style's columns."""
    columns = style.columns or PLAIN_COLUMNS
    _write(out, view, columns, columns, style.colour)


def _write(out: IO[str], view: MonitorView, columns: int, width: int | None, colour: bool) -> None:
    """`width`: of tables; None: plain ones."""
    seen, heard = view.seen, view.heard
    whose = f" as {visible(heard.consumer)} saw it" if heard is not None else ""
    head = f"{visible(seen.result.scenario.name)}{whose} at {duration_text(seen.at_ms)} of virtual time"
    plot.write(out, [*((Cell(text, plot.TITLE),) for text in wrapped(head, columns)), ()], colour=colour)
    fields, left_out = depth_fields(seen.depths)
    workers, more = worker_fields(seen.monitor if heard is None else heard.seen)
    if heard is not None:  # events tell of runs, not of what waits in a worker
        workers = [field._replace(curves=field.curves[:1]) for field in workers]
    write_plot(out, [*fields, *workers], [*left_out, *more], seen.at_ms, columns=columns, colour=colour)
    parts = sections(seen, view.every_ms, width) if heard is None else heard_sections(heard, seen.monitor, seen.at_ms)
    _write_sections(out, parts, width, colour=colour)


def write_plot(
    out: IO[str], fields: Sequence[PlotField], left_out: Iterable[str], end_ms: int, *, columns: int, colour: bool
) -> None:
    """The plot with what is to be said about it."""
    signs = plot.signs_for(encoding_of(out))
    lines: list[Line] = []
    if any(point for field in fields for curve in field.curves for point in curve.points) or any(field.rows for field in fields):
        lines += plot.plot_lines(fields, end_ms, columns, signs)
        said = [*left_out, plot.explained(fields, end_ms, columns, signs)]
    else:
        said = [*left_out, "no message waited anywhere, and no worker did anything, at any moment"]
    lines += [(Cell(text, QUIET),) for sentence in said for text in wrapped(sentence, columns)]
    plot.write(out, lines, colour=colour)


# The plot ----------------------------------------------------------------------------------------------------------------


def depth_fields(depths: dict[str, list[Depth]]) -> tuple[list[PlotField], list[str]]:
    """A field for each queue in which anything ever stayed, the fullest ones, and sentences about the others."""
    used = {name: points for name, points in depths.items() if any(point.ready or point.unacked for point in points)}
    fullest = sorted(used, key=lambda name: -max(point.ready + point.unacked for point in used[name]))[:MAX_QUEUES]
    fields = [
        PlotField(
            f"queue {visible(name)}",
            (Curve("ready", [(at, ready) for at, ready, _ in points], FIRST),
             Curve("unacked", [(at, unacked) for at, _, unacked in points], SECOND)),
        )
        for name, points in used.items() if name in fullest
    ]  # fmt: skip
    said = []
    if len(used) > MAX_QUEUES:
        said.append(f"… {len(used) - MAX_QUEUES} more queues")
    empty = [name for name in depths if name not in used]
    if empty:
        shown = ", ".join(cut(visible(name), 40) for name in empty[:4])
        more = f" … {len(empty) - 4} more" if len(empty) > 4 else ""
        said.append(f"nothing ever stayed in {shown}{more}")
    return fields, said


def worker_fields(monitor: Monitor) -> tuple[list[PlotField], list[str]]:
    """A field for each worker: its load, and a row for each of its children."""
    runs: dict[tuple[str, int], list[Span]] = {}
    for run in monitor.runs:
        runs.setdefault((run.worker, run.child), []).append(Span(run.began_ms, run.ended_ms, run.task, run.ends))
    fields, said = [], []
    for name, worker in list(monitor.workers.items())[:MAX_WORKERS]:
        children = sorted(child for of, child in runs if of == name)
        rows = [SpanRow(f"child {child}", runs[name, child]) for child in children[:MAX_CHILDREN]]
        fields.append(PlotField(f"worker {visible(name)}", _loads(worker), rows))
        if len(children) > MAX_CHILDREN:
            said.append(f"… {len(children) - MAX_CHILDREN} more children of {cut(visible(name), 40)}")
    if len(monitor.workers) > MAX_WORKERS:
        said.append(f"… {len(monitor.workers) - MAX_WORKERS} more workers")
    return fields, said


def _loads(worker: WorkerView) -> tuple[Curve, ...]:
    loads = worker.loads
    return (
        Curve("active", [(load.at_ms, load.active) for load in loads], THIRD),
        Curve("reserved", [(load.at_ms, load.reserved) for load in loads], FIRST),
        Curve("held", [(load.at_ms, load.held) for load in loads], FOURTH),
    )


# Tables ------------------------------------------------------------------------------------------------------------------


def sections(seen: Monitored, every_ms: int | None, columns: int | None) -> list[Section]:
    """`columns`: for so wide a page; None: however wide."""
    parts = [_samples(seen, every_ms)] if every_ms is not None else []
    if seen.monitor.workers:
        parts += [*worker_sections(seen.monitor, columns), pools_section(seen.monitor)]
        parts += [tasks_section(seen.monitor, seen.pending, seen.at_ms, seen.fates), undone_section(seen.fates, seen.unconsumed)]
    return [part for part in parts if part.rows]


def worker_sections(monitor: Monitor, columns: int | None) -> list[Section]:
    """One table, or two where one would be too wide. Numbers that are zero for all workers are left out, save the main ones."""
    numbers = {name: worker.numbers() for name, worker in monitor.workers.items()}
    kept = [name for name in NUMBERS if name in ALWAYS or any(each[name] for each in numbers.values())]
    online = [("", {name: _status(worker.online) for name, worker in monitor.workers.items()})]
    cells = [(LABELS.get(each, each), {name: _count(each, numbers[name][each]) for name in numbers}) for each in kept]
    if columns is None or sum(len(name) + 2 for name in kept) + LEAST_NAME <= columns:
        return [_workers("Workers", [*online, *cells])]
    now = sum(name in NOW for name in kept)
    return [_workers("Workers", [*online, *cells[:now]]), _workers("Tasks of each worker so far", cells[now:])]


def pools_section(monitor: Monitor) -> Section:
    """What each worker is made of."""
    rows = [
        (
            Cell(visible(name)), Cell(worker.plan.pool), Cell(str(worker.plan.concurrency)),
            Cell(", ".join(visible(queue) for queue in worker.plan.queues)),
        )
        for name, worker in monitor.workers.items()
    ]  # fmt: skip
    return Section("Pools", ("worker", "pool", "concurrency", "queues"), rows, frozenset({"concurrency"}))


def _status(online: bool) -> Cell:
    return Cell("online", GOOD) if online else Cell("offline", BAD)


def _workers(title: str, columns: list[tuple[str, dict[str, Cell]]]) -> Section:
    names = list(columns[0][1])
    rows = [(Cell(visible(name)), *(cells[name] for _, cells in columns)) for name in names]
    return Section(title, ("worker", *(column for column, _ in columns)), rows, frozenset(name for name, _ in columns if name))


def _count(column: str, value: int) -> Cell:
    if column == "prefetch":
        return Cell(str(value) if value else "no limit")
    tone = {"succeeded": GOOD, "failed": BAD}.get(column, PLAIN)
    return Cell(str(value), tone if value else QUIET)


def heard_sections(heard: EventSubscriber, truth: Monitor, at_ms: int) -> list[Section]:
    """What the listener shows, and what it does not know."""
    columns = ("processed", "succeeded", "failed", "retried")
    rows = []
    for name, worker in heard.seen.workers.items():
        numbers = worker.numbers()
        status = Cell("never heard of", QUIET) if name not in heard.heard_ms else _status(heard.online(name))
        rows.append((Cell(visible(name)), status, *(_count(column, numbers[column]) for column in columns)))
    workers = Section("Workers", ("worker", "", *columns), rows, frozenset(columns))
    parts = [workers, tasks_section(heard.seen, [], at_ms, None), _missed(heard), _unknown(heard, truth)]
    return [part for part in parts if part.rows]


def _missed(heard: EventSubscriber) -> Section:
    sent = sum(heard.sent.values())
    rows = [(Cell(f"{heard.heard} of {sent} event messages came to {visible(heard.consumer)}"),)]
    rows += [(Cell(f"{count} {why}", NOTICE),) for why, count in heard.missed.items()]
    if heard.waiting:
        rows.append((Cell(f"{len(heard.waiting)} on their way"),))
    silent = [name for name, worker in heard.seen.workers.items() if worker.plan.events is None]
    if silent:
        rows.append((Cell(f"no events at all are sent by {', '.join(visible(name) for name in silent)}", NOTICE),))
    return Section("Events", (), rows)


def _unknown(heard: EventSubscriber, truth: Monitor) -> Section:
    found = unknown(heard.seen, truth)
    rows = [(Cell(visible(item.task)), Cell(item.shown or "nothing", NOTICE), Cell(item.state)) for item in found[:MAX_ROWS]]
    if len(found) > MAX_ROWS:
        rows.append((Cell(f"… {len(found) - MAX_ROWS} more"), Cell("--format json has them all", QUIET), Cell("")))
    return Section(f"What {visible(heard.consumer)} does not know", ("task", "it shows", "it is"), rows)


def _samples(seen: Monitored, every_ms: int) -> Section:
    """Only of queues and workers where there was ever anything: the others would be columns of zeros."""
    taken = samples(seen, every_ms)
    queues = [name for name in seen.depths if any(any(sample.queues.get(name, (0, 0))) for sample in taken)]
    workers = [name for name in seen.monitor.workers if any(any(sample.workers[name]) for sample in taken)]
    rows = [_sample(sample, queues, workers) for sample in taken[:MAX_ROWS]]
    columns = ("at", *(visible(name) for name in (*queues, *workers)))
    if len(taken) > MAX_ROWS:
        rows.append((Cell(f"… {len(taken) - MAX_ROWS} more"), *[Cell("")] * (len(columns) - 1)))
    title = "Samples: ready + unacked of queues, active + reserved + held of workers"
    return Section(title, columns, rows, frozenset(columns))


def _sample(sample: Sample, queues: list[str], workers: list[str]) -> tuple[Cell, ...]:
    values: list[Any] = [sample.queues.get(name) for name in queues]
    values += [sample.workers[name] for name in workers]
    return (Cell(duration_text(sample.at_ms)), *(_sum(each) for each in values))


def _sum(values: tuple[int, ...] | None) -> Cell:
    if values is None:
        return Cell("none", QUIET)
    return Cell(" + ".join(str(value) for value in values), PLAIN if any(values) else QUIET)


def _write_sections(out: IO[str], parts: list[Section], columns: int | None, *, colour: bool) -> None:
    """By rich within `columns`, or plain where that is None."""
    encoding = encoding_of(out)
    if columns is None:
        for part in parts:
            out.write("\n" + "".join(fitted(line, encoding) + "\n" for line in section_lines(part, colour=colour)))
        return
    from routesim.report.rich_tables import console, drawn

    screen = console(out, colour=colour, columns=columns)
    for part in parts:
        screen.print()
        screen.print(drawn(part, encoding, columns))
