"""`routesim run --step`: a recorded run on a terminal, gone through event by event, forwards and backwards."""

import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from routesim.cli.handlers.running import RunOptions, load_all
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, UsageError
from routesim.cli.shared.output import is_terminal, opened, wants_colour
from routesim.cli.shared.progress import Progress
from routesim.cli.terminal.keys import GONE, RESIZED
from routesim.cli.terminal.screen import Terminal
from routesim.explain.answer import Answer, CannotExplain
from routesim.report.formats.plain import painted
from routesim.report.screens.step_screen import Stepping
from routesim.report.style import OutputStyle
from routesim.report.summary.summary import verdict
from routesim.run import Result, Runner
from routesim.text import cut, encoding_of, fitted, padded, wrapped

if TYPE_CHECKING:
    from routesim.explore.what_if import PossibleFailure, RunCourse

FOOTERS = (
    "n event  s step  b back  c end  1-9 to step  e explain  x what if  h help  q quit",
    "n s b c 1-9  e explain  x what if  h help  q quit",
    "n s b c 1-9  e x  h help  q quit",
)
KEYS = (
    ("n, space, right", "the next event"),
    ("s, enter, down", "on to the beginning of the next step; after the last one, to the next instant"),
    ("c, end", "on to the end"),
    ("b, backspace, left", "one event back"),
    ("B, up", "one step back"),
    ("g, home", "back to the beginning"),
    ("7, then enter", "to the beginning of step 7"),
    ("e", "explain the event marked with >: why the message went there, and not elsewhere; at the end of a run that failed, why"),
    ("x", "what if something fails at this moment: choose what, and the run goes on from there"),
    ("r", "back from there to the run as it was"),
    ("h, ?", "this help"),
    ("q", "quit"),
)
NOTES = (
    "The rows are those of the trace; the newest is marked with >. Below it stands what is about to happen.",
    "A number is shown as 1 → 2 where the newest event changed it; `step 3 changed` is what the whole step has changed so far.",
    "Ready messages stand in the order of their delivery. Where it says (by arrival), events do not tell that order: in quorum "
    "queues and with priorities. A message with * has been delivered before.",
)
KEYS_COLUMNS, LEAST_TEXT = 21, 40
FORWARD = {"n": "event", " ": "event", "right": "event", "s": "step", "enter": "step", "down": "step"}
BACK = {"b": "event", "backspace": "event", "left": "event", "B": "step", "up": "step"}


def check(files: list[str], options: RunOptions, others: dict[str, bool]) -> None:
    """Raises `UsageError` for what does not go together with --step; `others` are options and whether they were given."""
    if len(files) > 1:
        raise UsageError("--step goes through one run: give one scenario")
    if files == ["-"]:
        raise UsageError("--step reads keys from stdin: give the scenario as a file")
    given = {
        **others,
        f"--format {options.format}": options.format not in (None, "table"),
        "--output": options.output is not None,
        "--quiet": options.quiet,
        "--coverage": options.coverage,
        "--plot": options.plot,
    }
    for name, is_given in given.items():
        if is_given:
            raise UsageError(f"--step shows one run of the embedded engine on the terminal; leave out {name}")
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageError("--step needs a terminal, to show a screen and to read keys")


def step_through(files: list[str], options: RunOptions) -> int:
    """Runs the scenario and lets somebody look at it; the status is that of the run."""
    [scenario] = load_all(files, options)
    from routesim.run.recording import record

    # As the command line has it, so that what is asked of it by `x` is asked of this run.
    seed = scenario.seed if options.seed is None else options.seed
    scenario = scenario._replace(seed=seed, until=scenario.until if options.until is None else options.until)
    progress = Progress(scenario.name, quiet=False)
    recording, result = record(scenario, max_events=options.max_events, tick=progress.tick)
    progress.clear()
    with opened(None) as out:
        plain = os.environ.get("TERM") == "dumb"
        stepping = Stepping(recording, result, encoding=encoding_of(out), colour=wants_colour(out))
        with Terminal(out, plain=plain) as terminal:
            StepMode(stepping, terminal).go()
            columns, _ = terminal.size()
        last = verdict(result)
        for line in wrapped(fitted(last.text, stepping.encoding), columns - 1):
            out.write(painted(last._replace(text=line), stepping.colour) + "\n")
    return _status(result)


def _status(result: Result) -> int:
    if result.ok:
        return OK
    return NO_VERDICT if result.kept_going and result.ended == "budget" and not result.ending_expected else NO


class StepMode:
    """What the keys do. `at` is the position, `typed` the digits of a step to jump to, `message` the answer to the last key;
    `left`: the runs in which `x` was answered, each with its course and where one was in it."""

    def __init__(self, stepping: Stepping, terminal: Terminal) -> None:
        self.stepping, self.terminal = stepping, terminal
        self.course: RunCourse | None = None
        self.run: Result | None = None  # with all that is to be known of its end
        self.left: list[tuple[Stepping, RunCourse | None, int]] = []
        self.stops = stepping.stops
        self.at = self.stops.starts[0] if self.stops.starts else self.stops.first
        self.typed = ""
        self.message = ""

    def go(self) -> None:
        """Until it is quit."""
        while True:
            self._draw()
            key = self.terminal.key()
            if key in ("q", "Q", GONE):
                return
            if key == RESIZED:
                continue
            self.message = ""
            if key.isdecimal() or self.typed:
                self._type(key)
            elif key in FORWARD or key in BACK or key in ("c", "end", "g", "home"):
                self._move(key)
            elif key == "e":
                self._explain()
            elif key == "x":
                self._what_if()
            elif key == "r":
                self._return()
            elif key in ("h", "?"):
                self._read(lambda columns: _help(columns, self.stepping.encoding))

    def _draw(self) -> None:
        columns, lines = self.terminal.size()
        footers = [each.replace("x what if", "x what if  r return") for each in FOOTERS] if self.left else FOOTERS
        footer = next((each for each in footers if columns > len(each)), footers[-1])
        if self.typed:
            footer = f"to step {self.typed}_   (enter: go there, escape: stay)"
        self.terminal.show(self.stepping.screen(self.at, columns, lines, self.message or footer))

    # Moving ------------------------------------------------------------------------------------------------------------

    def _move(self, key: str) -> None:
        stops = self.stops
        if key in FORWARD:
            to = stops.after(self.at, stops.events if FORWARD[key] == "event" else stops.steps)
        elif key in BACK:
            to = stops.before(self.at, stops.events if BACK[key] == "event" else stops.steps)
        else:
            to = stops.last if key in ("c", "end") else stops.first
        if to == self.at:
            self.message = "that is the end of the run" if to == stops.last else "that is the beginning"
        self.at = to

    def _type(self, key: str) -> None:
        if key.isdecimal():
            self.typed = (self.typed + key)[:9]
        elif key == "backspace":
            self.typed = self.typed[:-1]
        elif key == "enter":
            self._jump(int(self.typed))
            self.typed = ""
        else:
            self.typed = ""

    def _jump(self, step: int) -> None:
        steps, reached = len(self.stepping.scenario.steps), len(self.stops.starts)
        if step > steps:
            self.message = f"there is no step {step}: the last is {steps}" if steps else "there are no steps"
        elif step > reached:
            self.message = f"step {step} is not in this recording: it goes up to step {reached}"
        else:
            self.at = self.stops.starts[step - 1] if step else self.stops.first

    # Reading -----------------------------------------------------------------------------------------------------------

    def _explain(self) -> None:
        try:
            answer = self._answer()
        except CannotExplain as problem:
            self.message = str(problem)
            return
        self._read(lambda columns: self._lines(answer, columns))

    def _answer(self) -> Answer:
        from routesim.explain.event_text import explain_end, explain_moment

        result = self.stepping.result
        if self.at == self.stops.last and not result.ok:
            return explain_end(result)
        shown = [index for index in range(self.at) if self.stepping.rows[index] is not None]
        if self.at == self.stops.first or not shown:
            raise CannotExplain("nothing has happened yet: e explains the event marked with >")
        return explain_moment(result, self.stepping.events, shown[-1])

    # What if ------------------------------------------------------------------------------------------------------------

    def _what_if(self) -> None:
        """Lets somebody choose what fails at this moment, and goes on in the run that comes of it."""
        from routesim.explore.what_if import NoWhatIf, course_of
        from routesim.report.screens.what_if import outcome

        stepping = self.stepping
        if self.course is None:
            self.course = course_of(stepping.scenario, stepping.events)
        try:
            choice = self._chosen(self.course.choices(self.stops.since(self.at), self.at))
            if choice is None:
                return
            branch = self.course.carried_out(choice)
        except NoWhatIf as problem:
            self.message = str(problem)
            return
        if self.run is None:
            self.run = Runner(stepping.scenario).run()
        before = f"{stepping.aside.partition(':')[0]}, and then " if stepping.aside else "what if "
        aside = f"{before}{choice.words}: {outcome(self.run, branch)}"
        self.left.append((stepping, self.course, self.at))
        self.course = branch.course
        self._see(
            Stepping(branch.recording, branch.result, encoding=stepping.encoding, colour=stepping.colour, aside=aside), branch.at
        )

    def _return(self) -> None:
        if not self.left:
            self.message = "r comes back from what x was answered; this is the run as it is"
            return
        stepping, self.course, at = self.left.pop()
        self._see(stepping, at)

    def _see(self, stepping: Stepping, at: int) -> None:
        self.stepping, self.stops, self.at = stepping, stepping.stops, at

    def _chosen(self, choices: "list[PossibleFailure]") -> "PossibleFailure | None":
        """The one that somebody chooses; None: none of them."""
        from routesim.report.screens.what_if import menu

        chosen, typed, now = 0, "", self.stepping.recording.at(self.at).at_ms
        while True:
            columns, lines = self.terminal.size()
            footer = f"{typed}_   (enter: carry it out)" if typed else "1-9 or up, down, enter: carry it out; q: back to the run"
            shown = menu(choices, chosen, now, columns, lines, self.stepping.encoding)
            self.terminal.show([*shown, *[""] * (lines - 1 - len(shown)), cut(footer, columns - 1, self.stepping.more)])
            key = self.terminal.key()
            if key in ("down", "n", "up", "b"):
                chosen, typed = (chosen + (1 if key in ("down", "n") else -1)) % len(choices), ""
            elif key.isdecimal():
                typed += key
                if int(typed) in range(1, len(choices) + 1):
                    chosen = int(typed) - 1
                    if int(typed) * 10 > len(choices):
                        return choices[chosen]
                else:
                    typed = ""
            elif key in ("enter", " "):
                return choices[chosen]
            elif key != RESIZED:
                return None

    def _lines(self, answer: Answer, columns: int) -> list[str]:
        from routesim.report.answers.explanation import write_table

        out = io.TextIOWrapper(io.BytesIO(), encoding=self.stepping.encoding, newline="")
        write_table(out, answer, OutputStyle(self.stepping.colour, columns - 1, quiet=False))
        out.flush()
        raw = out.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode(out.encoding).split("\n")[:-1]

    def _read(self, page: Callable[[int], list[str]]) -> None:
        """A text of any length, until a key that does not move in it."""
        top = 0
        while True:
            columns, lines = self.terminal.size()
            text = page(columns)
            room = max(lines - 1, 1)
            top = max(min(top, len(text) - room), 0)
            shown = text[top : top + room]
            more = f"lines {top + 1}-{top + len(shown)} of {len(text)}; space, b: move; " if len(text) > room else ""
            self.terminal.show([*shown, *[""] * (room - len(shown)), cut(f"{more}q: back to the run", columns - 1)])
            key = self.terminal.key()
            if key in ("down", "enter", "n"):
                top += 1
            elif key in ("up",):
                top -= 1
            elif key in (" ", "page down"):
                top += room
            elif key in ("b", "page up"):
                top -= room
            elif key != RESIZED:
                return


def _help(columns: int, encoding: str) -> list[str]:
    lines = []
    for keys, text in ((fitted(keys, encoding), fitted(text, encoding)) for keys, text in KEYS):
        if columns - KEYS_COLUMNS >= LEAST_TEXT:
            first, *rest = wrapped(text, columns - KEYS_COLUMNS - 1)
            lines += [padded(keys, KEYS_COLUMNS) + first, *(" " * KEYS_COLUMNS + line for line in rest)]
        else:
            lines += [keys, *("  " + line for line in wrapped(text, columns - 3))]
    return [*lines, *(line for note in NOTES for line in ("", *wrapped(fitted(note, encoding), columns - 1)))]
