"""Names that are wider than their column on a terminal: short in the rows of a trace, in full below it, and never two alike."""

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.report.trace.short_names import MOST, TITLE, ShortNames
from routesim.report.trace.trace import Trace
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.text import width

UUID = "5b8a3f0e-1d5c-4f3e-9a0c-3f1f2a9d7c11"
TASKS = ("projects.orders.tasks.send_confirmation_mail", "projects.orders.tasks.send_cancellation_mail")
CELERY = f"""
celery:
  apps: {{orders: }}
  tasks: {{{TASKS[0]}: , {TASKS[1]}: }}
  workers: {{w1: {{app: orders}}}}
steps:
  - call: {{task: {TASKS[0]}, id: {UUID}}}
  - call: {{task: {TASKS[1]}, id: short}}
"""


def traced(text: str, columns: int | None) -> tuple[list[str], list[str]]:
    """Rows, and the names below them."""
    out = StringIO()
    scenario = load_source(Source("long.yaml", text), "")
    trace = Trace(out, scenario, colour=False, columns=columns, shorten=True)
    Runner(scenario, trace.listen, keep=False).run()
    trace.end()
    rows, _, below = out.getvalue().partition(f"\n{TITLE}\n")
    return rows.splitlines(), below.splitlines()


def test_a_row_of_a_task_is_one_line() -> None:
    rows, below = traced(CELERY, 80)
    assert "          started          5b8a3…7c11  w1                    projects.…ion_mail" in rows
    assert [line.split() for line in below] == [
        ["5b8a3…7c11", UUID],
        ["projects.…ion_mail", TASKS[0]],
        ["p…ancellation_mail", TASKS[1]],
    ]


@pytest.mark.parametrize("columns", [200, None])
def test_nothing_is_shortened_where_there_is_room(columns: int | None) -> None:
    rows, below = traced(CELERY, columns)
    assert below == []
    assert "…" not in "".join(rows)
    assert any(TASKS[0] in row and UUID in row for row in rows)


def test_places_of_two_long_names_stand_below_one_another() -> None:
    queue, consumer = "orders.europe.express.confirmations", "confirmation-worker-7d9f8b6c5"
    rows, _ = traced(
        f"queues: {{{queue}: }}\nconsumers: {{{consumer}: {{queue: {queue}}}}}\nsteps: [publish: {{routing_key: {queue}}}]", 70
    )
    at = next(at for at, row in enumerate(rows) if "delivered" in row)
    names = [row[rows[0].index("where") :] for row in rows[at : at + 2]]
    assert names == ["orders.e…rmations →", "confirma…d9f8b6c5"]


def test_of_many_names_the_last_stay_whole() -> None:
    names = ShortNames("…")
    shown = [names.name(f"{number:05}-0000-0000-{number:05}", 10, 10) for number in range(MOST + 5)]
    assert len(set(shown)) == MOST + 5
    assert ["…" in text for text in shown] == [True] * MOST + [False] * 5


NAMES = st.text("ab.…", min_size=1, max_size=24)


@given(st.lists(NAMES, max_size=40), st.integers(10, 20), st.sampled_from(["…", "..."]))
def test_no_two_names_look_the_same(asked: list[str], columns: int, more: str) -> None:
    """Nor does one that is whole look like a shortened one; and what is listed is what was shortened."""
    names = ShortNames(more)
    seen: dict[str, str] = {}
    for name in asked:
        text = names.name(name, columns, columns)
        assert seen.setdefault(text, name) == name
        if width(name) > columns:
            assert width(text) <= columns
            assert more in text
        else:
            assert text == name.replace(more, names.escaped)
    listed = [line.split() for line in names.lines(200)]
    assert listed == [[text, name] for name, text in names.given.items()]
    assert {name for _, name in listed} == {name for name in asked if width(name) > columns}


PLACES = st.text("abc.-", min_size=1, max_size=40).filter(lambda name: name.strip(".-") != "")


@settings(max_examples=60, deadline=None)
@given(PLACES, PLACES, st.lists(PLACES, min_size=1, max_size=4, unique=True), st.sampled_from([60, 80, 100]))
def test_no_line_is_wider_than_the_terminal(queue: str, consumer: str, ids: list[str], columns: int) -> None:
    steps = "".join(f"\n  - publish: {{routing_key: '{queue}', id: '{each}'}}" for each in ids)
    rows, below = traced(f"queues: {{'{queue}': }}\nconsumers: {{'{consumer}': {{queue: '{queue}'}}}}\nsteps:{steps}", columns)
    assert max(map(width, [*rows, *below])) < columns
    shown = {word for row in rows for word in row.split() if "…" in word}
    assert shown == {line.split()[0] for line in below if "…" in line}
    listed = "".join("".join(line.split()) for line in below)
    for text in shown:
        head, tail = text.split("…")[0], text.split("…")[-1]
        assert any(
            name[:1] == text[:1] and name.startswith(head) and name.endswith(tail) and name in listed
            for name in (queue, consumer, *ids)
        )
