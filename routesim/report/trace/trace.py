"""A trace as lines of fixed columns, written as the events come: any length in constant memory."""

from collections.abc import Callable, Sequence
from typing import IO, Any

from routesim.durations import seconds
from routesim.events import DeadLettered, Published, Requeued
from routesim.report.trace.filtering import RowFilter
from routesim.report.trace.own_events import OwnEvents
from routesim.report.trace.rounds import Rounds
from routesim.report.trace.rows import COLUMNS, Row, Rows
from routesim.report.trace.short_names import ARROW, TITLE, ShortNames
from routesim.report.trace.why_not import ASK, CHANGES, WhyNot
from routesim.scenario import Scenario
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET
from routesim.text import encoding_of, fitted, padded, visible, width, wrapped

ANSI = {PLAIN: "", GOOD: "\x1b[32m", NOTICE: "\x1b[33m", BAD: "\x1b[1;31m", QUIET: "\x1b[2m"}
RESET = "\x1b[0m"
DEEPEST = 3
TIME = 8  # columns of the time
NARROW = 100  # up to so many columns indentation and reasons have to make do with less
USUAL = 80  # columns of a terminal that nobody has widened
LEAST_WHY = 15
MOST_LINES = 5  # of a reason in its column; a longer one has lines of its own, which are wider
FOLD_AFTER = 5  # rounds of one message at one instant; what goes on is counted, not shown
NO_TIME = " " * (TIME + 2)
MAX_CELLS = 1_000  # of one column
BETWEEN = COLUMNS[1:-1]  # what is padded: the event is indented, and the reason takes the rest


class Trace:
    """`columns` None: as wide as it gets, for a pipe; else what does not fit is wrapped within the last column. `scenario` None:
    nobody knows what will come. `shown`: which rows; None: all. `shorten`: names that are wider than their column, which `end`
    lists in full."""

    def __init__(
        self, out: IO[str], scenario: Scenario | None, *, colour: bool, columns: int | None, shown: RowFilter | None = None,
        shorten: bool = False,
    ) -> None:  # fmt: skip
        self.shown = shown
        self.write: Callable[[str], object] = out.write
        self.encoding = encoding_of(out)
        self.utf8 = self.encoding.lower().replace("-", "") == "utf8"
        self.rows = Rows()
        self.own_events = OwnEvents(scenario) if scenario is not None and scenario.workers else None
        self.why_not = WhyNot(scenario) if scenario is not None else None
        self.colour = colour
        self.columns = columns
        narrow = columns is not None and columns <= NARROW
        self.event, self.indent = (17, " ") if narrow else (20, "  ")
        self.widths = _widths(scenario, columns, TIME + 2 + self.event)
        self.why = TIME + 2 + self.event + sum(each + 2 for each in self.widths)
        room = columns - self.why - 1 if columns is not None else 0
        self.reasons = room if room >= LEAST_WHY else 0  # columns of the reasons; 0: they have lines of their own
        self.names = ShortNames(fitted("…", self.encoding)) if shorten and columns is not None else None
        self.tasks = frozenset(scenario.tasks) if scenario is not None else frozenset()
        self.events: list[dict[str, str]] = [{} for _ in range(DEEPEST + 1)]
        self.cells: list[dict[str, str]] = [{} for _ in BETWEEN]
        self.rounds: dict[str, int] = {}
        self.rounds_over_time = Rounds(scenario)
        self.folded = 0
        self.last_ms = -1

    def header(self) -> None:
        between = "".join(f"{column.field:<{each}}  " for column, each in zip(BETWEEN, self.widths, strict=True))
        names = f"{'time s':>{TIME}}  {COLUMNS[0].field:<{self.event}}{between}{COLUMNS[-1].field}"
        if self.columns is not None:
            names = names[: self.columns - 1].rstrip()
        line = "─" * (self.columns - 1 if self.columns else self.why + 24)
        text = f"{names}\n{line}\n" if not self.colour else f"\x1b[1m{names}{RESET}\n\x1b[2m{line}{RESET}\n"
        self.write(fitted(text, self.encoding))

    def listen(self, event: Any) -> None:
        row = self.rows.row(event)
        if self.why_not is not None and type(event) in CHANGES:
            self.why_not.hear(event)
        if row is None or (self.shown is not None and not self.shown.shows(event)):
            return
        own = self.own_events
        if own is not None:
            concerned = own.concerns(event)
            if not concerned or type(event) is Published:
                self._add_own(own)
            if concerned:
                own.note(event, row)
                return
        if self.rounds_over_time.hides(event, row):
            return
        if row.message and (told := self.rounds_over_time.told(row.message)):
            self._say(told)
        if row.at_ms != self.last_ms:
            self.next_instant()
        elif type(event) is Requeued or type(event) is DeadLettered:
            self.rounds[row.message] = self.rounds.get(row.message, 0) + 1
        if self.rounds and row.message and self.rounds.get(row.message, 0) > FOLD_AFTER:
            self.folded += 1
            return
        if self.folded:
            self.unfold()
        self.add(row)
        if row.tone is BAD and self.why_not is not None:
            for line in self.why_not.lines(event):
                if line.startswith(ASK) and self._stands_alone(width(line)):
                    self._alone(line)
                else:
                    self.add(Row(row.at_ms, row.depth, "", "", "", line, QUIET))

    def _stands_alone(self, wide: int) -> bool:
        """Whether a command does not fit in its column, but on a line; where the terminal is no narrower than most, it is whole
        whatever its length."""
        return self.columns is not None and self.why + wide >= self.columns and (wide < self.columns or self.columns >= USUAL)

    def _alone(self, line: str) -> None:
        """A command that is to be copied, on one line: indented where there is room, and never broken."""
        assert self.columns is not None
        text = visible(line)
        text = " " * max(0, min(TIME + 2, self.columns - 1 - width(text))) + text
        self.write(fitted(f"{ANSI[QUIET]}{text}{RESET}\n" if self.colour else f"{text}\n", self.encoding))

    def _add_own(self, own: OwnEvents) -> None:
        """The last event message of a worker, now that it is known where it went."""
        row = own.row()
        if row is not None:
            if row.at_ms != self.last_ms:
                self.next_instant()
            self.unfold()
            self.add(row)

    def next_instant(self) -> None:
        """The next row is at another instant."""
        self.unfold()
        self.rounds.clear()

    def end(self) -> None:
        """Nothing more happens: what is still to say."""
        if self.own_events is not None:
            self._add_own(self.own_events)
        self.unfold()
        for told in self.rounds_over_time.rest():
            self._say(told)
        if self.names is not None and self.names.given:
            assert self.columns is not None
            title = f"\x1b[1m{TITLE}{RESET}" if self.colour else TITLE
            self.write(fitted("\n".join(["", title, *self.names.lines(self.columns), ""]), self.encoding))
        if self.shown is not None and self.last_ms < 0:
            self.write(fitted(f"no event is left by {visible(self.shown.described())}\n", self.encoding))

    def unfold(self) -> None:
        """Say how many rows of a message going round were not shown."""
        if self.folded:
            text = f"… {self.folded} more rows of the same at this instant"
            self.folded = 0
            self._say(text)

    def _say(self, text: str) -> None:
        """A line that is no row."""
        text = visible(text)
        room = max(LEAST_WHY, self.columns - len(NO_TIME) - 1) if self.columns is not None else width(text)
        for line in wrapped(text, room):
            self.write(fitted(f"{NO_TIME}{line}\n", self.encoding))

    def add(self, row: Row) -> None:
        """Write one row. Texts recur, so their cells are made once; a message's seldom recurs, and to make it takes no longer."""
        at_ms, depth, event, message, where, why, tone = row
        time = NO_TIME if at_ms == self.last_ms else self._time(at_ms)
        label = self.events[depth if depth < DEEPEST else DEEPEST].get(event) or self._event(depth, event)
        messages, places = self.cells
        if len(message) <= self.widths[0] and message.isascii() and message.isprintable():
            cell = message.ljust(self.widths[0] + 2)
        else:
            cell = messages.get(message) or self._cell(0, message)
        place = places.get(where) or self._cell(1, where)
        if not why.isprintable():
            why = visible(why)
        if self.columns is not None:
            text = self._within(self.columns, row, time + label, cell, place, why)
        else:
            text = f"{time}{label}{cell}{place}{why}" if why else f"{time}{label}{cell}{place}".rstrip()
        if self.colour and tone != PLAIN:
            text = f"{ANSI[tone]}{text}{RESET}"
        self.write(f"{text}\n" if self.utf8 else fitted(f"{text}\n", self.encoding))

    def _time(self, at_ms: int) -> str:
        """What stands before the first row of an instant."""
        if self.last_ms < 0:
            self.header()
        self.last_ms = at_ms
        return seconds(at_ms).rjust(TIME) + "  "

    def _within(self, columns: int, row: Row, begin: str, cell: str, place: str, why: str) -> str:
        """A row in so many columns, on as many lines as that takes. `begin`: the text up to the cell of the message."""
        if self.names is not None and row.event and row.tone is not BAD and 0 < self.reasons < width(why):
            why = self._reason(why)
        before = len(begin) + width(cell) + width(place)
        if before > self.why:
            return self._stacked(begin, (row.message, row.where), why)
        text = f"{begin}{cell}{place}"
        if before + width(why) >= columns:
            return self._folded(text, why)
        return text + why if why else text.rstrip()

    def _event(self, depth: int, event: str) -> str:
        depth = min(depth, DEEPEST)
        shown = self.indent * depth + event
        cell = self.events[depth][event] = f"{shown:<{self.event}}" if len(shown) < self.event else shown + " "
        return cell

    def _cell(self, at: int, text: str) -> str:
        cells = self.cells[at]
        if len(cells) > MAX_CELLS:
            cells.clear()
        columns = self.widths[at]
        if text.isascii() and len(text) <= columns and text.isprintable():  # as most are: nothing is to be shortened or escaped
            cell = cells[text] = text.ljust(columns + 2)
        else:
            cell = cells[text] = padded(self._named(at, text), columns) + "  "
        return cell

    def _named(self, at: int, text: str) -> str:
        """What stands in a column."""
        if self.names is not None:
            text = self.names.place(text, self.widths[at], min(self.widths[at], self.reasons or self.widths[at]))
        return visible(text)

    def _reason(self, why: str) -> str:
        """A reason wider than its column, with tasks and what is shortened elsewhere as short as that wants them."""
        assert self.names is not None
        room = self.reasons
        words = []
        for word in why.split(" "):
            name = word.rstrip(",:")
            if width(name) > room and (name in self.tasks or name in self.names.given):
                word = self.names.name(name, room, room) + word[len(name) :]
            words.append(word)
        return " ".join(words)

    def _stacked(self, begin: str, between: Sequence[str], why: str) -> str:
        """A row in which a name is longer than its column: what follows stands at its place on the next line."""
        assert self.columns is not None
        lines, line, place = [], begin, TIME + 2 + self.event
        for at, (text, each) in enumerate(zip(between, self.widths, strict=True)):
            if text:
                if width(line) > place:
                    lines.append(line)
                    line = ""
                *before, last = self._parts(self._named(at, text), place)
                for part in before:
                    lines.append(padded(line, place) + part)
                    line = ""
                line = padded(line, place) + last + "  "
            place += each + 2
        if not why:
            lines.append(line)
        elif width(line) > self.why:
            lines += [line, self._folded(" " * self.why, why)]
        else:
            lines.append(self._folded(padded(line, self.why), why))
        return "\n".join(part for line in lines for part in self._narrow(line.rstrip()))

    def _parts(self, text: str, place: int) -> list[str]:
        """The names of a place below one another, where they have room so and not beside one another."""
        assert self.columns is not None
        parts = text.replace(ARROW, f"{ARROW.rstrip()}\n").split("\n")
        fit = place + max(map(width, parts)) < self.columns <= place + width(text)
        return parts if fit else [text]

    def _folded(self, text: str, why: str) -> str:
        """A row that does not fit on several lines: the reason within its column, or on lines of its own."""
        assert self.columns is not None
        room = self.columns - self.why - 1
        if room >= LEAST_WHY and len(lines := wrapped(why, room)) <= MOST_LINES:
            first, *rest = lines
            return "\n".join([(text + first).rstrip(), *(" " * self.why + line for line in rest)])
        indent = min(TIME + 2 + self.event, (self.columns + 2) // 3)
        lines = [" " * indent + line for line in wrapped(why, self.columns - indent - 1) if line]
        return "\n".join([*(part for part in self._narrow(text.rstrip()) if part), *lines])

    def _narrow(self, text: str) -> list[str]:
        """The columns before the reason, broken where even they are too wide."""
        assert self.columns is not None
        if "\n" in text or width(text) < self.columns:
            return [text]
        lead = min(len(text) - len(text.lstrip()), self.columns // 3)
        indent = min(TIME + 4, self.columns // 3)
        first, *rest = wrapped(" ".join(text.split()), self.columns - max(lead, indent) - 1)
        return [" " * lead + first, *(" " * indent + line for line in rest)]


def painted_row(text: str, *, bad: bool, colour: bool) -> str:
    return f"{ANSI[BAD if bad else GOOD]}{text}{RESET}" if colour else text


def _widths(scenario: Scenario | None, columns: int | None, before: int) -> list[int]:
    """Of the columns between event and reason, known before the first event: as wide as their texts where these have room
    beside what stands `before` them and the shortest column of reasons; else by their shares of the whole."""
    if scenario is None:
        return [column.widest if columns is None else max(column.least, columns // column.share) for column in BETWEEN]
    wanted = []
    for column in BETWEEN:
        expected = column.expected(scenario) if column.expected is not None else ()
        wanted.append(min(max([column.least, *(width(visible(text)) for text in expected)]), column.widest))
    if columns is None:
        return wanted
    widths = [min(each, max(column.least, columns // column.share)) for each, column in zip(wanted, BETWEEN, strict=True)]
    room = columns - 1 - before - 2 * len(widths)
    why = LEAST_WHY if room - sum(widths) >= LEAST_WHY else 0  # else it has lines of its own
    for at, each in enumerate(wanted):
        spare = room - sum(widths) - why
        if widths[at] < each <= widths[at] + spare:  # a name that does not fit gains nothing by a wider column
            widths[at] = each
    return widths
