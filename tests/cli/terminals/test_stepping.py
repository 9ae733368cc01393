"""Step mode on a real pseudo terminal: every key, what the screen shows then, and how the terminal is left."""

import os
import signal
from pathlib import Path
from random import Random

import pytest
from kits.cli import ANSI, COMMAND, SHOES, columns_of, routesim
from kits.paths import SCENARIO_FILES, SCENARIOS
from kits.screen import Sitting, sitting

from routesim.cli.terminal.keys import GONE, RESIZED
from routesim.cli.terminal.step_mode import StepMode
from routesim.report.screens.step_list import step_lines
from routesim.report.screens.step_screen import Stepping
from routesim.run.recording import record
from routesim.scenario import ScenarioStep, Wait, load

BEGIN = "step 0 of 3"
NEXT, BACK = "\x1b[C", "\x1b[D"


def typed(screen: Sitting, keys: str, then: str) -> str:
    """The screen after each of the keys, once it shows `then` after the last one."""
    for key in keys[:-1]:
        screen.type(key)
    return screen.type(keys[-1], then)


def ended(screen: Sitting) -> int:
    screen.type("q")
    status = screen.end()
    assert screen.cooked()
    return status


def test_events_one_at_a_time_and_back() -> None:
    with sitting("run", SHOES, "--step") as screen:
        first = screen.until(BEGIN)
        assert "next:  step 1, line 31: publish" in first
        seen = [first]
        for then in ("event 14", "event 15", "event 16", "event 18", "event 20"):
            seen.append(screen.type("n", then))
        assert ">          enqueued        m1       audit                 #.shoes" in seen[2]
        assert "  audit      0 → 1        0  m1" in seen[2]
        assert "step 1 changed:  audit 0 → 1 ready" in seen[2]
        assert "  packer    warehouse  0 → 1  m1" in seen[4]
        assert "step 1 done" in seen[4]
        for before in reversed(seen[:-1]):
            assert screen.type("b", lambda text, wanted=before: text == wanted) == before
        assert "that is the beginning" in screen.type("b", "that is the beginning")
        assert ended(screen) == 0
        assert "OK  Shoes leave the warehouse: 13 of 13 expectations held" in screen.text


@pytest.mark.parametrize(
    ("forth", "then", "back"),
    [
        ("n", "event 14", "b"), (" ", "event 14", "\x7f"), (NEXT, "event 14", BACK), ("\x1bOC", "event 14", "\x1bOD"), ("s", "event 18", "B"),
        ("\r", "event 18", "\x1b[A"), ("\x1b[B", "event 18", "B"), ("c", "event 54 of 54", "g"), ("\x1b[F", "event 54 of 54", "\x1b[H"),
        ("3\r", "event 22", "g"), ("3\r", "event 22", "0\r"), ("e", "nothing has happened yet", "b"), ("h", "the next event", "q"),
        ("?", "the next event", "h"), ("9\r", "there is no step 9", "b"), ("x", "the broker is killed", "q"), ("r", "r comes back", "b"), ("12", "to step 12_", "\x1b"), ("1\x7f2\r", "event 18", "B"),
    ],
)  # fmt: skip
def test_every_key_and_the_way_back(forth: str, then: str, back: str) -> None:
    """From the beginning and back to it: the very same screen."""
    with sitting("run", SHOES, "--step") as screen:
        first = screen.until(BEGIN)
        screen.type(forth, then)
        screen.type(back)
        shown = screen.until(BEGIN)
        assert shown.splitlines()[:-1] == first.splitlines()[:-1]
        assert ended(screen) == 0


def test_what_if_it_crashes_here_and_back() -> None:
    with sitting("run", "scenarios/explore/auto-ack.yaml", "--step") as screen:
        screen.until("step 0 of 1")
        before = typed(screen, "nnn", ">           delivered")
        offered = screen.type("x", "What if")
        assert (
            ">  1  crash          the connection of worker is lost before its work at\n                     welcome is done"
            in offered
        )
        assert "   3  kill           the broker is killed and starts again" in offered
        assert screen.type("q", "the run is over") == before
        screen.type("x", "What if")
        screen.type("\x1b[B", ">  2  restart")
        screen.type("\x1b[A", ">  1  crash")
        gone = screen.type("\r", "what if the connection of worker is lost")
        assert "welcome: mail: acked → mail: lost" in gone
        assert "LOST            welcome" in gone
        assert "r return" in gone
        assert "2 of 3 expectations held" in screen.type("c", "the run is over")
        screen.type("x", "What if")
        screen.type("3", "and then the broker is killed")
        screen.type("r", lambda text: "killed" not in text)
        assert screen.type("r", lambda text: "what if the" not in text) == before
        assert ended(screen) == 0
        assert "OK  A worker that acknowledges when it is sent" in screen.text


def test_it_begins_at_the_first_step_with_what_was_before() -> None:
    with sitting("run", SHOES, "--step") as screen:
        first = screen.until(BEGIN)
        assert "before the first step: 3 exchanges, 4 queues and 4 bindings declared, 1\nconsumer started" in first
        assert ended(screen) == 0
    with sitting("run", BLIP, "--step") as screen:
        first = screen.until("step 0 of 8")
        assert "consumers and 1 worker started" in first
        assert "next:  step 1, line" in first
        assert "nothing has happened yet" in screen.type("g", "event 0 of")
        assert ended(screen) == 0


def test_after_the_last_step_it_goes_on_by_instants() -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        screen.type("3", "to step 3_")
        screen.type("\r", "event 22")
        for then in ("event 26 of 54 · 0.000 s", "event 28 of 54 · 0.200 s", "event 30 of 54 · 0.400 s"):
            screen.type("s", then)
        screen.type("B", "event 28 of 54")
        assert ended(screen) == 0


def test_the_whole_screen_is_used() -> None:
    """What tables leave is for the trace, with the steps before."""
    with sitting("run", SHOES, "--step", lines=60) as screen:
        screen.until(BEGIN)
        end = screen.type("c", "event 54 of 54")
        assert "   0.000  published        m1       shop                  ship.shoes" in end
        assert "step 2, line 32: publish {exchange: shop, routing_key: ship.boots}" in end
        assert ">  1.400  acked            m2       warehouse             by packer" in end
        assert ended(screen) == 0


def test_what_is_left_below_the_tables_is_for_the_steps() -> None:
    with sitting("run", SHOES, "--step", lines=40) as screen:
        first = screen.until(BEGIN)
        assert "steps\n  1, line 31: publish {exchange: shop, routing_key: ship.shoes" in first
        assert "\n  3, line 33: publish {exchange: shop, routing_key: refund}\n" in first
        assert "\n> 2, line 32: publish {exchange: shop, routing_key: ship.boots}\n" in screen.type("ss", "step 2 of 3")
        assert ended(screen) == 0


def test_the_list_of_steps_goes_along() -> None:
    steps = [ScenarioStep(line, f"get {{queue: q{line}}}", Wait(0)) for line in range(1, 31)]
    assert step_lines(steps, 0, 1, "…") == []
    assert [text for text, _ in step_lines(steps, 20, 8, "…")] == [
        "steps", "  …", "  19, line 19: get {queue: q19}", "> 20, line 20: get {queue: q20}", "  21, line 21: get {queue: q21}",
        "  22, line 22: get {queue: q22}", "  23, line 23: get {queue: q23}", "  …",
    ]  # fmt: skip
    assert [text for text, _ in step_lines(steps, 30, 4, "…")][-1] == "> 30, line 30: get {queue: q30}"
    assert [text for text, _ in step_lines(steps[:2], 0, 8, "…")] == [
        "steps", "  1, line 1: get {queue: q1}", "  2, line 2: get {queue: q2}",
    ]  # fmt: skip


def test_the_end_tells_the_verdict_and_stays() -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        end = screen.type("c", "event 54 of 54")
        assert "the run is over: idle" in end
        assert "OK  Shoes leave the warehouse" in end
        assert "that is the end of the run" in screen.type("n", "that is the end")
        assert ended(screen) == 0


def test_it_explains_the_route_with_what_did_not_match() -> None:
    with sitting("run", SHOES, "--step", lines=45) as screen:
        screen.until(BEGIN)
        page = typed(screen, "2\rnne", "so far")
        assert "m3: exchange 'shop' (topic), routing key ship.boots: reaches warehouse" in page
        assert "✘  #.shoes" in page
        assert "put into warehouse: binding ship.* of 'shop' matched" in page
        assert "m3" in screen.type("q", "event 22")


def test_it_explains_with_the_bindings_and_consumers_of_that_moment(tmp_path: Path) -> None:
    (tmp_path / "moved.yaml").write_text(
        """
exchanges: {x: direct}
queues: {old: {}, new: {}}
bindings: [{source: x, destination: old, routing_key: k}]
consumers: {busy: {queue: new, prefetch: 1, takes: 1h}, idle: {queue: new, prefetch: 1, takes: 1h}}
steps:
  - publish: {exchange: x, routing_key: k, id: m1}
  - unbind: {source: x, destination: old, routing_key: k}
  - bind: {source: x, destination: new, routing_key: k}
  - publish: {exchange: x, routing_key: k, id: m2}
  - publish: {exchange: x, routing_key: k, id: m3}
until: steps
""",
        encoding="utf-8",
    )
    with sitting("run", "moved.yaml", "--step", cwd=tmp_path, lines=40) as screen:
        screen.until("step 0 of 5")
        assert "reaches old" in typed(screen, "1\rnne", "so far")
        screen.type("q")
        assert "reaches new" in typed(screen, "4\rnne", "so far")
        screen.type("q")
        page = typed(screen, "5\rnnne", "Consumers of new then")
        assert "m3: delivered from new to idle" in page
        assert "busy" in page
        assert "its prefetch is used up" in page
        screen.type("q")
        assert ended(screen) == 0


def test_a_run_that_failed_says_why_and_ends_with_its_status(tmp_path: Path) -> None:
    (tmp_path / "failing.yaml").write_text(
        "queues: {q: {}}\nsteps:\n  - publish: {routing_key: q}\nexpect:\n  queues: {q: {ready: 2}}\n", encoding="utf-8"
    )
    with sitting("run", "failing.yaml", "--step", cwd=tmp_path) as screen:
        screen.until("step 0 of 1")
        assert "FAILED" in screen.type("c", "FAILED")
        page = screen.type("e", "The run failed")
        assert "queues.q.ready is 2" in page
        assert "1 came into q" in page
        screen.type("q")
        assert ended(screen) == 1


BLIP = "scenarios/celery/connection-blip-runs-twice.yaml"


def test_workers_have_a_table_of_their_own() -> None:
    """What each of them is at, forwards and backwards the same; their consumers are not shown a second time."""
    with sitting("run", BLIP, "--step", columns=100) as screen:
        screen.until("step 0 of 8")
        third = screen.type("3\r", "step 2 of 8")
        assert "  worker          active  reserved  unacked  prefetch  runs" in third
        assert "  w1      online   1 → 2     1 → 0        2         4  import-1 import-2" in third
        assert "consumer  of" not in third
        lost = screen.type("6\rn", "OFFLINE")
        assert "  w1      OFFLINE" in lost
        end = screen.type("c", "event 104 of 104")
        assert "  w1      online   1 → 0         0        0         4" in end
        assert screen.type("3\r", lambda text: text == third) == third
        assert ended(screen) == 0


def test_it_explains_what_became_of_a_task() -> None:
    with sitting("run", BLIP, "--step", lines=40) as screen:
        screen.until("step 0 of 8")
        screen.type("c", "event 104 of 104")
        page = screen.type("e", "so far")
        assert "import-4: succeeded on w1" in page
        assert "acknowledged by w1:celery: gone from celery" in page
        assert "started by w1" in page
        screen.type("q")
        assert ended(screen) == 0


def test_it_does_not_tell_headers_that_nobody_looks_at() -> None:
    with sitting("run", BLIP, "--step", lines=40) as screen:
        screen.until("step 0 of 8")
        page = typed(screen, "1\rnne", "so far")
        assert "import-1: the default exchange, routing key celery: reaches celery" in page
        screen.type("q")
        assert ended(screen) == 0


@pytest.mark.parametrize(("columns", "lines"), [(40, 15), (80, 24), (20, 5), (200, 60)])
def test_it_fits(columns: int, lines: int) -> None:
    """Nothing wraps, nothing scrolls away: title above, keys below."""
    with sitting("run", SHOES, "--step", columns=columns, lines=lines) as screen:
        screen.until("n " if columns > 20 else "…")
        for key in ("n", "s", "h", "q", "c", "b", "n", "b", "b", "e", "q"):
            screen.type(key)
        shown = [line for line in screen.until("step 3").splitlines() if line]
        assert shown[0].endswith("s") or shown[0].endswith("…")
        assert shown[-1].startswith("n ")
        assert all(columns_of(line) < columns for line in shown)
        assert len(screen.text.splitlines()) <= lines
        assert ended(screen) == 0


def test_many_queues_are_cut_and_counted(tmp_path: Path) -> None:
    names = [f"queue-{number:02}" for number in range(40)]
    (tmp_path / "many.yaml").write_text(
        f"queues: {{{', '.join(f'{name}: {{}}' for name in names)}}}\nsteps:\n  - publish: {{routing_key: queue-33}}\n",
        encoding="utf-8",
    )
    with sitting("run", "many.yaml", "--step", cwd=tmp_path, columns=40, lines=15) as screen:
        assert "more" in screen.until("step 0 of 1")
        shown = typed(screen, "nn", "0 → 1")
        assert "queue-33" in shown, "what changed is never what is left out"
        assert "… " in shown


def test_a_new_size_is_a_new_screen() -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        wide = screen.type("n", "event 14")
        screen.resize(40, 15)
        narrow = screen.until("event 14")
        assert all(columns_of(line) < 40 for line in narrow.splitlines())
        assert narrow != wide
        screen.resize(80, 24)
        assert screen.until(lambda text: text == wide) == wide
        assert ended(screen) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whatever_ends_it_leaves_the_terminal_as_it_was(number: int) -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        assert not screen.cooked()
        screen.signal(number)
        assert screen.end() == 130
        assert screen.cooked()
        assert screen.raw.count(b"\x1b[?1049l") == 1
        assert b"\x1b[?25h" in screen.raw
        assert "interrupted" in screen.text


def test_control_c_typed_ends_it() -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        screen.type("e")
        os.write(screen.master, b"\x03")
        assert screen.end() == 130
        assert screen.cooked()


def test_control_z_gives_the_terminal_back_for_a_while() -> None:
    """Under a shell with job control, as anybody has it; `cat` shows that what is typed is seen and comes by the line."""
    script = (
        f"set -m; {' '.join(COMMAND)} run {SHOES} --step; echo stopped; stty -a | grep -o -w -e '-*icanon'; fg; echo status $?"
    )
    with sitting(command=["bash", "-c", script]) as screen:
        screen.until(BEGIN)
        screen.type("n", "event 14")
        shown = screen.text
        screen.type("\x1a", lambda text: "event 14" in text and screen.raw.count(b"\x1b[?1049h") == 2)
        assert screen.text == shown
        told = screen.raw.decode().split("\x1b[?1049l")[1]
        assert "stopped" in told
        assert "\nicanon" in told.replace("\r", "")
        assert "event 15" in screen.type("n", "event 15")
        screen.type("q")
        assert screen.end() == 0
        assert "status 0" in screen.text


HOSTILE = """
name: "[red]name\\e[2J\\u200f"
queues: {"q\\e[31m": {}, "[bold]r": {}, "\\u202eqs": {}}
consumers: {"w\\e]0;title\\a": {queue: "[bold]r"}}
steps:
  - publish: {routing_key: "q\\e[31m", id: "m\\e[2J"}
  - publish: {routing_key: "[bold]r", id: "[red]"}
  - publish: {routing_key: "\\u202eqs", id: "漢字漢字"}
"""


@pytest.mark.parametrize("columns", [40, 80])
def test_hostile_names_are_shown_not_obeyed(tmp_path: Path, columns: int) -> None:
    (tmp_path / "hostile.yaml").write_text(HOSTILE, encoding="utf-8")
    with sitting("run", "hostile.yaml", "--step", cwd=tmp_path, columns=columns, lines=24) as screen:
        screen.until("0 of")
        for key in "nnnexnnnexcex":
            screen.type(key)
        text = screen.until("the run is over")
        assert "[bold]r" in text
        assert "\\x1b[31m" in text
        assert "\\u202e" in text
        assert b"\x1b[31m" not in screen.raw.replace(b"\x1b[1;31m", b"")
        assert "\u202e".encode() not in screen.raw
        assert b"\x1b]0;" not in screen.raw
        ended(screen)


def test_without_colour_nothing_is_lost() -> None:
    with sitting("run", SHOES, "--step", NO_COLOR="1") as screen:
        screen.until(BEGIN)
        text = typed(screen, "nn", "0 → 1")
        assert ">          enqueued" in text
        assert b"\x1b[3" not in screen.raw
        assert b"\x1b[1m" not in screen.raw
        ended(screen)


def test_colour_marks_what_changed() -> None:
    with sitting("run", SHOES, "--step") as screen:
        screen.until(BEGIN)
        typed(screen, "nn", "0 → 1")
        assert "brown" in screen.colours("0 → 1"), "yellow is what pyte calls brown"
        assert screen.colours("warehouse") == {"default"}
        ended(screen)


def test_a_dumb_terminal_gets_lines_only() -> None:
    with sitting("run", SHOES, "--step", TERM="dumb", lines=60) as screen:
        screen.until(BEGIN)
        screen.type("n", "event 14")
        assert ended(screen) == 0
        assert b"\x1b" not in screen.raw


def test_an_ascii_terminal_gets_ascii() -> None:
    with sitting("run", SHOES, "--step", PYTHONIOENCODING="ascii") as screen:
        screen.until(BEGIN)
        assert "0 -> 1" in typed(screen, "nn", "0 -> 1")
        screen.type("e", "bindings match")
        assert screen.raw.isascii()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((SHOES,), "--step needs a terminal"),
        ((SHOES, SHOES), "give one scenario"),
        (("-",), "give the scenario as a file"),
        ((SHOES, "--broker", "amqp://localhost"), "leave out --broker"),
        ((SHOES, "--seeds", "1..3"), "leave out --seeds"),
        ((SHOES, "-j", "2"), "leave out --jobs"),
        ((SHOES, "-f", "json"), "leave out --format json"),
        ((SHOES, "-o", "x.txt"), "leave out --output"),
        ((SHOES, "-q"), "leave out --quiet"),
        ((SHOES, "--coverage"), "leave out --coverage"),
    ],
)
def test_what_it_cannot_do_it_says(arguments: tuple[str, ...], why: str) -> None:
    done = routesim("run", *arguments, "--step")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: --step")
    assert why in done.err


def test_an_invalid_scenario_is_told_before_any_screen(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("queus: {}\n", encoding="utf-8")
    with sitting("run", "wrong.yaml", "--step", cwd=tmp_path) as screen:
        assert screen.end() == 2
        assert "queues" in screen.text
        assert b"1049" not in screen.raw
        assert "\x1b" not in ANSI.sub("", screen.raw.decode())


KEYS = [
    "n",
    "b",
    "s",
    "B",
    "c",
    "g",
    "e",
    "h",
    "x",
    "",
    "1",
    "2",
    "9",
    "enter",
    "escape",
    "backspace",
    "up",
    "down",
    " ",
    "page down",
    RESIZED,
    "left",
    "home",
    "end",
]
SIZES = [(80, 24), (40, 15), (20, 8), (30, 10), (120, 50), (61, 7), (20, 4)]


class Scripted:
    """A terminal whose keys are given, and whose screens are measured."""

    def __init__(self, rng: Random) -> None:
        self.keys = iter(rng.choices(KEYS, k=40))
        self.rng, self.now, self.shown = rng, SIZES[0], 0

    def size(self) -> tuple[int, int]:
        return self.now

    def show(self, lines: list[str]) -> None:
        columns, most = self.now
        assert len(lines) <= most
        assert max(columns_of(ANSI.sub("", line)) for line in lines) < columns
        self.shown += 1

    def key(self) -> str:
        key = next(self.keys, GONE)
        self.now = self.rng.choice(SIZES) if key == RESIZED else self.now
        return key


@pytest.mark.parametrize(
    "path",
    [*SCENARIO_FILES[::3], *sorted((SCENARIOS / "celery").glob("*.yaml"))[::6]],
    ids=lambda path: path.stem,
)
@pytest.mark.parametrize(("encoding", "colour"), [("utf-8", True), ("ascii", False)])
def test_any_keys_in_any_order_give_screens_that_fit(path: Path, encoding: str, colour: bool) -> None:
    terminal = Scripted(Random(path.stem))
    recording, result = record(load(str(path)))
    StepMode(Stepping(recording, result, encoding=encoding, colour=colour), terminal).go()  # type: ignore[arg-type]
    assert terminal.shown > 30
