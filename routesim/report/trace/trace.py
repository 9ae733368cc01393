"""A trace as lines of fixed columns, written as the events come: any length in constant memory."""

from typing import IO, Any

from routesim.durations import seconds
from routesim.events import DeadLettered, Published, Requeued
from routesim.report.trace.own_events import OwnEvents
from routesim.report.trace.rows import Row, Rows, shown_exchange
from routesim.scenario import PublishMany, Scenario
from routesim.steps import DeclareQueue
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET
from routesim.text import encoding_of, fitted, padded, visible, width, wrapped
from routesim.values import raw

ANSI = {PLAIN: "", GOOD: "\x1b[32m", NOTICE: "\x1b[33m", BAD: "\x1b[1;31m", QUIET: "\x1b[2m"}
RESET = "\x1b[0m"
DEEPEST = 3
TIME, MESSAGE, WHERE = 8, 7, 14  # least widths
NARROW = 100  # up to so many columns indentation and reasons have to make do with less
LEAST_WHY = 15
WIDEST_MESSAGE, WIDEST_WHERE = 16, 40
FOLD_AFTER = 5  # rounds of one message at one instant; what goes on is counted, not shown
NO_TIME = " " * (TIME + 2)
MAX_CELLS = 10_000


class Trace:
    """`columns` None: as wide as it gets, for a pipe; else what does not fit is wrapped within the last column."""

    def __init__(self, out: IO[str], scenario: Scenario, *, colour: bool, columns: int | None) -> None:
        self.write = out.write
        self.encoding = encoding_of(out)
        self.utf8 = self.encoding.lower().replace("-", "") == "utf8"
        self.rows = Rows()
        self.own_events = OwnEvents(scenario)
        self.colour = colour
        self.columns = columns
        self.message, self.where = _widths(scenario, columns)
        narrow = columns is not None and columns <= NARROW
        self.event, self.indent = (17, " ") if narrow else (20, "  ")
        self.why = TIME + 2 + self.event + self.message + 2 + self.where + 2
        self.events: list[dict[str, str]] = [{} for _ in range(DEEPEST + 1)]
        self.places: dict[str, str] = {}
        self.rounds: dict[str, int] = {}
        self.folded = 0
        self.last_ms = -1

    def header(self) -> None:
        names = f"{'time s':>{TIME}}  {'event':<{self.event}}{'message':<{self.message}}  {'where':<{self.where}}  why"
        if self.columns is not None:
            names = names[: self.columns - 1].rstrip()
        line = "─" * (self.columns - 1 if self.columns else self.why + 24)
        text = f"{names}\n{line}\n" if not self.colour else f"\x1b[1m{names}{RESET}\n\x1b[2m{line}{RESET}\n"
        self.write(fitted(text, self.encoding))

    def listen(self, event: Any) -> None:
        row = self.rows.row(event)
        if row is None:
            return
        if self.own_events.concerns(event):
            if type(event) is Published:
                self.tell_own()
            self.own_events.note(event)
            return
        self.tell_own()
        if row[0] != self.last_ms:
            self._next_instant()
        elif type(event) is Requeued or type(event) is DeadLettered:
            self.rounds[row[3]] = self.rounds.get(row[3], 0) + 1
        if row[3] and self.rounds.get(row[3], 0) > FOLD_AFTER:
            self.folded += 1
            return
        self.unfold()
        self.add(row)

    def tell_own(self) -> None:
        """What a worker has told last, when it is known to whom."""
        row = self.own_events.row()
        if row is not None:
            if row[0] != self.last_ms:
                self._next_instant()
            self.unfold()
            self.add(row)

    def _next_instant(self) -> None:
        self.unfold()
        self.rounds.clear()

    def end(self) -> None:
        """Nothing more happens: what is still to say."""
        self.tell_own()
        self.unfold()

    def unfold(self) -> None:
        """Say how many rows of a message going round were not shown."""
        if self.folded:
            text = f"… {self.folded} more rows of the same at this instant"
            self.folded = 0
            self.write(fitted(f"{NO_TIME}{text}\n", self.encoding))

    def add(self, row: Row) -> None:
        """Write one row. Names recur, so their cells are made once; a row that is not plainly printable takes the long way."""
        at_ms, depth, what, message, where, why, tone = row
        if at_ms != self.last_ms:
            if self.last_ms < 0:
                self.header()
            self.last_ms = at_ms
            time = f"{seconds(at_ms):>{TIME}}  "
        else:
            time = NO_TIME
        event = self.events[depth if depth < DEEPEST else DEEPEST].get(what) or self._event(depth, what)
        place = self.places.get(where) or self._place(where)
        text = f"{time}{event}{message:<{self.message}}  {place}  {why}"
        if not (text.isprintable() and message.isascii()):
            message, why = visible(message), visible(why)
            text = f"{time}{event}{padded(message, self.message)}  {place}  {why}"
        if self.columns is not None and width(text) >= self.columns:
            text = self._folded(text[: len(text) - len(why)], why)
        elif not why:
            text = text.rstrip()
        if tone != PLAIN and self.colour:
            text = f"{ANSI[tone]}{text}{RESET}"
        self.write(f"{text}\n" if self.utf8 else fitted(f"{text}\n", self.encoding))

    def _event(self, depth: int, what: str) -> str:
        depth = min(depth, DEEPEST)
        shown = self.indent * depth + what
        cell = self.events[depth][what] = f"{shown:<{self.event}}" if len(shown) < self.event else shown + " "
        return cell

    def _place(self, where: str) -> str:
        if len(self.places) > MAX_CELLS:
            self.places.clear()
        cell = self.places[where] = padded(visible(where), self.where)
        return cell

    def _folded(self, text: str, why: str) -> str:
        """A row that does not fit on several lines: the reason within its column, or on lines of its own."""
        assert self.columns is not None
        room = self.columns - self.why - 1
        if room >= LEAST_WHY and width(text) <= self.why:
            first, *rest = wrapped(why, room)
            return "\n".join([(text + first).rstrip(), *(" " * self.why + line for line in rest)])
        beside = room >= LEAST_WHY and width(text.rstrip()) < self.columns
        indent = self.why if beside else min(TIME + 2 + self.event, self.columns // 3)
        lines = [" " * indent + line for line in wrapped(why, self.columns - indent - 1) if line]
        return "\n".join([*self._narrow(text.rstrip()), *lines])

    def _narrow(self, text: str) -> list[str]:
        """The columns before the reason, broken where even they are too wide."""
        assert self.columns is not None
        if width(text) < self.columns:
            return [text]
        lead = min(len(text) - len(text.lstrip()), self.columns // 3)
        indent = min(TIME + 4, self.columns // 3)
        first, *rest = wrapped(" ".join(text.split()), self.columns - max(lead, indent) - 1)
        return [" " * lead + first, *(" " * indent + line for line in rest)]


def _widths(scenario: Scenario, columns: int | None) -> tuple[int, int]:
    """Columns for messages and places, known before the first event."""
    message = MESSAGE
    for step in scenario.steps:
        if isinstance(step.action, PublishMany):
            message = max(message, width(visible(step.action.id(step.action.times - 1))))
    message = max(
        [
            message,
            *(
                width(visible(name)) + 3
                for name, consumer in scenario.consumers.items()
                if any(rule.publish for rule in consumer.on_message)
            ),
        ]
    )
    places = [f"{consumer.queue} → {name}" for name, consumer in scenario.consumers.items()]
    for declaration in scenario.declarations:
        if isinstance(declaration.step, DeclareQueue):
            queue = declaration.step.queue
            places.append(queue.name)
            target = raw(queue.arguments.get("x-dead-letter-exchange"))
            if isinstance(target, str):
                places.append(f"{queue.name} → {shown_exchange(target)}")
    where = max([WHERE, *(width(visible(place)) for place in places)])
    if columns is None:
        return min(message, WIDEST_MESSAGE), min(where, WIDEST_WHERE)
    return min(message, max(MESSAGE, columns // 8)), min(where, max(WHERE, columns // 4))
