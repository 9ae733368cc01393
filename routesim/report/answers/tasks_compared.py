"""Two runs side by side, on RabbitMQ's rules and on Redis's: only what differs in full, what is the same as a count."""

from collections.abc import Sequence
from typing import IO, Any

from routesim.durations import duration_text
from routesim.report.formats.json import envelope
from routesim.report.formats.plain import section_lines
from routesim.report.style import OutputStyle
from routesim.report.summary.summary import together
from routesim.run.on_redis.differences import CLASSES
from routesim.run.on_redis.tasks_on_both import Comparison, Side, TaskFate
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section, mark
from routesim.text import encoding_of, fitted, visible

MAX_ROWS = 40
MAX_RUNS = 4
MAX_EVENTS = 4
ENDLESS = {"budget": "never: it goes on and on", "livelock": "never: a livelock"}
BOTH = ("RabbitMQ", "Redis")


def write_json(out: IO[str], found: Comparison, style: OutputStyle) -> None:
    out.write(envelope(comparison_object(found)) + "\n")


def write(out: IO[str], found: Comparison, style: OutputStyle) -> None:
    """As tables within the style's columns; None: plain, however wide."""
    columns = style.columns
    encoding = encoding_of(out)
    parts, last = sections(found), verdict(found)
    if columns is None:
        for part in parts:
            out.write("".join(fitted(line, encoding) + "\n" for line in section_lines(part, colour=style.colour)) + "\n")
        out.write(fitted(last.text, encoding) + "\n")
        return
    from rich.text import Text

    from routesim.report.rich_tables import STYLES, console, drawn

    screen = console(out, colour=style.colour, columns=columns)
    for part in parts:
        screen.print(drawn(part, encoding, columns))
        screen.print()
    screen.print(Text(fitted(last.text, encoding), style=STYLES[last.tone]), overflow="fold")


def sections(found: Comparison) -> list[Section]:
    parts = [_tasks(found), _consumers(found), _queues(found), _work(found), _first(found), _why(found)]
    return [part for part in parts if part.rows]


def verdict(found: Comparison) -> Cell:
    name = visible(found.rabbitmq.seen.result.scenario.name)
    version = found.rabbitmq.seen.result.scenario.rabbitmq
    if found.same:
        return Cell(f"SAME  {name}: on RabbitMQ {version} and on Redis all goes the same way, at the same times", GOOD)
    ours, theirs = found.rabbitmq, found.redis
    ids = _union(ours.tasks, theirs.tasks)
    others = sum(ours.tasks.get(id) != theirs.tasks.get(id) for id in ids)
    parts = [f"{others} of {len(ids)} tasks"] if others else []
    parts += ["how they end"] if ours.ended != theirs.ended else []
    parts += ["what is left in queues"] if ours.left != theirs.left else []
    parts += ["what is lost"] if sorted(ours.lost) != sorted(theirs.lost) else []
    parts += ["what consumers get"] if ours.consumers != theirs.consumers else []
    where = ", ".join(parts or ["when, or in which order, things happen"])
    return Cell(f"DIFFERENT  {name}: RabbitMQ {version} and Redis differ in {where}", BAD)


def _union(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys((*ours, *theirs)))


def _rows(pairs: Sequence[tuple[str, str, str]]) -> list[tuple[Cell, ...]]:
    """Neighbours of whom the same is to be said share a row."""
    groups: list[tuple[list[str], str, str]] = []
    for name, ours, theirs in pairs:
        if groups and groups[-1][1:] == (ours, theirs):
            groups[-1][0].append(name)
        else:
            groups.append(([name], ours, theirs))
    rows: list[tuple[Cell, ...]] = []
    for names, ours, theirs in groups[:MAX_ROWS]:
        tone = QUIET if ours == theirs else PLAIN
        rows.append((mark(ours == theirs), Cell(together(names), tone), Cell(ours, tone), Cell(theirs, tone)))
    if len(groups) > MAX_ROWS:
        more = sum(len(names) for names, _, _ in groups[MAX_ROWS:])
        rows.append((Cell(""), Cell(f"… {more} more"), Cell("--format json has them all", QUIET), Cell("")))
    return rows


def _tasks(found: Comparison) -> Section:
    ours, theirs = found.rabbitmq.tasks, found.redis.tasks
    pairs = [(id, _fate(ours.get(id)), _fate(theirs.get(id))) for id in _union(ours, theirs)]
    return Section("Tasks", ("", "task", *BOTH), _rows(pairs))


def _fate(fate: TaskFate | None) -> str:
    if fate is None:
        return "nowhere"
    runs = [f"{visible(worker)} at {duration_text(at_ms)}" for worker, at_ms in fate.started[:MAX_RUNS]]
    if len(fate.started) > MAX_RUNS:
        runs.append(f"… {len(fate.started) - MAX_RUNS} more")
    times = f"{fate.runs} runs: " if fate.runs > 1 else ""
    return f"{fate.state}, {times}{', '.join(runs)}" if runs else fate.state


def _consumers(found: Comparison) -> Section:
    ours, theirs = found.rabbitmq.consumers, found.redis.consumers
    pairs = []
    for name in _union(ours, theirs):
        mine, other = ours.get(name, ()), theirs.get(name, ())
        if not mine and not other:
            continue
        order = "" if mine == other or sorted(mine) != sorted(other) else ", in another order"
        pairs.append((name, _messages(mine), _messages(other) + order))
    return Section("Consumers", ("", "consumer", *BOTH), _rows(pairs))


def _messages(ids: tuple[str, ...]) -> str:
    return f"{len(ids)} message{'' if len(ids) == 1 else 's'}"


def _queues(found: Comparison) -> Section:
    ours, theirs = found.rabbitmq.left, found.redis.left
    pairs = [(name, _left(ours.get(name)), _left(theirs.get(name))) for name in _union(ours, theirs)]
    return Section("Left in queues", ("", "queue", *BOTH), _rows(pairs))


def _left(left: tuple[int, int] | None) -> str:
    ready, unacked = left or (0, 0)
    return ", ".join([f"{ready} ready"] * bool(ready) + [f"{unacked} unacked"] * bool(unacked)) or "nothing"


def _work(found: Comparison) -> Section:
    def ids(some: tuple[str, ...]) -> str:
        return f"{len(some)}: {together(list(some))}" if some else "none"

    ours, theirs = found.rabbitmq, found.redis
    facts = [
        ("ended", _ended(ours), _ended(theirs)),
        ("messages lost", ids(ours.lost), ids(theirs.lost)),
        ("tasks lost with their worker", ids(ours.unfinished), ids(theirs.unfinished)),
        ("tasks run more than once", ids(ours.doubled), ids(theirs.doubled)),
    ]
    rows = []
    for name, here, there in facts:
        bad = [NOTICE if text[:1].isdigit() or text in ENDLESS.values() else PLAIN for text in (here, there)]
        rows.append((mark(here == there), Cell(name), Cell(here, bad[0]), Cell(there, bad[1])))
    return Section("Ended, lost, doubled", ("", "", *BOTH), rows)


def _ended(side: Side) -> str:
    return ENDLESS.get(side.ended, f"at {duration_text(side.facts.last_ms)}")


def _first(found: Comparison) -> Section:
    if found.first is None:
        return Section("", (), [])
    first = found.first
    rows = [
        (Cell(f"{name} alone" if texts and not first.in_order else name, QUIET), Cell(_events(texts)))
        for name, texts in zip(BOTH, (first.rabbitmq, first.redis), strict=True)
    ]
    order = ", in another order" if first.in_order else ""
    return Section(f"The first difference, at {duration_text(first.at_ms)}{order}", ("", ""), rows)


def _events(texts: list[str]) -> str:
    shown = "; ".join(visible(text) for text in texts[:MAX_EVENTS])
    return shown + (f"; … {len(texts) - MAX_EVENTS} more" if len(texts) > MAX_EVENTS else "") if texts else "nothing else"


def _why(found: Comparison) -> Section:
    rows = []
    for item in found.differences:
        times = f" ({item.times} times)" if item.times > 1 else ""
        text = f"{CLASSES[item.name]}. First at {duration_text(item.at_ms)}: {visible(item.shown)}{times}."
        rows.append((Cell(item.name, NOTICE), Cell(text)))
    known = {error.text for error in found.rabbitmq.seen.result.errors}
    errors = dict.fromkeys(error.text for error in found.redis.seen.result.errors if error.text not in known)
    rows += [(Cell("not on Redis", NOTICE), Cell(visible(text))) for text in errors]
    if not rows and not found.same:
        rows.append(
            (Cell("order", NOTICE), Cell("none of the known rules shows: which of several waiting clients is served first"))
        )
    return Section("Why", ("", ""), rows)


# JSON --------------------------------------------------------------------------------------------------------------------


def comparison_object(found: Comparison) -> dict[str, Any]:
    scenario = found.rabbitmq.seen.result.scenario
    ids = _union(found.rabbitmq.tasks, found.redis.tasks)
    same = [id for id in ids if found.rabbitmq.tasks.get(id) == found.redis.tasks.get(id)]
    return {
        "file": scenario.file,
        "scenario": scenario.name,
        "same": found.same,
        "tasks_that_are_the_same": same,
        "rabbitmq": {"version": scenario.rabbitmq, **_side(found.rabbitmq)},
        "redis": _side(found.redis),
        "first_difference": None if found.first is None else found.first._asdict(),
        "differences": [
            {"class": item.name, "rule": CLASSES[item.name], "first_at_ms": item.at_ms, "shown": item.shown, "times": item.times}
            for item in found.differences
        ],
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return {
        "ended": side.seen.result.ended,
        "clock_ms": side.seen.at_ms,
        "tasks": {
            id: {
                "state": fate.state, "runs": fate.runs, "retries": fate.retries,
                "started": [{"worker": worker, "at_ms": at_ms} for worker, at_ms in fate.started],
            }
            for id, fate in side.tasks.items()
        },
        "queues": {name: {"ready": ready, "unacked": unacked} for name, (ready, unacked) in side.left.items()},
        "consumers": {name: list(messages) for name, messages in side.consumers.items()},
        "lost": list(side.lost),
        "unfinished": list(side.unfinished),
        "doubled": list(side.doubled),
    }  # fmt: skip
