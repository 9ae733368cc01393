"""The map of the states that an exploration draws: what is in it, and in a real browser its letters, its zoom and its colours."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from kits.browser import Browser
from kits.explored import explored_text
from kits.paths import SCENARIOS

from routesim.explore import Exploration
from routesim.explore.mapped import MOST_DRAWN
from routesim.report.html.exploration import write
from routesim.report.html.state_map import state_map
from routesim.report.results.explored import Explorations
from routesim.report.style import OutputStyle

TRANSIENT = (SCENARIOS / "explore/transient-message.yaml").read_text()


def found(text: str = TRANSIENT, **bounds: Any) -> Exploration:
    return explored_text(text, **bounds)


def written(*explorations: Exploration) -> str:
    out = StringIO()
    write(out, Explorations(explorations), OutputStyle(colour=False, columns=None, quiet=False))
    return out.getvalue()


def dots(drawing: str, kind: str) -> int:
    return sum(path.count("h0") for path in re.findall(rf'<path d="([^"]*)" class="{kind}"', drawing))


def test_each_state_is_drawn_once_in_the_column_of_its_depth() -> None:
    item = found()
    states = item.explored.map
    assert states is not None
    drawing = str(state_map(item.explored))
    numbered = drawing.count('class="state numbered')
    ordinary, ends, broken = (dots(drawing, kind) for kind in ("states", "states ends", "states broken"))
    assert numbered + ordinary + ends + broken == item.explored.states == len(states.depths)
    assert ends + broken > 0
    assert [states.depths.count(depth) for depth in range(max(states.depths) + 1)] == [
        count for count, _ in item.explored.by_depth
    ]
    assert {edge[1] for edge in states.edges} == set(range(1, len(states.depths)))


def test_the_way_is_numbered_and_its_failure_named() -> None:
    drawing = str(state_map(found().explored))
    assert re.findall(r'class="number"[^>]*>(\d+)<', drawing) == ["0", "1", "2"]
    assert re.findall(r'class="failure"[^>]*>([^<]*)<', drawing) == ["restart"]
    assert "broken: lost: the broker restarts in good order" in drawing


def test_what_was_not_asked_is_not_broken_on_the_map() -> None:
    item = found(properties=("stuck",))
    assert not item.explored.broken
    assert "numbered" not in str(state_map(item.explored))


def test_of_many_states_there_is_a_box_a_depth() -> None:
    item = found(failures=3)
    assert item.explored.states > MOST_DRAWN
    drawing = str(state_map(item.explored))
    assert drawing.count('class="depth"') == len(item.explored.by_depth)
    assert item.explored.map is not None
    assert not item.explored.map.edges
    assert sum(item.explored.map.failures) == len(re.findall("x", "x" * sum(item.explored.map.failures)))
    assert all(f">{count:,}<" in drawing for count, _ in item.explored.by_depth)
    assert "restart" in re.findall(r'class="failure"[^>]*>([^<]*)<', drawing)


def test_random_walks_have_no_map() -> None:
    assert state_map(found(walks=3).explored) is None


# In a browser --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Any:
    def show(item: Exploration) -> Browser:
        path = tmp_path / "report.html"
        path.write_text(written(item), encoding="utf-8")
        browser.open(path)
        return browser

    yield show
    assert browser.messages() == []
    assert [url for url in browser.requests() if not url.split("#")[0].endswith("/report.html")] == []


LETTERS = """
return [...document.querySelectorAll(".map-of-states text")].map((text) => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
});
"""
WIDTH = "return document.querySelector('.map-of-states').getBoundingClientRect().width"


@pytest.mark.parametrize("failures", [1, 3])
def test_letters_are_never_small_and_the_buttons_enlarge(shown: Any, failures: int) -> None:
    page = shown(found(failures=failures))
    assert min(page.js(LETTERS)) >= 12
    before = page.js(WIDTH)
    page.js("document.querySelector('.states .zoom-in').click()")
    assert page.js(WIDTH) > before
    for _ in range(9):
        page.js("document.querySelector('.states .zoom-out').click()")
    assert min(page.js(LETTERS)) >= 12
    page.js("document.querySelector('.states .zoom-fit').click()")
    assert abs(page.js(WIDTH) - before) <= 1


def test_keys_zoom_where_the_map_is_focused(shown: Any) -> None:
    page = shown(found())
    before = page.js(WIDTH)
    press = "document.querySelector('.states .drawing').dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
    page.js(press % "+")
    assert page.js(WIDTH) > before
    page.js(press % "0")
    assert abs(page.js(WIDTH) - before) <= 1
    page.js("document.querySelector('.states .enlarge').click()")
    assert page.js("return document.querySelector('.panel.states').classList.contains('whole-screen')")
    page.js(press % "Escape")
    assert not page.js("return document.querySelector('.panel.states').classList.contains('whole-screen')")


def test_texts_of_the_way_do_not_lie_on_its_circles(shown: Any) -> None:
    page = shown(found())
    overlaps = page.js("""
      const boxes = (what) => [...document.querySelectorAll(what)].map((each) => each.getBoundingClientRect());
      const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      const circles = boxes(".map-of-states .numbered circle");
      return boxes(".map-of-states .failure").filter((text) => circles.some((circle) => over(text, circle))).length;
    """)
    assert overlaps == 0
