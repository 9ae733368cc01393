"""The drawing of `graph --format svg` in a browser that prefers dark, and in one that does not."""

from pathlib import Path

import pytest
from kits.browser import Browser
from kits.paths import SCENARIOS

from routesim.graph import graph_of, taken_by_message
from routesim.report.graphs.svg import write_svg
from routesim.scenario import load

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
