"""One moment of a recorded run as a screen: what has just happened, what comes next, queues and consumers, what changed."""

import io
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any

from routesim.durations import seconds
from routesim.events import StepStarted
from routesim.model import control_channel, gossip_channel
from routesim.report.formats.plain import section_lines
from routesim.report.screens.before_steps import told
from routesim.report.screens.narrow import fit, shortened
from routesim.report.screens.step_list import step_lines, step_told
from routesim.report.screens.stops import Stops
from routesim.report.summary.summary import verdict
from routesim.report.trace.rows import Row, Rows
from routesim.report.trace.trace import ANSI, RESET, Trace
from routesim.run import Result
from routesim.run.folds.queue_situation import QueueSituation
from routesim.run.folds.situation import Situation
from routesim.run.recording import Recording
from routesim.steps import DeclareQueue
from routesim.tables import NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import cut, fitted, visible, width, wrapped

if TYPE_CHECKING:
    from routesim.report.screens.step_workers import WorkersThen

BOLD = "\x1b[1m"
MAX_IDS = 30  # of one queue or consumer: more than a line takes
MAX_RECENT = 6  # rows of the trace, where tables want the room
UNLIMITED = 10_000
LEAST_STEPS = 3  # lines of the list of steps: fewer say nothing
WIDE = 60  # columns from which on the trace is drawn in its own
ROOMY = 20  # lines from which on parts stand apart
ENDINGS = {"idle": ", nothing is left to happen", "time": ", it was to go on for so long", "steps": ", the last step is done"}
COUNTS = ("ready", "unacked", "kept back", "later")


class Stepping:
    """Draws positions of a recording: how many events have happened. Each position has one look, however one came there.
    `aside`: what this run is, where it is not that of the scenario as it stands."""

    def __init__(self, recording: Recording, result: Result, *, encoding: str, colour: bool, aside: str = "") -> None:
        self.recording, self.result, self.aside = recording, result, aside
        self.scenario = result.scenario
        self.events: Sequence[Any] = recording.events
        rows = Rows()
        self.rows = [rows.row(event) for event in self.events]
        self.stops = Stops(self.events, self.rows)
        self.encoding, self.colour = encoding, colour
        self.workers: WorkersThen | None = None
        plans = self.scenario.workers.values()
        self.of_processes = {name(plan.name) for plan in plans for name in (str, control_channel, gossip_channel)}
        self.inboxes = {name for plan in plans for name in (plan.control, plan.gossip) if name is not None}
        self.more, self.arrow = fitted("…", encoding), fitted("→", encoding)
        self.by_arrival = {
            item.step.queue.name
            for item in self.scenario.declarations
            if isinstance(item.step, DeclareQueue) and "x-max-priority" in item.step.queue.arguments
        }

    def screen(self, at: int, columns: int, lines: int, footer: str) -> list[str]:
        """At most so many lines, none as wide as the columns; the last one is the footer."""
        room = columns - 1
        begin = self.stops.begin_of_step(at)
        now, then = self.recording.at(at), self.recording.at(begin)
        before = self.recording.at(self.stops.before(at, self.stops.events))
        step = wrapped(self._shown(self._step(at)), room)
        step = [*step[:1], " ".join(step[1:])] if lines >= ROOMY and len(step) > 1 else [self._step(at)]
        title = [self._painted(self._title(at, now, room), BOLD), *self._aside(room, 3 if lines >= ROOMY else 1)]
        head = [*title, *(self._plain(line, room) for line in step)]
        ahead = self._ahead(at, room)
        changed = self._changed(at, then, now, room, 2 if lines >= ROOMY else 1)
        left = lines - len(head) - len(ahead) - len(changed) - 1
        roomy = ["", ""] if lines >= ROOMY else []
        needed = len(self._tables(at, before, now, room, UNLIMITED)) + len(roomy)  # what is left of a high screen is the trace's
        recent = self._recent(begin, at, columns, max(1, min(MAX_RECENT, left // 3), left - needed))
        tables = self._tables(at, before, now, room, left - len(recent) - len(roomy))
        found = [*head, *roomy[:1], *recent, *ahead, *changed, *roomy[:1], *tables]
        found = found[: max(lines - 1, 0)]
        if lines >= ROOMY:
            found += self._steps(at, lines - 2 - len(found), room)
            found += [""] * (lines - 1 - len(found))
        return [*found, self._plain(footer, room, QUIET)]

    # Lines -------------------------------------------------------------------------------------------------------------

    def _shown(self, text: str) -> str:
        return fitted(visible(text), self.encoding)

    def _plain(self, text: str, room: int, tone: str = PLAIN) -> str:
        return self._painted(cut(self._shown(text), room, self.more), ANSI[tone])

    def _painted(self, text: str, code: str) -> str:
        return f"{code}{text}{RESET}" if self.colour and code and text else text

    def _title(self, at: int, now: Situation, room: int) -> str:
        where = f"event {at} of {len(self.events)} · {seconds(now.at_ms)} s"
        if self.stops.starts:
            where = f"step {self.stops.step_at(at)} of {len(self.scenario.steps)} · {where}"
        where = cut(self._shown(where), room, self.more)
        name = cut(self._shown(self.scenario.name), max(room - width(where) - 2, 0), self.more)
        return f"{name}{' ' * (room - width(name) - width(where))}{where}"

    def _aside(self, room: int, most: int) -> list[str]:
        if not self.aside:
            return []
        lines = wrapped(self._shown(self.aside), room)
        lines[most - 1 :] = [" ".join(lines[most - 1 :])] if len(lines) >= most else []
        return [self._plain(line, room, NOTICE) for line in lines]

    def _step(self, at: int) -> str:
        begun = self.stops.step_at(at)
        if not begun:
            if not self.stops.starts:
                return "there are no steps"
            return f"before the first step: {told(self.events[:at]) or 'nothing has happened yet'}"
        step = self.scenario.steps[begun - 1]
        done = at == len(self.events) or type(self.events[at]) is StepStarted
        return f"step {begun}{' done' * done}{step_told(step)}"

    def _ahead(self, at: int, room: int) -> list[str]:
        """What is about to happen; at the end, what it came to."""
        if at < len(self.events):
            event = self.events[at]
            if type(event) is StepStarted:
                step = self.scenario.steps[event.step]
                return [self._plain(f"next:  step {event.step + 1}{step_told(step)}", room, QUIET)]
            row = next((row for row in self.rows[at:] if row is not None), None)
            text = "the end" if row is None else row.line("  ")
            return [self._plain(f"next:  {text}", room, QUIET)]
        if self.recording.total > len(self.events):
            text = f"only the first {len(self.events):,} of {self.recording.total:,} events are kept; the run went on to its end"
            return [self._plain(line, room, NOTICE) for line in wrapped(text, room)] + self._verdict(room)
        ended = ENDINGS.get(self.result.ended, "")
        return [self._plain(f"the run is over: {self.result.ended}{ended}", room, QUIET), *self._verdict(room)]

    def _steps(self, at: int, most: int, room: int) -> list[str]:
        """All steps, or those around this one, where there is room below the tables."""
        lines = step_lines(self.scenario.steps, self.stops.step_at(at), most, self.more)
        return ["", *(self._plain(text, room, tone) for text, tone in lines)] if len(lines) >= LEAST_STEPS else []

    def _verdict(self, room: int) -> list[str]:
        last = verdict(self.result)
        return [self._plain(line, room, last.tone) for line in wrapped(last.text, room)]

    def _recent(self, begin: int, at: int, columns: int, most: int) -> list[str]:
        """The last rows of the trace, the newest marked; of earlier steps as far as there is room, below a line for each."""
        groups: list[list[str]] = []
        if columns < WIDE:
            rows = [row for row in self.rows[max(begin, at - 20 * most) : at] if row is not None][-most:]
            return [self._short(row, columns - 1, newest=row is rows[-1]) for row in rows]
        out = io.TextIOWrapper(io.BytesIO(), encoding=self.encoding, newline="")
        trace = Trace(out, self.scenario, colour=False, columns=columns)
        since = self._first_shown(begin, at, most)
        newest = max((number for number in range(since, at) if self.rows[number] is not None), default=-1)
        first = next((row for row in self.rows[since:at] if row is not None), None)
        trace.last_ms = -2 if first is None or first.at_ms == 0 else 0  # no head, but the time of the first row
        for number in range(since, at):
            event, row = self.events[number], self.rows[number]
            if type(event) is StepStarted and number < begin:
                step = self.scenario.steps[event.step]
                groups.append([self._plain(f"step {event.step + 1}{step_told(step)}", columns - 1, QUIET)])
            if row is None:
                continue
            lines = [cut(line, columns - 1, self.more) for line in self._traced(trace, out, row)]
            if number == newest:
                lines[0] = f">{lines[0][1:]}" if lines[0][:1] == " " else lines[0]
            bold = BOLD if number == newest and row.tone == PLAIN else ""
            groups.append([self._painted(line, bold + ANSI[row.tone]) for line in lines])
        found: list[str] = []
        for group in reversed(groups):
            if found and len(group) + len(found) > most:
                break
            found = [*group, *found][:most]
        return found

    def _first_shown(self, begin: int, at: int, most: int) -> int:
        """From which event on so many lines of the trace are shown; not from before the first step, where nothing is in a row."""
        left, number = most, at
        while number > 0 and left > 0 and at - number < 20 * most:
            number -= 1
            left -= self.rows[number] is not None or (type(self.events[number]) is StepStarted and number < begin)
        return number

    def _short(self, row: Row, room: int, *, newest: bool) -> str:
        """A row in one line, where columns would take three."""
        text = f"{'>' if newest else ' '} {seconds(row.at_ms)} {row.line(' ')}"
        return self._painted(
            cut(self._shown(text), room, self.more), (BOLD if newest and row.tone == PLAIN else "") + ANSI[row.tone]
        )

    @staticmethod
    def _traced(trace: Trace, out: io.TextIOWrapper, row: Row) -> list[str]:
        first = trace.last_ms < 0
        trace.add(row)
        out.flush()
        raw = out.buffer
        assert isinstance(raw, io.BytesIO)
        text = raw.getvalue().decode(out.encoding)
        out.seek(0)
        raw.truncate(0)
        return text.splitlines()[2 if first else 0 :]

    # What changed ------------------------------------------------------------------------------------------------------

    def _changed(self, at: int, then: Situation, now: Situation, room: int, most: int) -> list[str]:
        begun = self.stops.step_at(at)
        who = f"step {begun} changed" if begun else "changed"
        lines = wrapped(self._shown(f"{who}:  {', '.join(changes(then, now)) or 'nothing'}"), room)
        if len(lines) > most:
            lines[most - 1 :] = [cut(" ".join(lines[most - 1 :]), room, self.more)]
        return lines

    # Tables ------------------------------------------------------------------------------------------------------------

    def _tables(self, at: int, before: Situation, now: Situation, room: int, lines: int) -> list[str]:
        tables = [self._queues(before, now), *self._workers(at, before, now), self._consumers(before, now)]
        tables = [(section, important) for section, important in tables if section.rows]
        if not tables:
            return []
        if len(tables) > 1 and lines >= ROOMY // 2:
            lines -= len(tables) - 1
            apart = 1
        else:
            apart = 0
        found: list[str] = []
        for (section, important), most in zip(tables, _shared([len(section.rows) for section, _ in tables], lines), strict=True):
            if most:
                found += [""] * (apart if found else 0)
                found += section_lines(fit(shortened(section, most, important, self.more), room, self.more), colour=self.colour)
        return found

    def _workers(self, at: int, before: Situation, now: Situation) -> list[tuple[Section, set[int]]]:
        """The table of worker processes, if there are any."""
        if not self.scenario.workers:
            return []
        from routesim.report.screens.step_workers import WorkersThen, workers_section  # few scenarios have workers

        if self.workers is None:
            self.workers = WorkersThen(self.scenario, self.events)
        then = self.workers.at(self.stops.before(at, self.stops.events), before)
        return [workers_section(then, self.workers.at(at, now), self._number, self._shown)]

    def _queues(self, before: Situation, now: Situation) -> tuple[Section, set[int]]:
        """The table of all queues, and which of its rows are not to be left out."""
        columns = [name for name in COUNTS if name in COUNTS[:2] or any(_counts(each)[name] for each in now.queues.values())]
        rows, moved, full = [], set(), set()
        for number, (name, queue) in enumerate(sorted(now.queues.items(), key=lambda item: item[0] in self.inboxes)):
            old = _counts(before.queues.get(name))
            new = _counts(queue)
            cells = [self._number(old[column], new[column]) for column in columns]
            if old != new:
                moved.add(number)
            if any(new.values()):
                full.add(number)
            rows.append((Cell(self._shown(name), NOTICE if old != new else PLAIN), *cells, Cell(self._messages(queue))))
        return Section("", ("queue", *columns, "ready messages"), rows, frozenset(columns)), moved or full

    def _number(self, old: int, new: int) -> Cell:
        return Cell(f"{old} {self.arrow} {new}", NOTICE) if old != new else Cell(str(new), PLAIN if new else QUIET)

    def _messages(self, queue: QueueSituation) -> str:
        ready = queue.ready()
        shown = " ".join(self._shown(item.message) + "*" * item.redelivered for item in ready[:MAX_IDS])
        unknown = len(ready) > 1 and (not queue.type.returns_to_place or queue.name in self.by_arrival)
        return f"{shown} (by arrival)" if unknown else shown

    def _consumers(self, before: Situation, now: Situation) -> tuple[Section, set[int]]:
        """Whoever consumes, and whoever else holds something: by basic.get, or cancelled since. Worker processes have a table
        of their own."""
        old, new = _holders(before, self.of_processes), _holders(now, self.of_processes)
        rows, moved, full = [], set(), set()
        for number, (key, held) in enumerate(new.items()):
            queue, who, how = key
            changed = held != old.get(key)
            if changed:
                moved.add(number)
            if held:
                full.add(number)
            count = self._number(len(old.get(key, [])), len(held))
            ids = " ".join(self._shown(item) for item in held[:MAX_IDS])
            name = self._shown(who) + f" ({how})" * (bool(how) and who != f"({how})")
            rows.append((Cell(name, NOTICE if changed else PLAIN), Cell(self._shown(queue)), count, Cell(ids)))
        return Section("", ("consumer", "of", "holds", "unacked messages"), rows, frozenset({"holds"})), moved or full


def _counts(queue: QueueSituation | None) -> dict[str, int]:
    if queue is None:
        return dict.fromkeys(COUNTS, 0)
    return dict(zip(COUNTS, (len(queue.messages), len(queue.unacked), len(queue.awaiting), len(queue.later)), strict=True))


def _shared(rows: list[int], lines: int) -> list[int]:
    """How many rows each of the tables gets, where each needs a line for its head as well: the first one what the others leave,
    these a third of the lines at least. A table that could show nothing but how many rows it has is left out."""
    found = [0] * len(rows)
    for place in range(len(rows) - 1, 0, -1):
        wanted = rows[place]
        room = lines - 1 - sum(1 + count for count in found if count)
        most = min(wanted, max(room - sum(1 + count for count in rows[:place]), lines // 3 // (len(rows) - 1)))
        found[place] = most if most == wanted or most > 1 else 0
    found[0] = max(lines - 1 - sum(1 + count for count in found if count), 0)
    return found


def _holders(situation: Situation, processes: Container[str]) -> dict[tuple[str, str, str], list[str]]:
    """By queue, name and what kind of holder that is: the messages held, in the order of the deliveries. What is on the
    channels of worker processes is left out."""
    found: dict[tuple[str, str, str], list[str]] = {
        (each.queue, name, "active" if each.active else ""): []
        for name, each in situation.consumers.items()
        if each.channel not in processes
    }
    for queue in situation.queues.values():
        for item in queue.unacked.values():
            if item.channel in processes:
                continue
            if item.consumer is None:
                key = (queue.name, item.channel, "get")
            else:
                consuming = situation.consumers.get(item.consumer)
                key = (queue.name, item.consumer, "ended" if consuming is None else "active" if consuming.active else "")
            found.setdefault(key, []).append(item.message)
    return found


def changes(before: Situation, after: Situation) -> list[str]:
    """What is otherwise, each as a few words: `warehouse 1 → 2 ready`, `audit deleted`, `lost 0 → 1`."""
    found = []
    for name, queue in after.queues.items():
        if name not in before.queues:
            found.append(f"{name} declared")
        old, new = _counts(before.queues.get(name)), _counts(queue)
        found += [f"{name} {old[what]} → {new[what]} {what}" for what in COUNTS if old[what] != new[what]]
    found += [f"{name} deleted" for name in before.queues if name not in after.queues]
    found += [f"{name} consumes" for name in after.consumers if name not in before.consumers]
    found += [f"{name} ended" for name in before.consumers if name not in after.consumers]
    for column in ("returned", "lost"):
        if before.counts[column] != after.counts[column]:
            found.append(f"{column} {before.counts[column]} → {after.counts[column]}")
    return found
