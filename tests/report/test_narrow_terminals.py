"""At 80 and 60 columns nothing breaks in mid-word that has parts, ids push nothing, and carets stand under their place."""

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.paths import SCENARIO_FILES

from routesim.diagnostics import Diagnostic, Invalid
from routesim.report.formats.diagnostics import full
from routesim.report.rich_tables import console, drawn, write_summary
from routesim.report.summary.summary import sections
from routesim.report.trace.trace import Trace
from routesim.report.trace.why_not import ASK
from routesim.run import Runner
from routesim.scenario import load, load_source
from routesim.scenario.yaml.source import Source
from routesim.tables import Cell, Section
from routesim.text import SEPARATORS, shortened, width, wrapped

LONG = """
queues: {shipping: }
consumers: {packer: {queue: shipping}}
steps:
  - publish: {routing_key: shipping, id: orders.tasks.send_receipt-2026-01-01-000017}
"""
MISTAKE = (
    "queues: {shipping.orders.europe.express.with.a.long.name: {type: quorum, arguments: {x-message-ttl: 5000}, durabel: true}}\n"
)


def problem() -> Diagnostic:
    with pytest.raises(Invalid) as caught:
        load_source(Source("shop.yaml", MISTAKE), "")
    return caught.value.diagnostics[0]


TASKS = """
celery:
  apps: {shop: }
  workers: {w1: {}}
  tasks: {projects.billing.tasks.send_confirmation_mail: {queue: elsewhere}, projects.billing.tasks.send_cancellation_mail: }
steps:
  - call: {task: projects.billing.tasks.send_confirmation_mail}
  - call: {task: projects.billing.tasks.send_cancellation_mail}
"""


def test_tables_of_a_run_shorten_names_and_have_each_in_full_once() -> None:
    result = Runner(load_source(Source("tasks.yaml", TASKS), "")).run()
    out = StringIO()
    write_summary(out, result, colour=False, columns=80)
    above, _, below = out.getvalue().partition("Names shortened above")
    tasks = above.partition("Tasks\n")[2].partition("Messages\n")[0].splitlines()
    rows = [line.split() for line in tasks if "PENDING" in line or "SUCCESS" in line]
    assert len(rows) == 2, "a row is a line"
    full = dict(line.split() for line in below.splitlines() if line.startswith("  "))
    assert [(full[row[0]], full[row[1]]) for row in rows] == [
        (f"projects.billing.tasks.{task}_mail-1", f"projects.billing.tasks.{task}_mail")
        for task in ("send_confirmation", "send_cancellation")
    ]
    assert max(map(width, out.getvalue().splitlines())) <= 80
    out = StringIO()
    write_summary(out, result, colour=False, columns=200)
    assert "Names shortened above" not in out.getvalue(), "there is room for all"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_caret_stands_under_its_place(columns: int) -> None:
    lines = full(problem(), colour=False, columns=columns).splitlines()
    assert max(map(width, lines)) < columns
    source, caret = next((lines[at - 1], line) for at, line in enumerate(lines) if "^" in line)
    assert source[caret.index("^") : caret.rindex("^") + 1] == "durabel"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_message_is_wrapped_at_blanks(columns: int) -> None:
    item = Diagnostic("error", "test", " ".join(["transient_nonexcl_queues"] * 12), cure=" ".join(["deprecated"] * 20))
    lines = full(item, colour=False, columns=columns).splitlines()
    assert max(map(width, lines)) < columns
    words = {word for line in lines for word in line.split()}
    assert words == {"error[test]:", "transient_nonexcl_queues", "=", "help:", "deprecated"}
    assert full(item, colour=False).count("\n") == 2  # in a pipe nothing is


def test_a_long_name_is_broken_behind_its_parts() -> None:
    assert wrapped("orders.tasks.send_receipt", 20) == ["orders.tasks.send_", "receipt"]
    assert wrapped("x" * 10 + " " + "y" * 30, 20) == ["x" * 10, "y" * 20, "y" * 10]


@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=80), st.integers(8, 40))
def test_wrapping_loses_nothing(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= columns for line in lines)


# Names longer than their column ------------------------------------------------------------------------------------------


def traced(columns: int | None) -> list[str]:
    out = StringIO()
    scenario = load_source(Source("long.yaml", LONG), "")
    trace = Trace(out, scenario, colour=False, columns=columns)
    Runner(scenario, trace.listen).run()
    return out.getvalue().splitlines()


@pytest.mark.parametrize("columns", [80, 100, 200, None])
def test_long_ids_push_nothing(columns: int | None) -> None:
    head, _, *rows = traced(columns)
    where, why = head.index("where"), head.index("why")
    text = "\n".join(rows)
    assert text.count("orders.tasks.send_receipt-2026-01-01-000017") == 4, "no id is cut where none is to be shortened"
    assert {row[where:why].strip() for row in rows if "000017" not in row or why > 90} <= {
        "(default)",
        "shipping",
        "shipping → packer",
    }
    if columns is not None:
        assert max(map(width, rows)) < columns


def test_a_row_in_a_pipe_is_one_line() -> None:
    assert len(traced(None)) == 2 + 4


@given(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=60), st.integers(1, 40))
def test_what_is_shortened_keeps_both_ends(text: str, columns: int) -> None:
    shown = shortened(text, columns)
    assert width(shown) <= columns
    if width(text) <= columns:
        assert shown == text
    elif columns >= 3:
        head, tail = shown.split("…")
        assert text.startswith(head)
        assert text.endswith(tail)


# Tables ------------------------------------------------------------------------------------------------------------------


def drawn_in(section: Section, columns: int) -> list[str]:
    out = StringIO()
    console(out, colour=False, columns=columns).print(drawn(section, "utf-8", columns))
    return out.getvalue().splitlines()


def words_of(section: Section) -> set[str]:
    return {word.rstrip(",:") for row in section.rows for cell in row for word in cell.text.split()}


NAMES = st.text("abcdefgh.-_/:", min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.lists(NAMES, max_size=5), st.lists(NAMES, max_size=5), st.integers(0, 99_999)), max_size=6))
def test_no_table_breaks_a_word_for_which_there_is_room(rows: list[tuple[list[str], list[str], int]]) -> None:
    """Where the longest words of all columns fit beside each other; and nothing is lost in any case."""
    cells = [(Cell(" ".join(first)), Cell(" ".join(second)), Cell(str(count))) for first, second, count in rows]
    section = Section("", ("name", "reason", "count"), cells, frozenset({"count"}))
    for columns in (60, 80, 200):
        lines = drawn_in(section, columns)
        assert max(map(width, lines)) <= columns
        seen = "".join(line for line in lines[3:]).replace(" ", "")
        assert sorted(seen) == sorted("".join(cell.text for row in cells for cell in row).replace(" ", ""))
        if columns >= 80:
            assert words_of(section) <= {word.rstrip(",:") for line in lines for word in line.split()}


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_tables_of_every_scenario_break_no_word_that_has_room(columns: int) -> None:
    """And where there is none, behind one of its parts."""
    broken = []
    for path in SCENARIO_FILES:
        for section in sections(Runner(load(str(path)), keep=True).run()):
            lines = drawn_in(section, columns)
            assert max(map(width, lines)) <= columns, path.stem
            found = {word.rstrip(",:") for line in lines for word in line.split()}
            lost = [word for word in words_of(section) if word not in found and width(word) * 3 < columns]
            broken += [(path.stem, word) for word in lost if not any(sign in word[1:-1] for sign in SEPARATORS)]
    assert broken == []


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_command_that_tells_more_stays_on_one_line(columns: int) -> None:
    text = "exchanges: {shop: topic}\nqueues: {q: }\nsteps: [publish: {exchange: shop, routing_key: a.b}]\n"
    scenario = load_source(Source("lost.yaml", text), "")
    out = StringIO()
    trace = Trace(out, scenario, colour=False, columns=columns)
    Runner(scenario, trace.listen, keep=False).run()
    trace.end()
    assert "ask: routesim explain route lost.yaml shop a.b" in [line.strip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_trace_of_every_scenario_breaks_no_word_that_has_room(columns: int) -> None:
    broken = []
    for path in SCENARIO_FILES:
        scenario = load(str(path))
        out, wide = StringIO(), StringIO()
        narrow, pipe = (Trace(to, scenario, colour=False, columns=limit) for to, limit in ((out, columns), (wide, None)))

        def listen(event: object, narrow: Trace = narrow, pipe: Trace = pipe) -> None:
            narrow.listen(event)
            pipe.listen(event)

        Runner(scenario, listen, keep=False).run()
        narrow.end()
        pipe.end()
        shown = [
            line for line in out.getvalue().splitlines() if columns < 80 or not line.startswith(ASK)
        ]  # a command to copy stays whole
        assert max(map(width, shown), default=0) < columns, path.stem
        found = set(out.getvalue().split())
        rows = wide.getvalue().splitlines()[2:]
        lost = {word for word in " ".join(rows).split() if word not in found and "─" not in word and width(word) <= 15}
        broken += [(path.stem, word) for word in lost]
    assert broken == []
