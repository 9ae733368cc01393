"""Running a scenario text through the command line in this process, and reading what comes back."""

import contextlib
import io
import json
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from routesim.cli.main import _status
from routesim.text import width

LIMIT_S = 10.0
PUBLISHES = ("routed", "returned", "unroutable", "refused", "failed", "delayed", "uncommitted", "rolled_back")
COPIES_IN = ("enqueued", "dead_letter_copies", "replayed")
COPIES_OUT = (
    "ready", "unacked", "awaiting_dead_letter", "acked", "dead_lettered", "dropped", "purged", "deleted", "lost_at_restart",
)  # fmt: skip
NO_PROBLEM = "no diagnostics"


class TooSlow(BaseException):
    """Not an Exception, so that nothing in between can take it for a mistake of its own."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Processor time, so that a busy machine fails nothing; of a wait that never ends, twenty times as much."""

    def stop(*_: object) -> None:
        raise TooSlow(f"still at it after {seconds} s")

    timers = {signal.ITIMER_PROF: (signal.SIGPROF, seconds), signal.ITIMER_REAL: (signal.SIGALRM, 20 * seconds)}
    before = {number: signal.signal(number, stop) for number, _ in timers.values()}
    for timer, (_, limit) in timers.items():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The one JSON object of the output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self
        result: dict[str, Any] = json.loads(lines[0], parse_constant=_no_constant)
        return result

    @property
    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.result["events"]
        return events

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these kinds, in order."""
        return [event for event in self.events if event["event"] in kinds]

    def ready(self, queue: str) -> list[str]:
        return [item["message"] for item in self.result["queues"][queue]["ready"]]

    def answers(self, consumer: str) -> list[tuple[str, Any]]:
        return [(item["message"], item["answer"]) for item in self.result["consumers"][consumer]["deliveries"]]

    def delivered(self, consumer: str) -> list[str]:
        return [item["message"] for item in self.result["consumers"][consumer]["deliveries"]]

    def times(self, kind: str) -> list[tuple[int, str]]:
        return [(event["at_ms"], event["message"]) for event in self.of(kind)]


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


class Stdin:
    """What `sys.stdin` is when somebody pipes these bytes in."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


def routesim(
    *arguments: str, files: dict[str, str | bytes] | None = None, stdin: bytes = b"", limit_s: float = LIMIT_S
) -> Outcome:
    """The command line in this process, in a folder of its own that holds these files."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, content in (files or {}).items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        before = sys.stdin
        stream: Any = Stdin(stdin)
        sys.stdin = stream
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), time_limit(limit_s):
                status = _status(list(arguments))
        except TooSlow as slow:
            raise AssertionError(str(slow)) from None
        finally:
            sys.stdin = before
    outcome = Outcome(status, out.getvalue(), err.getvalue())
    assert "internal error" not in outcome.err, outcome.err
    assert "Traceback" not in outcome.err + outcome.out, outcome
    return outcome


def play(text: str, *arguments: str, files: dict[str, str | bytes] | None = None, limit_s: float = LIMIT_S) -> Outcome:
    """Run a scenario that loads; its JSON result. What holds for every result is checked here."""
    outcome = routesim(
        "run", "scene.yaml", "--format", "json", *arguments, files={"scene.yaml": text, **(files or {})}, limit_s=limit_s
    )
    assert outcome.status in (0, 1, 3), outcome.err
    result = outcome.result
    assert result["ok"] is (outcome.status == 0), outcome
    assert outcome.status != 3 or result["ended"] == "budget"
    assert_balanced(result["counts"])
    assert [event["seq"] for event in result["events"]] == list(range(1, len(result["events"]) + 1))
    instants = [event["at_ms"] for event in result["events"]]
    assert instants == sorted(instants)
    return outcome


def assert_balanced(counts: dict[str, int]) -> None:
    assert counts["published"] == sum(counts[name] for name in PUBLISHES), counts
    assert sum(counts[name] for name in COPIES_IN) == sum(counts[name] for name in COPIES_OUT), counts


def ok(text: str, *arguments: str, files: dict[str, str | bytes] | None = None, limit_s: float = LIMIT_S) -> Outcome:
    """Run a scenario whose answer is yes, without a word on stderr."""
    outcome = play(text, *arguments, files=files, limit_s=limit_s)
    assert (outcome.status, outcome.err) == (0, ""), (outcome.err, outcome.result["expectations"], outcome.result["errors"])
    return outcome


def checked(text: str, *arguments: str, files: dict[str, str | bytes] | None = None) -> list[bool]:
    """For each expectation of a scenario, in order, whether it held."""
    return [item["ok"] for item in play(text, *arguments, files=files).result["expectations"]]


# Diagnostics ---------------------------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """A diagnostic as it is printed. `marked` is the text above the carets."""

    severity: str
    code: str
    message: str
    file: str
    line: int
    column: int
    marked: str
    cure: str


def _above(source: str, first: int, last: int) -> str:
    """The part of a line between two columns of the screen."""
    columns, part = 0, ""
    for character in source:
        if first <= columns < last:
            part += character
        columns += width(character)
    return part


HEAD = re.compile(r"(error|warning|note)\[([a-z0-9-]+)\]: (.+)")
PLACE = re.compile(r" +--> (.*?)(?::(\d+):(\d+))?")


def problems_in(err: str) -> list[Problem]:
    """Every diagnostic of an error output; anything that is not of the agreed form fails."""
    found: list[Problem] = []
    blocks = [block for block in err.split("\n\n") if block.strip()]
    for block in blocks:
        lines = block.strip("\n").split("\n")
        if re.fullmatch(r"[\d,]+ errors?\.", lines[0]):
            errors = sum(item.severity == "error" for item in found)
            assert lines == [f"{errors:,} error{'' if errors == 1 else 's'}."], err
            continue
        head = HEAD.fullmatch(lines[0])
        assert head, block
        file, line, column, marked, cure = "", 0, 0, "", ""
        rest = lines[1:]
        if rest and (place := PLACE.fullmatch(rest[0])):
            file, line, column = place[1], int(place[2] or 0), int(place[3] or 0)
            rest = rest[1:]
        if rest and rest[0].strip() == "|":
            source, carets = rest[1], rest[2]
            number, _, _ = source.partition(" | ")
            assert number == str(line), block
            spots = [index for index, character in enumerate(carets) if character == "^"]
            assert spots, block
            assert carets[spots[0] : spots[-1] + 1] == "^" * len(spots), block
            marked = _above(source, spots[0], spots[-1] + 1)
            rest = rest[3:]
        if rest:
            assert re.fullmatch(r" += help: .+", rest[0]), block
            cure = rest[0].partition("= help: ")[2]
            assert len(rest) == 1, block
        found.append(Problem(head[1], head[2], head[3], file, line, column, marked, cure))
    return found


def refused(text: str | bytes, *, files: dict[str, str | bytes] | None = None, limit_s: float = LIMIT_S) -> list[Problem]:
    """The diagnostics of a scenario that cannot be used: status 2, nothing on stdout, at least one error."""
    outcome = routesim("run", "scene.yaml", files={"scene.yaml": text, **(files or {})}, limit_s=limit_s)
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    problems = problems_in(outcome.err)
    assert any(problem.severity == "error" for problem in problems), outcome.err
    return problems


def only(text: str | bytes, *, files: dict[str, str | bytes] | None = None) -> Problem:
    """The one diagnostic of a scenario that cannot be used."""
    problems = refused(text, files=files)
    assert len(problems) == 1, problems
    return problems[0]


def warned(text: str, *, files: dict[str, str | bytes] | None = None, status: int = 0) -> list[Problem]:
    """The warnings of a scenario that runs."""
    outcome = play(text, files=files)
    assert outcome.status == status, outcome
    problems = problems_in(outcome.err)
    assert all(problem.severity == "warning" for problem in problems), problems
    return problems
