"""The HTML report as something to work with: where it opens, what is followed, addresses, the list of all, and its size on screens."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from kits.browser import Browser
from kits.large_topology import LOST_TASK, of_45_queues, of_alike_queues
from kits.paths import SCENARIOS
from kits.report import FAILING, scenario_of
from selenium.webdriver.common.keys import Keys

from routesim.scenario import Scenario, load

pytestmark = pytest.mark.usefixtures("quiet_page")

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SHOES_FAIL = (SCENARIOS / "shoes.yaml").read_text(encoding="utf-8").replace("ready: [m1, m2]", "ready: [m1]")
UNROUTABLE = "exchanges: {shop: topic}\nsteps: [publish: {exchange: shop, routing_key: a, id: lonely}]\n"
PICTURES = {
    "shoes": lambda: load(str(SCENARIOS / "shoes.yaml")),
    "failing": lambda: scenario_of(SHOES_FAIL, "failing.yaml"),
    "lost-task": lambda: scenario_of(LOST_TASK, "lost-task.yaml"),
    "45-queues": lambda: scenario_of(of_45_queues(), "45-queues.yaml"),
}


def shoes() -> Scenario:
    return PICTURES["shoes"]()


def current(browser: Browser) -> str:
    return str(browser.js("return document.querySelector('.run:not([hidden]) [aria-current=true]').innerText")).replace("\n", " ")


def rows(browser: Browser) -> list[str]:
    script = """return [...document.querySelectorAll('.run:not([hidden]) li.at')].filter(i => i.offsetParent !== null)
        .map(i => i.textContent)"""
    return list(browser.js(script))


def marked(browser: Browser, kind: str = "node") -> list[str]:
    script = """return [...document.querySelectorAll('.run:not([hidden]) .variant:not([hidden]) .' + arguments[0] + '.way')]
        .map(found => found.querySelector('title').textContent)"""
    return list(browser.js(script, kind))


def after_a_while(browser: Browser, ms: int = 400) -> None:
    """Addresses are written a moment later."""
    browser.driver.execute_async_script("setTimeout(arguments[1], arguments[0])", ms)


# Where it opens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "opens_at"),
    [
        (SHOES_FAIL, "enqueued m2 audit #.shoes"),
        (UNROUTABLE, "UNROUTABLE lonely"),
        (LOST_TASK, "CRASHED w1"),
        ("queues: {q: }\nsteps: [publish: {routing_key: q}, expect: {queues: {q: {ready: 2}}}, wait: 1s]\n", "✘ expected line 2 queues.q.ready is 2"),
        ("queues: {q: }\nsteps: [publish: {routing_key: q}]\n", "before the first step"),
    ],
    ids=["expectation", "unroutable", "killed", "step", "ok"],
)  # fmt: skip
def test_it_opens_where_it_first_failed_or_at_the_beginning(text: str, opens_at: str, browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(text)))
    assert opens_at in current(browser)
    opened = browser.position()
    if browser.js("return document.querySelector('.to-opening') !== null"):
        browser.press(Keys.END)
        browser.click(".to-opening")
        assert browser.position() == opened


def test_failures_come_first(browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(SHOES_FAIL)), **DESKTOP)
    assert browser.texts(".panel h3")[:2] == ["FAILURES", "TOPOLOGY"]
    assert browser.js("return document.querySelector('.failures').getBoundingClientRect().bottom") < 900 - 60


def test_the_beginning_says_how_to_go_on(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()))
    says = "return getComputedStyle(document.querySelector('.play'), '::after').content"
    assert browser.js(says) == '"Play"'
    browser.press(Keys.ARROW_RIGHT)
    assert browser.js(says) in ("none", "normal")


# Addresses -------------------------------------------------------------------------------------------------------------


def test_a_moment_has_an_address(browser: Browser, page: Any) -> None:
    path = page(shoes(), load(str(SCENARIOS / "hello.yaml")))
    browser.open(path, at="#shoes/14")
    assert (browser.position(), browser.js("return document.title")) == (14, "Shoes leave the warehouse · routesim")
    browser.press(Keys.ARROW_RIGHT)
    after_a_while(browser)
    assert browser.js("return location.hash") == "#shoes/15"
    browser.press("/", *"m3")
    after_a_while(browser)
    assert browser.js("return location.hash") == "#shoes/15?m3"
    browser.open(path, at="#shoes/15?m3")
    assert browser.position() == 15
    assert all("m3" in row for row in rows(browser))
    browser.js("location.hash = '#shoes/3'")
    after_a_while(browser, 50)
    assert browser.position() == 3


@pytest.mark.parametrize("at", ["#nothing/3", "#%E0%A4%A", "#shoes/999999", "#/", "#shoes/1?%E0%A4%A"])
def test_an_address_of_nothing_breaks_nothing(at: str, browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), at=at)
    assert 0 <= browser.position() <= browser.last()


# The list of all -------------------------------------------------------------------------------------------------------


def many() -> list[Scenario]:
    hello = load(str(SCENARIOS / "hello.yaml"))
    return [shoes(), hello, scenario_of(UNROUTABLE, "gone.yaml"), scenario_of(FAILING, "shop.yaml"), hello]


def test_many_scenarios_begin_with_a_list(browser: Browser, page: Any) -> None:
    browser.open(page(*many()), **DESKTOP)
    assert browser.texts(".overview h2") == ["5 scenarios"]
    assert browser.texts(".overview .only") == ["✘ 1 FAILED", "! 1 RAN", "✔ 3 OK"]
    assert browser.texts(".overview .word") == ["✘ FAILED", "! RAN", "✔ OK", "✔ OK", "✔ OK"]
    assert browser.texts(".overview .lost") == ["1", "1", "0", "0", "0"]
    (why, *_) = browser.texts(".overview .why")
    assert why.startswith("shop.yaml:8: queues.audit.ready is [m1]")
    assert browser.texts("article.run h2") == [""] * 5
    browser.press("/", *"hello")
    assert len([text for text in browser.texts(".overview tbody tr") if text]) == 2
    assert browser.texts(".overview .matches") == ["2 of 5"]
    browser.press(Keys.ESCAPE)
    browser.click(".only[data-verdict=ran]")
    assert [text for text in browser.texts(".overview .word") if text] == ["! RAN"]
    browser.click(".overview tbody tr:not([hidden]) .name")
    assert browser.title("gone · routesim") == "gone · routesim"
    assert browser.texts(".about-runs .place") == ["3 of 5"]
    browser.driver.back()
    assert browser.title("5 scenarios · routesim") == "5 scenarios · routesim"


def test_the_list_goes_by_keys_and_tells_equal_files_apart(browser: Browser, page: Any) -> None:
    browser.open(page(*many()))
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    after_a_while(browser)
    assert browser.js("return location.hash") == "#hello-2/0"
    browser.press("u")
    assert browser.texts(".overview h2") == ["5 scenarios"]


def test_one_scenario_has_no_list(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()))
    assert browser.texts(".overview") == [""]
    assert browser.texts(".about-runs") == [""]


# Following -------------------------------------------------------------------------------------------------------------


def test_a_click_on_a_queue_follows_it(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), **DESKTOP)
    browser.click(".node.queue .name")
    assert browser.js("return document.querySelector('.filter').value") == "warehouse"
    assert [name.split(":")[0] for name in marked(browser)] == [
        "exchange shop",
        "exchange shop.dlx",
        "queue warehouse",
        "consumer packer",
    ]
    assert all("warehouse" in row for row in rows(browser))
    assert browser.js("return document.querySelector('.node.chosen title').textContent").startswith("queue warehouse")
    assert browser.texts(".followed p") == ["warehouse Follow nothing (Esc)"]
    browser.click(".followed .stop")
    assert marked(browser) == []
    assert len(rows(browser)) == browser.last() + 1


def test_a_message_is_followed_along_its_way(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), **DESKTOP, at="#shoes/5?m3")
    assert {name.split(":")[0] for name in marked(browser, "edge")} == {
        "shop → warehouse", "warehouse → packer", "warehouse → shop.dlx", "shop.dlx → parked"
    }  # fmt: skip
    assert "queue audit: classic" not in marked(browser)
    times = browser.js("""return [...document.querySelectorAll('li.at:not([hidden]) time')]
        .filter(time => getComputedStyle(time).opacity === '1').map(time => time.textContent)""")
    assert times[0] == "0.000", "the first row that is left says when"
    assert len(times) == len(set(times)) or len(times) < len(rows(browser))


def test_a_name_in_a_table_is_followed(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), **DESKTOP)
    browser.click("[aria-label='Consumers'] .follow")
    assert browser.js("return document.querySelector('.filter').value") == "packer"
    assert [name.split(":")[0] for name in marked(browser)] == ["queue warehouse", "consumer packer"]


def test_the_drawing_goes_by_keys(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), **DESKTOP)
    focused = "return document.activeElement.getAttribute('aria-label')"
    browser.js("document.querySelector('.node').focus()")
    assert browser.js(focused) == "exchange shop: topic"
    browser.press(Keys.ARROW_RIGHT)
    assert browser.js(focused).startswith("queue audit")
    browser.press(Keys.ARROW_UP, Keys.ENTER)
    assert browser.js("return document.querySelector('.filter').value") == "warehouse"
    assert browser.position() == 0, "arrows went from node to node"
    browser.press(Keys.ESCAPE)
    assert marked(browser) == []


def test_a_group_opens(browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(of_alike_queues())), **DESKTOP)
    browser.press(Keys.END)
    browser.click(".node.queue .name")
    assert len(browser.texts(".followed li")) == 12
    assert browser.texts(".followed li")[3] == "copies.of.orders.3 1 ready · 0 unacked"
    assert len(rows(browser)) == 12
    browser.js("document.querySelector('.followed [data-key]').click()")
    assert browser.js("return document.querySelector('.filter').value") == "copies.of.orders.0"
    assert [row for row in rows(browser) if "copies.of.orders.0" not in row] == []
    browser.press(Keys.ESCAPE)
    assert len(browser.held()) == 2
    browser.click(".show-every")
    assert browser.held() == ["", *["1 ready · 0 unacked"] * 12]
    browser.press(Keys.HOME)
    assert browser.held() == ["", *["0 ready · 0 unacked"] * 12]
    browser.click(".show-every")
    assert browser.held() == ["", "0 ready · 0 unacked"]


def test_what_is_idle_can_be_drawn(browser: Browser, page: Any) -> None:
    browser.open(page(PICTURES["45-queues"]()), **DESKTOP)
    few = len(browser.held())
    assert browser.texts(".left-out-note") != [""]
    assert browser.js("return document.querySelectorAll('.variant:not([hidden]) .node.consumer').length") == 0
    browser.click(".node.queue .name")
    queue, consumer = browser.texts(".followed li")
    assert queue.split(".")[0] == consumer.removesuffix("-worker"), "a consumer is within the node of its queue"
    assert all("worker" in row or ".process" in row for row in rows(browser))
    browser.press(Keys.ESCAPE)
    browser.click(".show-every")
    assert len(browser.held()) == 3 + 45 + 15 > few
    assert browser.texts(".left-out-note") == [""]


# Celery ----------------------------------------------------------------------------------------------------------------


def test_what_workers_tell_each_other_is_folded(browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(LOST_TASK)), **DESKTOP)
    names = "return [...document.querySelectorAll('.variant:not([hidden]) .node .name')].map(n => n.textContent)"
    assert sorted(browser.js(names)) == ["(default exchange)", "celery", "celery", "mail", "mail", "w1:celery", "w1:mail"]
    few = rows(browser)
    assert not [row for row in few if "pidbox" in row]
    browser.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert browser.texts("[aria-current=true]") != [""], "the row is seen"
    browser.click(".trace-panel .show-stage")
    assert "reply.celery.pidbox" in browser.js(names)
    assert len(rows(browser)) == browser.last() + 1 > len(few)
    assert browser.js("return document.querySelector('.topology .show-stage').checked")


def test_the_ways_by_the_default_exchange_look_otherwise(browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(LOST_TASK)), **DESKTOP)
    edges = """return [...document.querySelectorAll('.variant:not([hidden]) .edge')].map(
        edge => [edge.querySelector('title').textContent, edge.getAttribute('class'), edge.getAttribute('stroke-dasharray')])"""
    of = {title: (kind, dashes) for title, kind, dashes in browser.js(edges)}
    assert of["celery → celery: celery"][0].startswith("edge binding unused")
    assert of["(default exchange) → celery: celery"][0].startswith("edge by-name")
    assert of["celery → celery: celery"][1] != of["(default exchange) → celery: celery"][1]


def test_the_children_over_time_show_what_was_killed(browser: Browser, page: Any) -> None:
    browser.open(page(scenario_of(LOST_TASK)), **DESKTOP)
    assert browser.texts(".timeline .legend") == ["☠\nkilled with its worker\n1"]
    assert browser.js("return document.querySelector('.run-bar title').textContent") == (
        "c1: orders.tasks.charge in child 1 of w1, from 0 s to 5 s, killed with its worker"
    )
    browser.press(Keys.HOME)
    browser.click(".run-bar rect")
    assert browser.js("return document.querySelector('.filter').value") == "c1"
    assert browser.position() > 0


# Screens ---------------------------------------------------------------------------------------------------------------

SMALL = """
    const found = new Set();
    for (const text of document.querySelectorAll("svg text")) {
      if (text.getBoundingClientRect().width === 0) continue;
      const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
      if (size < 11.99) found.add(`${size.toFixed(1)} ${text.textContent}`);
    }
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const element = walk.currentNode.parentElement;
      if (!walk.currentNode.data.trim() || element.closest("svg, script") || !element.getClientRects().length) continue;
      const size = parseFloat(getComputedStyle(element).fontSize);
      if (size < 11.99) found.add(`${size.toFixed(1)} ${walk.currentNode.data}`);
    }
    return [...found]"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PICTURES)
def test_letters_can_be_read_on_every_screen(
    name: str, screen: dict[str, int], dark: bool, browser: Browser, page: Any, tmp_path: Path
) -> None:
    """And a picture of it is kept: in `ROUTESIM_SCREENSHOTS`, a folder, where that is set."""
    browser.open(page(PICTURES[name]()), **screen, dark=dark)
    assert browser.js(SMALL) == []
    assert browser.js("return document.documentElement.scrollWidth") <= screen["width"]
    assert browser.js("return document.querySelector('.player').getBoundingClientRect().height") <= 58
    folder = Path(os.environ.get("ROUTESIM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    shot = browser.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    picture = folder / f"{name}-{screen['width']}-{'dark' if dark else 'light'}.png"
    picture.write_bytes(base64.b64decode(shot["data"]))
    assert picture.stat().st_size > 10_000


def test_the_list_is_read_on_a_phone(browser: Browser, page: Any) -> None:
    browser.open(page(*many()), **PHONE)
    assert browser.js("return document.documentElement.scrollWidth") == 390
    assert browser.js(SMALL) == []


def test_a_plot_shows_that_it_goes_on(browser: Browser, page: Any) -> None:
    browser.open(page(shoes()), **PHONE)
    box = "const box = document.querySelector('.plot .scrolls');"
    assert browser.js(f"{box} return box.scrollWidth > box.clientWidth")
    assert browser.js(f"{box} return getComputedStyle(box).backgroundAttachment").split(", ") == [
        "local",
        "local",
        "scroll",
        "scroll",
    ]


def test_the_drawing_is_enlarged_and_never_made_too_small(browser: Browser, page: Any) -> None:
    browser.open(page(PICTURES["45-queues"]()), **DESKTOP)
    width = "return document.querySelector('.variant:not([hidden]) svg.topology').getBoundingClientRect().width"
    natural = browser.js(width)
    browser.press("-")
    assert browser.js(width) == natural
    browser.press("+", "+")
    assert browser.js(width) > 1.5 * natural
    browser.press("0")
    assert browser.js(width) == natural
    browser.click(".enlarge")
    assert browser.js("const b = document.querySelector('.panel.topology').getBoundingClientRect(); return [b.left, b.top, b.width > 1400]") == [
        0, 0, True,
    ]  # fmt: skip
    browser.press(Keys.ESCAPE)
    assert browser.js("return document.querySelector('.panel.topology').getBoundingClientRect().left") > 0


def test_edges_at_one_side_of_a_node_are_parted(browser: Browser, page: Any) -> None:
    browser.open(page(PICTURES["45-queues"]()), **DESKTOP)
    starts = """const found = {};
        for (const edge of document.querySelectorAll('.variant:not([hidden]) .edge')) {
          const source = edge.querySelector('title').textContent.split(' → ')[0];
          (found[source] ??= []).push(edge.getAttribute('d').split(/[LC]/)[0]);
        }
        return found"""
    for source, points in browser.js(starts).items():
        assert len(points) == len(set(points)), source
