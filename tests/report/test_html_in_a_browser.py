"""The HTML report in a real browser: the player, the keys, a phone, names that want to run, and a browser without scripts."""

import socket
from typing import Any

import pytest
from kits.browser import Browser
from kits.paths import SCENARIOS
from kits.report import FAILING, hostile_scenario, scenario_of
from selenium.webdriver.common.keys import Keys
from test_html import BREAKING_OUT

from routesim import events
from routesim.graph.model import CONSUMER, QUEUE
from routesim.report.html.page import SCRIPTS
from routesim.report.html.story import Recorder
from routesim.report.trace.rows import Rows
from routesim.run import Runner
from routesim.run.folds.situation import Situation
from routesim.scenario import Scenario, load

pytestmark = pytest.mark.usefixtures("quiet_page")

# Names that do everything at once: markup, quotes, controls, directions.
HOSTILE = "".join(name for name in BREAKING_OUT if len(name) < 60 and not name.isidentifier())[:200]
PHONE = {"width": 360, "height": 740}


def named(name: str) -> Scenario:
    return load(str(SCENARIOS / f"{name}.yaml"))


# The player ------------------------------------------------------------------------------------------------------------


def depths_by_fold(scenario: Scenario) -> list[dict[str, tuple[int, int]]]:
    """The queues at every position of the slider: each row of the trace and each step is one, before them the beginning."""
    rows, situation = Rows(), Situation()
    found: list[dict[str, tuple[int, int]]] = [{}]

    def hear(event: Any) -> None:
        situation.hear(event)
        if rows.row(event) is not None or isinstance(event, events.StepStarted):
            found.append({})
        found[-1] = {name: (len(queue.messages), len(queue.unacked)) for name, queue in situation.queues.items()}

    result = Runner(scenario, hear).run()
    found.append({name: (queue.ready_count(), queue.unacked) for name, queue in result.broker.queues.items()})
    return found


@pytest.mark.parametrize(
    "name", ["shoes", "flaky-worker", "dead-letter-cycle-endless", "celery-topology", "restart", "stream-replay"]
)
def test_the_slider_shows_the_queues_of_that_moment(name: str, browser: Browser, page: Any) -> None:
    scenario = named(name)
    recorder = Recorder(scenario)
    graph = recorder.finished(Runner(scenario, recorder.hear).run(), kept=True).graph
    expected = depths_by_fold(scenario)
    browser.open(page(scenario))
    last = browser.last()
    assert last == len(expected) - 1
    some = sorted({*range(0, last + 1, max(1, last // 12)), last})
    for position in (*reversed(some), *some):  # forwards and backwards take different ways through the page's code
        browser.slide(position)
        shown = browser.held()
        for key, text in zip(graph.nodes, shown, strict=True):
            if key.kind == QUEUE:
                ready, unacked = expected[position].get(key.name, (0, 0))
                assert text == f"{ready:,} ready · {unacked:,} unacked", f"{key.name} at {position}"


def test_a_consumer_shows_what_it_holds(browser: Browser, page: Any) -> None:
    browser.open(page(scenario := named("shoes")))
    recorder = Recorder(scenario)
    graph = recorder.finished(Runner(scenario, recorder.hear).run(), kept=True).graph
    (packer,) = [number for number, key in enumerate(graph.nodes) if key.kind == CONSUMER]
    seen = []
    for position in range(browser.last() + 1):
        browser.slide(position)
        seen.append(browser.held()[packer])
    changes = [text for text, before in zip(seen, ["", *seen], strict=False) if text != before]
    assert changes == ["idle", "holds m1", "idle", "holds m1", "idle", "holds m3", "idle", "holds m2", "idle", "holds m2", "idle"]


def test_the_way_of_the_event_lights_up(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes")))
    (row,) = [
        number
        for number, text in enumerate(browser.js("return [...document.querySelectorAll('li.at')].map(i => i.textContent)"))
        if "m4 unrouted nothing matched" in text
    ]
    browser.slide(row)
    lit = browser.js("return [...document.querySelectorAll('.lit > title')].map(t => t.textContent)")
    assert lit == [
        "shop → shop.unrouted: otherwise", 'shop.unrouted → unrouted: ""', "queue unrouted: classic",
    ]  # fmt: skip
    assert browser.js("return document.querySelector('[aria-current=true]').textContent").endswith('"" → unrouted')


def test_a_message_moves_along_its_way(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes")), calm=False)
    browser.slide(2)
    browser.click(".next")
    assert browser.texts(".message text") == ["m1"]
    first = browser.js("return document.querySelector('.message').getAttribute('transform')")
    later = browser.driver.execute_async_script(
        "setTimeout(() => arguments[0](document.querySelector('.message')?.getAttribute('transform')), 300)"
    )
    assert first != later


def test_playing_goes_on_by_itself_and_stops_at_the_end(browser: Browser, page: Any) -> None:
    browser.open(page(named("hello")))
    browser.js("document.querySelector('.speed').value = '80'")
    browser.press(" ")
    assert browser.js("return document.querySelector('.play').getAttribute('aria-label')") == "Pause (Space)"
    done = "return document.querySelector('.play').getAttribute('aria-label').startsWith('Play')"
    for _ in range(60):
        if browser.js(done):
            break
        browser.driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert browser.js(done)
    assert browser.position() == int(browser.js("return document.querySelector('.slider').max"))


def test_the_keys(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes"), named("hello")), at="#shoes")
    last = browser.last()
    browser.press(Keys.HOME)
    assert browser.position() == 0
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert browser.position() == 1
    browser.press(Keys.ARROW_RIGHT, shift=True)
    assert browser.texts("[aria-current=true] b") == ["step 2"]
    browser.press(Keys.ARROW_LEFT, shift=True)
    assert browser.texts("[aria-current=true] b") == ["step 1"]
    browser.press(Keys.ARROW_DOWN, on=".trace")
    assert browser.position() == 2
    browser.press(Keys.ARROW_RIGHT, on=".slider")
    assert browser.position() == 3, "one step, not two"
    browser.press(Keys.END)
    assert browser.position() == last
    browser.press("?")
    assert browser.js("return document.querySelector('dialog').open")
    browser.press(Keys.ESCAPE)
    assert not browser.js("return document.querySelector('dialog').open")
    browser.press("]")
    hello = f"{named('hello').name} · routesim"
    assert browser.title(hello) == hello
    browser.press("[")
    assert browser.title("Shoes leave the warehouse · routesim") == "Shoes leave the warehouse · routesim"
    browser.press("u")
    assert browser.title("2 scenarios · routesim") == "2 scenarios · routesim"


def test_everything_can_be_reached_with_the_tab_key(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes"), named("hello")), at="#shoes")
    seen = []
    for _ in range(50):
        browser.press(Keys.TAB)
        seen.append(
            browser.js("const e = document.activeElement; return e.getAttribute('class') || e.getAttribute('role') || e.tagName")
        )
    seen = [each.removesuffix(" fades") for each in seen]  # a drawing that is not seen whole
    for wanted in (
        "to-all",
        "after",
        "ask-help",
        "zoom-in",
        "drawing",
        "node exchange",
        "filter",
        "trace",
        "follow",
        "play",
        "slider",
        "speed",
    ):
        assert wanted in seen
    browser.js("document.querySelector('.play').focus()")
    assert browser.js("return getComputedStyle(document.querySelector('.play')).outlineStyle") == "solid"


def test_a_click_on_the_trace_leads_there(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes")))
    browser.slide(0)
    browser.click(".trace li:nth-of-type(5)")
    assert browser.position() == 4
    browser.click(".chart")
    assert 0 < browser.position() < int(browser.js("return document.querySelector('.slider').max"))


def test_filtering_by_text_and_by_message(browser: Browser, page: Any) -> None:
    scenario = scenario_of("queues: {q: }\nconsumers: {c: {queue: q}}\nsteps: [publish: {routing_key: q, count: 12}]\n")
    browser.open(page(scenario))
    visible = "return [...document.querySelectorAll('li.at:not([hidden])')].map(i => i.querySelector('i')?.textContent)"
    browser.press("/")
    browser.press(*"m1")
    assert set(browser.js(visible)) == {"m1"}, "an id is that message, not all that begin so"
    browser.js("document.querySelector('.trace').focus()")
    browser.press(Keys.HOME, Keys.ARROW_RIGHT)
    assert browser.texts("[aria-current=true] i") == ["m1"]
    browser.press("/")
    browser.press(Keys.ESCAPE, "/", *"delivered")
    assert len(browser.js(visible)) == 12
    assert browser.texts(".matches") == ["12 of 51"]
    browser.click(".clear")
    assert len(browser.js(visible)) == 51
    browser.click(".trace li:nth-of-type(4) i")
    assert browser.js("return document.querySelector('.filter').value") == "m1"


def test_the_cursor_of_the_plots_follows(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes")))
    where = "return document.querySelector('.cursor').getBoundingClientRect().left"
    browser.press(Keys.END)
    right = browser.js(where)
    browser.slide(0)
    left = browser.js(where)
    frame = browser.js("const b = document.querySelector('.chart').getBoundingClientRect(); return [b.left, b.right]")
    assert frame[0] < left < right < frame[1]


# Screens, and no scripts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scenario", [named("shoes"), named("celery-topology"), hostile_scenario("x" * 255)], ids=lambda item: item.name[:12]
)
def test_a_phone_scrolls_down_only(scenario: Scenario, browser: Browser, page: Any) -> None:
    browser.open(page(scenario, named("hello")), **PHONE)
    assert browser.js("return [document.documentElement.scrollWidth, document.body.scrollWidth]") == [360, 360]
    browser.press("]")
    assert browser.js("return [document.documentElement.scrollWidth, document.body.scrollWidth]") == [360, 360]
    small = browser.js(
        "return [...document.querySelectorAll('.run:not([hidden]) .controls button')].filter(b => b.offsetParent !== null && b.getBoundingClientRect().height < 32).length"
    )
    assert small == 0


def test_a_drawing_fades_where_there_is_more_of_it(browser: Browser, page: Any) -> None:
    fades = """const box = document.querySelector('.run:not([hidden]) .drawing'), style = getComputedStyle(box);
        return [style.maskImage !== 'none', ...['left', 'right', 'top', 'bottom'].map(side => style.getPropertyValue('--' + side))]"""
    scroll = """const box = document.querySelector('.run:not([hidden]) .drawing'); box.scrollLeft = arguments[0];
        return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"""
    browser.open(page(named("shoes")), **PHONE)
    assert browser.js(fades) == [True, "0px", "40px", "0px", "0px"]
    browser.js(scroll, 200)
    assert browser.js(fades)[1:3] == ["40px", "40px"]
    browser.js(scroll, 100_000)
    assert browser.js(fades)[1:3] == ["40px", "0px"]
    browser.open(page(named("shoes")), width=1900)
    assert browser.js(fades) == [False, "0px", "0px", "0px", "0px"], "all of it is there"


def test_without_scripts_everything_can_be_read(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes"), scenario_of(FAILING)), script=False)
    text = "\n".join(browser.texts("main"))
    for wanted in ("Shoes leave the warehouse", "A shop", "warehouse", "2 ready · 0 unacked", "delivered m1 warehouse → packer tag 1",
                   "✔ balances", "m1 did not reach audit", "queues.audit.ready is [m1]"):  # fmt: skip
        assert wanted.lower() in text.lower(), wanted
    assert browser.texts(".player") == ["", ""], "what would not work is not shown"
    assert browser.texts(".about-runs") == [""]


def test_on_paper_all_scenarios_are_there(browser: Browser, page: Any) -> None:
    browser.open(page(named("shoes"), named("hello")))
    browser.command("Emulation.setEmulatedMedia", media="print")
    assert [item != "" for item in browser.texts(".run h2")] == [True, True]
    assert browser.texts(".player") == ["", ""]
    browser.command("Emulation.setEmulatedMedia", media="")


# Safety ------------------------------------------------------------------------------------------------------------------


def test_no_name_runs_anything(browser: Browser, page: Any) -> None:
    """All of them in one page, gone through as a person would."""
    scenarios = [hostile_scenario(name) for name in (*BREAKING_OUT, HOSTILE)]
    browser.open(page(*scenarios))
    browser.js("window.alert = () => { window.hacked = 1 }")
    assert browser.js("return document.querySelectorAll('.overview tbody tr').length") == len(scenarios)
    for _ in scenarios:
        browser.press("]", Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        browser.js("document.querySelector('.run:not([hidden]) .trace i')?.click()")
    assert browser.js("return window.hacked") is None
    assert browser.js("return document.querySelectorAll('script').length") == len(scenarios) + len(SCRIPTS)
    assert browser.js("return document.querySelectorAll('img, iframe, object, [onerror], [onfocus]').length") == 0


def test_the_policy_stops_what_a_page_could_try(browser: Browser, page: Any) -> None:
    browser.open(page(named("hello")))
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = browser.driver.execute_async_script(
            """
            const [port, done] = arguments, seen = [];
            document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
            new Image().src = `http://127.0.0.1:${port}/x.png`;
            fetch(`http://127.0.0.1:${port}/`).catch(() => 0);
            const script = document.createElement("script");
            try { script.textContent = "window.hacked = 1" } catch { seen.push("trusted types") }
            try { document.body.innerHTML = "<p>" } catch { seen.push("trusted types") }
            setTimeout(() => done(seen), 200);
            """,
            server.getsockname()[1],
        )
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert {"img-src", "connect-src", "trusted types"} <= set(told)
    assert browser.js("return window.hacked") is None
    browser.messages()
    browser.requests()  # what was tried counts as one, though nothing was sent


def test_a_large_run_is_still_quick(browser: Browser, page: Any) -> None:
    scenario = scenario_of(
        "queues: {q: }\nconsumers: {c: {queue: q, prefetch: 5, takes: 2ms}}\nsteps: [publish: {routing_key: q, count: 6000, every: 1ms}]\n"
    )
    browser.open(page(scenario))
    assert (browser.position(), browser.last()) == (0, 20_001)
    spent = browser.js(
        "const s = document.querySelector('.slider'), began = performance.now();"
        "for (const to of [0, 19000, 3, 10000, 20001]) { s.value = to; s.dispatchEvent(new Event('input')); }"
        "return performance.now() - began"
    )
    assert spent < 1500
