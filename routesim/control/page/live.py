"""The page itself: it loads nothing but what this server tells it, and knows no rule of RabbitMQ."""

from functools import cache
from importlib.resources import files

from routesim.control.page import seen
from routesim.report.graphs.svg import arrowheads
from routesim.report.html.markup import Markup, data, element, joined
from routesim.report.html.page import asset, escaped_for, policy_for
from routesim.serve.clocks import ManualClock
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost

KEYS = (
    ("a", "let time pass"),
    ("p", "pause the clock, go on"),
    ("/", "filter the trace; Esc clears it"),
    ("f", "follow the trace, or stay where it is"),
    ("?", "this help"),
)


@cache
def _own_asset(name: str) -> str:
    return files("routesim.control.page").joinpath(name).read_text(encoding="ascii")


def page(server: Server, vhost: Vhost) -> str:
    style, script = asset("style.css") + _own_asset("live.css"), _own_asset("live.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy_for([script], style, connects="'self'")),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{vhost.name} · routesim serve"),
        element("style", Markup(style)),
    )
    arrows = element("svg", Markup("".join(arrowheads())), class_="arrowheads", width=0, height=0, aria_hidden="true")
    tabs = [
        element("a", name, href="#", data_vhost=name, aria_current="page" if name == vhost.name else None)
        for name in server.vhosts
    ]
    banner = element(
        "header", element("h1", f"routesim serve · RabbitMQ {server.version}"),
        element("nav", *tabs, class_="vhosts", aria_label="Virtual hosts", hidden=len(tabs) < 2),
        element("span", "connecting …", class_="state", role="status"),
        element("button", "?", type="button", class_="ask-help", aria_label="Help: keys"), class_="banner",
    )  # fmt: skip
    body = element("body", banner, arrows, element("main", _drawing(vhost), _trace(), *_side(server)), _dialogs())
    text = f'<!DOCTYPE html>\n<html lang="en" class="js">{head}\n{body}\n{element("script", Markup(script))}</html>\n'
    return escaped_for(text, "utf-8")


def _panel(title: str, place: str, *children: Markup) -> Markup:
    return element("section", element("h3", title), *children, class_=f"panel {place}", aria_label=title)


def _drawing(vhost: Vhost) -> Markup:
    drawn = seen.drawing(vhost)
    many = f"{drawn.left_out} exchanges, queues and consumers: too many to be drawn"
    empty = element("p", many if drawn.left_out else "nothing is declared yet", class_="quiet")
    body = empty if drawn.svg is None else drawn.svg
    numbers = element("script", data({"nodes": drawn.nodes, "edges": drawn.edges}), type="application/json", class_="drawn")
    return _panel("Topology", "topology", element("div", body, numbers, class_="drawing", tabindex=0))


def _trace() -> Markup:
    search = element(
        "div",
        element("label", "Filter", element("input", type="search", class_="filter", autocomplete="off", spellcheck="false")),
        element("label", element("input", type="checkbox", class_="follow", checked=True), "follow", class_="check"),
        class_="search",
    )
    rows = element("div", element("ol"), class_="trace", tabindex=0, role="log", aria_label="Trace", aria_live="off")
    return _panel("Trace", "trace-panel", search, rows)


def _side(server: Server) -> list[Markup]:
    manual = isinstance(server.clock, ManualClock)
    clock = element(
        "form",
        element("p", element("time", class_="now"), " ", element("small", "stands still until it is told" if manual else "runs")),
        element(
            "div",
            element("label", "Let pass", element("input", class_="by", value="5s", aria_label="Duration")),
            element("button", "Advance", type="submit"),
            None if manual else element("button", "Pause", type="button", class_="pause", aria_pressed="false"),
            class_="controls",
        ),
        element("p", class_="answer", role="status"), class_="clock",
    )  # fmt: skip
    connections = element("ul", class_="connections")
    ledger = element("table", element("tbody"), class_="ledger")
    return [
        _panel("Clock", "half", clock),
        _panel("Connections", "half", connections),
        _panel("Ledger", "half", ledger),
    ]


def _dialogs() -> Markup:
    rows = [element("div", element("dt", element("kbd", key)), element("dd", text)) for key, text in KEYS]
    close = element("form", element("button", "Close"), method="dialog")
    keys = element("dialog", element("h2", "Keys"), element("dl", *rows), close, class_="help", aria_label="Keys")
    why = element(
        "dialog", element("h2"), element("pre"), element("form", element("button", "Close"), method="dialog"), class_="help why",
        aria_label="What became of a message",
    )  # fmt: skip
    return joined([keys, why])
