"""The end of a run as sections of rows: queues, consumers, the fate of every message, the ledger, expectations, verdict.

Values only; `table` and `plain` draw them.
"""

from collections.abc import Callable

from routesim.broker.ledger import COPIES_IN, COPIES_OUT, PUBLISHES
from routesim.durations import duration_text
from routesim.events import LOST_STATES
from routesim.report.summary.chord_section import chords
from routesim.report.summary.task_sections import idle_text, nobodys, tasks, undone, workers
from routesim.run import Result, shown_actual
from routesim.run.failures import told_once
from routesim.run.verdicts import FAILED, OK, RAN, Unexpected, unexpected_losses, verdict_of
from routesim.scenario import Expectation
from routesim.shown import publisher, shown_binding, shown_exchange, shown_key
from routesim.steps import Bind
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section, mark
from routesim.text import so_many, visible

MAX_FATES = 40
MAX_IDS = 8
MAX_BINDINGS = 20
ANSWER_COLUMNS = ("delivered", "redelivered", "acked", "rejected", "requeued", "cut off", "open")
ANSWER_TONES = (PLAIN, NOTICE, GOOD, NOTICE, NOTICE, BAD, NOTICE)


def sections(result: Result) -> list[Section]:
    """Those in which there is anything, in the order in which they are read."""
    parts = (section(result, key) for key in SECTIONS)
    return [part for part in parts if part.rows]


def section(result: Result, key: str) -> Section:
    """One of `SECTIONS`; without rows where there is nothing to say."""
    return SECTIONS[key](result)._replace(key=key)


def failed(result: Result) -> Section:
    """Only what made the run fail, and why."""
    if result.ok:
        return Section("", (), [])
    from routesim.explain.failing.failures import failures  # a run that holds need not pay for them
    from routesim.report.formats.diagnostics import failure_lines

    rows: list[tuple[Cell]] = []
    for number, failure in enumerate(failures(result)):
        if number:
            rows.append((Cell(""),))
        rows += [(Cell(line, BAD if place == 0 else PLAIN),) for place, line in enumerate(failure_lines(failure))]
    return Section("Failures", (), rows)


def _number(value: int, tone: str = PLAIN) -> Cell:
    return Cell(str(value), tone if value else QUIET)


def _ids(ids: list[str]) -> str:
    shown = ", ".join(visible(item) for item in ids[:MAX_IDS])
    return shown + (f" … {len(ids) - MAX_IDS} more" if len(ids) > MAX_IDS else "")


def _queues(result: Result) -> Section:
    kept_back = {name: len(queue.awaiting) for name, queue in result.broker.queues.items()} if result.real is None else {}
    some = any(kept_back.values())
    rows = []
    for name, queue in result.broker.queues.items():
        head = [copy.message for copy, _ in zip(queue.ready(), range(MAX_IDS + 1), strict=False)]
        more = queue.ready_count() - MAX_IDS
        shown = ", ".join(visible(item) for item in head[:MAX_IDS]) + (f" … {more} more" if more > 0 else "")
        kind = queue.kind if queue.broker_name == name else f"{queue.kind}, {queue.broker_name}"
        rows.append((
            Cell(visible(name)), Cell(kind, QUIET), _number(queue.ready_count(), NOTICE), _number(queue.unacked, NOTICE),
            *([_number(kept_back[name], BAD)] if some else []), Cell(shown),
        ))  # fmt: skip
    counted = ("ready", "unacked", "kept back") if some else ("ready", "unacked")
    return Section("Queues", ("queue", "type", *counted, "ready messages"), rows, frozenset(counted))


def _consumers(result: Result) -> Section:
    """One row a consumer; columns that are zero for all of them are left out."""
    names: list[tuple[Cell, Cell]] = []
    numbers: list[tuple[int, ...]] = []
    for name, answers in result.deliveries.answers().items():
        consumer = result.scenario.consumers.get(name)
        queue = consumer.queue if consumer else result.deliveries.queues.get(name, "")
        names.append((Cell(visible(name)), Cell(visible(queue))))
        numbers.append(answers)
    kept = [index for index in range(len(ANSWER_COLUMNS)) if index < 1 or any(row[index] for row in numbers)]
    rows = [
        (*name, *(_number(row[index], ANSWER_TONES[index]) for index in kept)) for name, row in zip(names, numbers, strict=True)
    ]
    columns = tuple(ANSWER_COLUMNS[index] for index in kept)
    return Section("Consumers", ("consumer", "queue", *columns), rows, frozenset(columns))


def fate_of(result: Result, message: str) -> tuple[str, str]:
    """What became of a message, in words, and how much that wants to be seen."""
    record = result.messages.of[message]
    reached = result.fates.of.get(message, {})
    parts = [f"{visible(queue)}: {state}" for queue, (_, state) in reached.items()]
    tone = PLAIN
    if any(state.partition(":")[0] in LOST_STATES for _, state in reached.values()):
        tone = BAD
    if record["returned"]:
        return "; yet ".join(["returned to the publisher", *([", ".join(parts)] if parts else [])]), NOTICE
    if message in result.messages.unpublished:
        return f"not published: {visible(result.messages.unpublished[message])}", BAD
    if not parts:
        if record["confirm"] == "ack":
            return "CONFIRMED to the publisher, but in no queue", BAD
        return ("refused (nack)" if record["confirm"] == "nack" else "in no queue"), BAD
    if record["confirm"] == "nack":
        parts.append("nacked: a queue refused it")
        tone = NOTICE if tone == PLAIN else tone
    return ", ".join(parts), tone


def _fates(result: Result) -> Section:
    """One row a message; neighbours with the same route and fate share one."""
    groups: list[tuple[list[str], str, str, str, str, str]] = []
    left_out = 0
    for message, record in result.messages.of.items():
        fate, tone = fate_of(result, message)
        exchange, key = shown_exchange(record["exchange"]), shown_key(record["routing_key"])
        who = publisher(record["channel"])
        if groups and groups[-1][1:] == (exchange, key, who, fate, tone):
            groups[-1][0].append(message)
        elif len(groups) < MAX_FATES:
            groups.append(([message], exchange, key, who, fate, tone))
        else:
            left_out += 1
    named = any(who for _, _, _, who, _, _ in groups)
    rows = [
        (
            Cell(together(ids)), Cell(visible(exchange)), Cell(visible(key)), *([Cell(visible(who))] if named else []),
            Cell(fate, tone),
        )
        for ids, exchange, key, who, fate, tone in groups
    ]  # fmt: skip
    columns = ("message", "exchange", "key", *(["publisher"] if named else []), "ended as")
    if left_out:
        empty = [Cell("")] * (len(columns) - 2)
        rows.append((Cell("…"), *empty, Cell(f"{left_out} more; --format json has them all", QUIET)))
    return Section("Messages", columns, rows)


def together(ids: list[str]) -> str:
    """Neighbours under one name: a range where they are numbered in a row."""
    if len(ids) <= 2:
        return ", ".join(visible(item) for item in ids)
    stem = ids[0].rstrip("0123456789")
    numbers = [item[len(stem) :] for item in ids if item.startswith(stem)]
    if len(numbers) == len(ids) and all(number.isdigit() for number in numbers):
        first = int(numbers[0])
        if [int(number) for number in numbers] == list(range(first, first + len(ids))):
            return f"{visible(ids[0])} … {visible(ids[-1])} ({len(ids)})"
    shown = ", ".join(visible(item) for item in ids[:3])
    return shown if len(ids) == 3 else f"{shown} and {len(ids) - 3} more"


def _ledger(result: Result) -> Section:
    found = result.counts()
    if result.real is not None:
        counts = ", ".join(f"{name} {count}" for name, count in found.items())
        return Section("As far as clients are told", (), [(Cell(counts),)])

    # In a livelock some are still on their way, and kept back by nobody.
    shown = {} if result.broker.dead_letters_on_their_way() else {"awaiting_dead_letter": "kept back"}

    def side(names: tuple[str, ...]) -> str:
        parts = [f"{shown.get(name, name.replace('_', ' '))} {found[name]}" for name in names if found[name]]
        return " + ".join(parts) if parts else "0"

    rows = [(Cell(f"published {found['published']} = {side(PUBLISHES)}"),)]
    if any(found[name] for name in COPIES_IN):
        # Acked when they were sent, and lost with the consumer that had them.
        ledger = result.broker.ledger
        gone = [(ledger.lost_by_consumer, "with their consumer"), (ledger.task_lost, "with their worker")]
        ends = [f"{count} of the acked lost {whose}" for count, whose in gone if count]
        note = f" ({', '.join(ends)})" if ends else ""
        rows.append((Cell(f"copies: {side(COPIES_IN)} = {side(COPIES_OUT)}{note}"),))
    unseen = [
        name
        for name, record in result.messages.of.items()
        if record["confirm"] == "ack" and not record["queues"] and not record["returned"]
    ]
    delayed = found["delayed"]
    if found["unroutable"] and unseen and not delayed:
        for who in dict.fromkeys(publisher(result.messages.of[name]["channel"]) for name in unseen):
            theirs = [name for name in unseen if publisher(result.messages.of[name]["channel"]) == who]
            rows.append((Cell(f"confirmed to {visible(who) or 'the publisher'}, but in no queue: {_ids(theirs)}", BAD),))
    rows.append((Cell(f"lost {found['lost']}", BAD if found["lost"] else GOOD),))
    return Section("Ledger", (), rows)


def _unused(result: Result) -> Section:
    if not result.messages.of or result.real is not None:
        return Section("", (), [])
    broker = result.broker
    unused = [
        binding for state in broker.exchanges.values() for binding in state.bindings.values() if id(binding) not in broker.used
    ]
    lines = {id(item.step.binding): item.line for item in result.scenario.declarations if isinstance(item.step, Bind)}
    rows = []
    for binding in unused[:MAX_BINDINGS]:
        line = lines.get(id(binding), 0)
        rows.append((Cell(visible(shown_binding(binding))), Cell(f"line {line}" if line else "", QUIET)))
    if len(unused) > MAX_BINDINGS:
        rows.append((Cell(f"… {len(unused) - MAX_BINDINGS} more"), Cell("")))
    return Section("Bindings that no message matched", ("binding", "where"), rows)


def _errors(result: Result) -> Section:
    rows = []
    for error in told_once(result.errors):
        where = "" if error.step is None else f"step {error.step + 1}, line {result.scenario.steps[error.step].line}"
        note = "as expected" if error.expected else "not expected"
        if error.more:
            note += f", and {error.more} times more"
        rows.append(
            (
                Cell(where, QUIET),
                Cell(visible(error.text), PLAIN if error.expected else BAD),
                Cell(note, QUIET if error.expected else BAD),
            )
        )
    return Section("Errors", ("where", "error", ""), rows)


def _expectations(result: Result) -> Section:
    rows = []
    for item in result.expectations:
        but = "but is" if isinstance(item.about, Expectation) else "but"
        actual = "" if item.ok else f"{but} {visible(shown_actual(item))}"
        rows.append((
            mark(item.ok), Cell(visible(item.text)), Cell(actual, BAD),
            Cell(f"line {item.line}", QUIET),
        ))  # fmt: skip
    return Section("Expectations", ("", "expected", "", ""), rows)


SECTIONS: dict[str, Callable[[Result], Section]] = {
    "queues": _queues,
    "consumers": _consumers,
    "workers": workers,
    "tasks": tasks,
    "chords": chords,
    "undone": undone,
    "messages": _fates,
    "ledger": _ledger,
    "unmatched-bindings": _unused,
    "errors": _errors,
    "expectations": _expectations,
    "failures": failed,
}


def verdict(result: Result) -> Cell:
    """The last line: the answer, and in how much virtual time."""
    held = sum(item.ok for item in result.expectations)
    parts = []
    if result.expectations:
        parts.append(f"{held} of {len(result.expectations)} expectations held")
    unexpected = sum(1 + item.more for item in result.errors if not item.expected)
    if unexpected:
        parts.append(f"{so_many(unexpected, 'errors')} not expected")
    lost, word = unexpected_losses(result), verdict_of(result)
    if lost.total:
        parts.append(f"{_lost(lost)}, {'nothing expected' if word == RAN else 'which nothing expected'}")
    idle = nobodys(result) if not result.expectations else []
    if idle:
        parts.append(idle_text(idle))
    if result.kept_going:
        parts.append(f"{result.ended}: {visible(result.kept_going)}")
    if result.real is not None:
        if result.real.unseen:
            parts.append(f"{len(result.real.unseen)} not checked, since no client is told")
        parts.append(f"on a real RabbitMQ {result.real.version}")
    else:
        parts.append(f"{duration_text(result.clock_ms)} of virtual time, rules of {result.scenario.whose_rules}")
    tone = NOTICE if idle and word == OK else {OK: GOOD, FAILED: BAD}.get(word, NOTICE)
    return Cell(f"{word}  {visible(result.scenario.name)}: {'; '.join(parts)}", tone)


def _lost(lost: Unexpected) -> str:
    """`1 message and 2 tasks LOST`."""
    counts = (("messages", lost.messages), ("tasks", lost.tasks))
    return " and ".join(so_many(count, things) for things, count in counts if count) + " LOST"
