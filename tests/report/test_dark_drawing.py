"""Drawings and pictures of tables, `--format svg`, in a browser that prefers dark, and in one that does not."""

from io import StringIO
from pathlib import Path

import pytest
from kits.browser import Browser
from kits.paths import SCENARIOS

from routesim.explain.answer import Answer
from routesim.graph import graph_of, taken_by_message
from routesim.report.answers.explanation import write_svg as write_picture
from routesim.report.graphs.svg import write_svg
from routesim.report.style import OutputStyle
from routesim.scenario import load
from routesim.tables import BAD, GOOD, Cell, Section

PAINT = """const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
    return [of('.paper', 'fill'), of('.node .name', 'fill'), of('.queue > rect', 'fill'), of('.edge.alternate', 'stroke'),
            of('.edge.taken', 'stroke')]"""


@pytest.mark.parametrize(
    ("dark", "painted"),
    [
        (False, ["rgb(255, 255, 255)", "rgb(15, 23, 42)", "rgb(254, 243, 199)", "rgb(3, 105, 161)", "rgb(22, 163, 74)"]),
        (True, ["rgb(22, 29, 38)", "rgb(232, 237, 243)", "rgb(53, 42, 18)", "rgb(92, 192, 242)", "rgb(22, 163, 74)"]),
    ],
    ids=["light", "dark"],
)
def test_a_drawing_follows_what_is_preferred(dark: bool, painted: list[str], browser: Browser, tmp_path: Path) -> None:
    scenario = load(str(SCENARIOS / "shoes.yaml"))
    path = tmp_path / "shoes.svg"
    with path.open("w", encoding="utf-8") as out:
        write_svg(out, graph_of(scenario, taken_by_message(scenario, "m3")), colour=False, depth=None)
    browser.open(path, dark=dark)
    assert browser.js(PAINT) == painted
    assert browser.messages() == []
    sizes = "return [...document.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize))"
    assert min(browser.js(sizes)) >= 12


TABLE = Answer(
    "why <it> is & how",
    (Section("Of it", ("", "binding", "why"), [(Cell("✔", GOOD), Cell("ship.*"), Cell("it matches")), (Cell("✘", BAD), Cell("a"), Cell("b " * 200))]),),
    ("a hint",),
    {},
)  # fmt: skip


@pytest.mark.parametrize(
    ("dark", "painted"),
    [
        (False, ["rgb(255, 255, 255)", "rgb(15, 23, 42)", "rgb(21, 128, 61)", "rgb(185, 28, 28)"]),
        (True, ["rgb(22, 29, 38)", "rgb(232, 237, 243)", "rgb(83, 212, 156)", "rgb(255, 134, 128)"]),
    ],
    ids=["light", "dark"],
)
def test_a_table_is_on_paper_of_the_kind_that_is_preferred(
    dark: bool, painted: list[str], browser: Browser, tmp_path: Path
) -> None:
    out = StringIO()
    write_picture(out, TABLE, OutputStyle(colour=False, columns=None, quiet=False))
    path = tmp_path / "table.svg"
    path.write_text(out.getvalue(), encoding="utf-8")
    browser.open(path, dark=dark)
    paint = """const of = part => getComputedStyle([...document.querySelectorAll('text')].find(t => t.textContent.startsWith(part))).fill;
        return [getComputedStyle(document.querySelector('.paper')).fill, of('why'), of('✔'), of('✘')]"""
    assert browser.js(paint) == painted
    assert browser.messages() == []
    # All of it is on the paper, and as large as text is everywhere.
    assert browser.js("""const paper = document.querySelector('.paper').getBoundingClientRect();
        return [...document.querySelectorAll('text')].every(text => text.getBoundingClientRect().right <= paper.right
            && text.getBoundingClientRect().bottom <= paper.bottom && text.getBoundingClientRect().height >= 14)""")
    shown = "".join(browser.js("return [...document.querySelectorAll('text')].map(text => text.textContent)"))
    assert shown.count("b") >= 200
    assert "why\u00a0<it>\u00a0is\u00a0&\u00a0how" in shown
