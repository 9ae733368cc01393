"""The page around the runs: its head with a policy that lets it load nothing, its script and style, its help."""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from routesim.durations import duration_text
from routesim.report.graphs.svg import arrowheads
from routesim.report.html.markup import Markup, data, element, icon, joined
from routesim.report.html.panels import panels
from routesim.report.html.story import Story
from routesim.report.html.topology_panel import replay
from routesim.report.summary.summary import section, verdict
from routesim.run import Result
from routesim.run.verdicts import FAILED, OK, verdict_of

SCRIPTS = ("early.js", "sheet.js", "drawing.js", "run.js", "page.js")  # the first one stands in the head
KEYS = (
    ("← →", "previous, next event"),
    ("Shift ← →", "previous, next step of the scenario"),
    ("Home End", "before the first event, the end"),
    ("Space", "play, pause"),
    ("/", "filter the trace, or find a scenario; Esc clears it. Previous and next then go from match to match"),
    ("+ - 0", "the drawing larger, smaller, as it was; drag it, or scroll"),
    ("Tab Enter", "in the drawing: follow a queue, an exchange or a consumer; arrows go to the next one, Esc follows nothing"),
    ("[ ]", "previous, next scenario"),
    ("u", "the list of all scenarios"),
    ("?", "this help"),
)


@cache
def asset(name: str) -> str:
    """A part of the page that stands in a file of its own."""
    return files("routesim.report.html").joinpath("assets", name).read_text(encoding="ascii")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy_for(scripts: Iterable[str], style: str, *, connects: str | None = None) -> str:
    """The policy of a page that has these scripts and style and loads nothing; `connects`: whom its scripts may ask."""
    asks = "" if connects is None else f"connect-src {connects}; "
    return (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)}; {asks}base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def frame(count: int, *, renewed: bool = False) -> tuple[str, str]:
    """What stands before and after the runs. `renewed`: by the server that it comes from, whenever there is another."""
    style, scripts = asset("style.css"), [asset(name) for name in (*SCRIPTS, *(["renew.js"] if renewed else []))]
    policy = policy_for(scripts, style, connects="'self'" if renewed else None)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content="routesim"),
        element("title", "routesim: what happened to the messages"),
        element("style", Markup(style)),
        element("script", Markup(scripts[0])),
    )
    arrows = element("svg", Markup("".join(arrowheads())), class_="arrowheads", width=0, height=0, aria_hidden="true")
    banner = element(
        "header",
        element("h1", "routesim"),
        element(
            "nav",
            element("a", "All scenarios", href="#", class_="to-all"),
            element("span", class_="place"),
            element("button", "‹", type="button", class_="before", aria_label="Previous scenario", title="Previous scenario ([)"),
            element("button", "›", type="button", class_="after", aria_label="Next scenario", title="Next scenario (])"),
            class_="about-runs",
            aria_label="Scenarios",
            hidden=True,
        ),
        element("button", "?", type="button", class_="ask-help", aria_label="Help: keys", hidden=True),
        class_="banner",
    )
    overview = element("section", class_="overview panel", aria_label="All scenarios", hidden=True)
    before = f'<!DOCTYPE html>\n<html lang="en">{head}\n<body>{banner}{arrows}\n<main>\n{overview}\n'
    after = f"</main>\n{_help()}\n{joined([element('script', Markup(script)) for script in scripts[1:]])}\n</body></html>\n"
    return escaped_for(before, "ascii"), escaped_for(after, "ascii")  # for any encoding


def _help() -> Markup:
    named = [(joined([element("kbd", key) for key in keys.split()]), text) for keys, text in KEYS]
    rows = [element("div", element("dt", keys), element("dd", text)) for keys, text in named]
    close = element("button", "Close", type="button")
    return element("dialog", element("h2", "Keys"), element("dl", *rows), close, class_="help", aria_label="Keys")


def run_of(story: Story, slug: str | None = None) -> str:
    """One run: its head, its panels, its player, and what the player replays. `slug`: its address, None: after its file."""
    result = story.result
    live = story.kept and bool(story.graph.nodes)
    script = element("script", data(replay(story)), type="application/json", class_="replay") if live else None
    body = element(
        "article", _head(story), element("div", *panels(story), class_="panels"), _player(story) if live else None, script,
        class_="run", aria_label=result.scenario.name, data_verdict=verdict_of(result).lower(), data_file=result.scenario.file,
        data_expected=_held(result) if result.expectations else None, data_lost=result.counts().get("lost"),
        data_time=duration_text(result.clock_ms), data_why=_why(result), data_slug=slug,
    )  # fmt: skip
    return f"{body}\n"


def _held(result: Result) -> str:
    return f"{sum(item.ok for item in result.expectations)} of {len(result.expectations)}"


def _why(result: Result) -> str | None:
    """What a list of runs says of one that is not OK: its first failure, or what was lost."""
    rows = section(result, "failures").rows
    if rows:
        return rows[0][0].text
    return verdict(result).text.partition(": ")[2] if verdict_of(result) != OK else None


def _head(story: Story) -> Markup:
    result, scenario = story.result, story.scenario
    word = verdict_of(result)
    sign, tone = {OK: ("✔", "good"), FAILED: ("✘", "bad")}.get(word, ("!", "notice"))
    ok = element("strong", f"{sign} {word}", class_=f"verdict {tone}")
    paragraphs = [element("p", line, class_="description") for line in scenario.description.strip().splitlines() if line.strip()]
    broker = f"RabbitMQ {scenario.rabbitmq}" if result.real is None else f"RabbitMQ {result.real.version}, a real one"
    facts = [
        ("file", scenario.file), ("rules of" if result.real is None else "broker", broker),
        ("ended", result.ended + (f": {result.kept_going}" if result.kept_going else "")),
        ("virtual time", duration_text(result.clock_ms)),
        ("expectations", f"{_held(result)} held" if result.expectations else "none"),
    ]  # fmt: skip
    lost = result.counts().get("lost")
    if lost:
        facts.append(("lost", f"{lost:,}"))
    listed = [element("div", element("dt", name), element("dd", text)) for name, text in facts]
    return element(
        "header", element("h2", scenario.name, " ", ok), *paragraphs, element("dl", *listed, class_="facts"),
        element("p", verdict(result).text, class_="print-only"), class_="run-head",
    )  # fmt: skip


def _player(story: Story) -> Markup:
    last = len(story.moments) - 1
    buttons = [
        element("button", icon(way), type="button", class_=name, aria_label=text, title=text) for name, way, text in _BUTTONS
    ]
    speed = element(
        "select", *(element("option", f"{name}×", value=value, selected=name == "1") for name, value in _SPEEDS),
        class_="speed", aria_label="Speed",
    )  # fmt: skip
    slider = element("input", type="range", class_="slider", min=0, max=last, value=last, step=1, aria_label="Event")
    now = element("p", element("time", class_="now-time"), element("span", class_="now-text"), class_="now", aria_live="polite")
    count = element("span", class_="now-count")
    return element(
        "div", element("div", *buttons, slider, count, now, speed, class_="controls"), class_="player live-only",
        role="group", aria_label="Player", hidden=True,
    )  # fmt: skip


_BUTTONS = (
    ("previous-step", "M2 3h2v10H2zM14 3v10L5 8z", "Previous step (Shift ←)"),
    ("previous", "M12 3v10L4 8z", "Previous event (←)"),
    ("play", "M4 2l10 6-10 6z", "Play (Space)"),
    ("next", "M4 3v10l8-5z", "Next event (→)"),
    ("next-step", "M12 3h2v10h-2zM2 3v10l9-5z", "Next step (Shift →)"),
)
_SPEEDS = (("½", 1600), ("1", 800), ("2", 400), ("4", 200), ("10", 80))


def escaped_for(text: str, encoding: str) -> str:
    """The page as it can be written: the page says UTF-8, what is written otherwise must at least be ASCII."""
    return text if encoding.lower().replace("-", "") == "utf8" else text.encode("ascii", "xmlcharrefreplace").decode()
