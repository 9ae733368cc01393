"""`routesim celery monitor`, `routesim celery compare` and `routesim run --plot` as others meet them. What they print is in goldens."""

import json
from pathlib import Path

import pytest
from kits.cli import columns_of, on_terminal, routesim, sane

GOLDENS = Path(__file__).parent / "goldens"
BLIP = "scenarios/celery/connection-blip-runs-twice.yaml"
LATE = "scenarios/introduction/redis-notices-late.yaml"
SAME = "scenarios/introduction/children-do-the-work.yaml"
FLOWER = "scenarios/introduction/flower-watches-from-the-side.yaml"
PREFETCH = "scenarios/prefetch.yaml"
TABLES = {"monitor": 80, "monitor-narrow": 40, "compare": 80}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_as_wide_as_the_screen(name: str) -> None:
    text = (GOLDENS / f"{name}.table.txt").read_text(encoding="utf-8")
    assert max(map(columns_of, text.splitlines())) <= TABLES[name]


def test_the_goldens_are_what_the_scenario_promises() -> None:
    """So that a wrong run cannot become a golden unseen."""
    found = json.loads((GOLDENS / "monitor.json").read_text(encoding="utf-8"))
    assert {task["task"]: (task["state"], task["runs"], task["started_ms"]) for task in found["tasks"]} == {
        "import-1": ("SUCCESS", 2, 8_000), "import-2": ("SUCCESS", 2, 8_000),
        "import-3": ("SUCCESS", 1, 16_000), "import-4": ("SUCCESS", 1, 16_000),
    }  # fmt: skip
    assert found["workers"]["w1"]["points"][0] == [0, 2, 2, 0]
    assert found["workers"]["w1"]["points"][-1] == [24_000, 0, 0, 0]
    assert [sample["at_ms"] for sample in found["samples"]] == [0, 8_000, 16_000, 24_000]
    compared = json.loads((GOLDENS / "compare.json").read_text(encoding="utf-8"))
    assert [item["class"] for item in compared["differences"]] == ["no requeue on disconnect", "visibility timeout"]
    assert compared["redis"]["tasks"]["work"]["started"][1] == {"worker": "w2", "at_ms": 62_000}


@pytest.mark.parametrize("columns", [40, 80])
def test_colours_on_a_terminal_and_no_line_too_wide(columns: int) -> None:
    screen = on_terminal("celery", "monitor", BLIP, columns=columns)
    assert screen.status == 0
    assert "\x1b[36m" in screen.text
    assert all(columns_of(line) <= columns for line in screen.lines)
    plain = on_terminal("celery", "monitor", BLIP, columns=columns, NO_COLOR="1")
    assert "\x1b[3" not in plain.text
    assert plain.lines == screen.lines


def test_a_code_page_without_the_signs_gets_others() -> None:
    done = sane(routesim("celery", "monitor", BLIP, PYTHONIOENCODING="cp437"))
    assert "\\u" not in done.out
    assert "[import-1----" in done.out
    assert "+++++" in done.out


def test_equal_on_both_is_status_0() -> None:
    done = sane(routesim("celery", "compare", SAME))
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith("SAME  ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("celery", "monitor", BLIP, "--at", "soon"), "--at takes a duration"),
        (("celery", "monitor", BLIP, "--every", "0s"), "--every takes a duration above 0"),
        (("celery", "monitor", FLOWER, "--as", "flowr"), "did you mean 'flower'"),
        (("celery", "monitor", BLIP, "-f", "tabel"), "did you mean 'table'"),
        (("celery", "monitor", "nowhere.yaml"), "there is no such file"),
        (("celery", "compare", BLIP, "-f", "junit"), "--format takes table, plain, json"),
        (("celery", "compare", BLIP, "--visibility-timeout", "x"), "--visibility-timeout takes a duration"),
        (("run", PREFETCH, "--plot", "-f", "json"), "--plot goes with --format table or plain"),
        (("run", PREFETCH, "--plot", "--seeds", "1..3"), "--plot shows one run"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_and_status_2(arguments: tuple[str, ...], told: str) -> None:
    done = sane(routesim(*arguments))
    assert done.status == 2
    assert told in done.err
    assert done.out == ""


HOSTILE = r"""
name: "\e[31mred\a"
queues: {"q\e[2J\r\nx": , "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字": }
tasks: {"t\e[1m": {takes: 3s}}
workers: {"w\e]0;x\a": {queues: ["q\e[2J\r\nx"]}}
steps:
  - publish: {routing_key: "q\e[2J\r\nx", id: "<script>\e[0m", count: 3, headers: {task: "t\e[1m"}}
  - publish: {routing_key: "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", id: "字"}
"""


@pytest.mark.parametrize("command", [("celery", "monitor", "-"), ("celery", "compare", "-"), ("run", "-", "--plot")])
@pytest.mark.parametrize("format", ["table", "plain"])
def test_names_cannot_act_on_a_terminal(command: tuple[str, ...], format: str) -> None:
    done = sane(routesim(*command, "-f", format, stdin=HOSTILE.encode(), COLUMNS="80"))
    assert done.status in (0, 1)
    assert all(line.isprintable() for line in done.out.splitlines())


def test_a_plot_of_a_scenario_that_takes_no_time() -> None:
    done = sane(routesim("celery", "monitor", "scenarios/hello.yaml", "--at", "0s"))
    assert done.status == 0
    assert "queue greetings" in done.out
    empty = sane(routesim("run", "-", "-q", "--plot", stdin=b"name: nothing\nqueues: {q: }\n"))
    assert empty.status == 0
    assert "no message waited anywhere" in empty.out
