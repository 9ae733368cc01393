"""What is there, what was lost, what became of a message, and where one would go."""

import json
from typing import Any

from routesim import __version__
from routesim.broker import counts
from routesim.content import Content
from routesim.control.http_messages import HttpError, HttpRequest
from routesim.control.own.asked import Context, vhost_named
from routesim.control.router import Route
from routesim.explain.answer import Answer
from routesim.explain.routes.route import explain_content
from routesim.narration import sentence_of
from routesim.report.answers.known_message import lines_of
from routesim.serve.declared import empty_scenario
from routesim.serve.vhosts import Vhost


def overview(context: Context, request: HttpRequest) -> dict[str, Any]:
    server = context.server
    return {
        "routesim": __version__, "rabbitmq": server.version, "now_ms": server.at_ms, "mark": context.hub.mark,
        "lost": server.lost(), "vhosts": {name: _vhost(vhost) for name, vhost in server.vhosts.items()},
    }  # fmt: skip


def _vhost(vhost: Vhost) -> dict[str, Any]:
    queues = {
        queue.broker_name: {
            "ready": queue.ready_count(), "unacked": queue.unacked, "consumers": len(queue.subscriptions), "type": queue.kind
        }
        for queue in vhost.broker.queues.values()
    }  # fmt: skip
    return {
        "lost": vhost.broker.ledger.lost,
        "counts": counts(vhost.broker),
        "queues": queues,
        "snapshots": list(vhost.snapshots),
    }


def ledger(context: Context, request: HttpRequest, vhost: str) -> dict[str, Any]:
    return dict(counts(vhost_named(context, vhost).broker))


def lost(context: Context, request: HttpRequest, vhost: str) -> list[dict[str, Any]]:
    found = vhost_named(context, vhost)
    return [
        {"message": event.message, "at_ms": event.at_ms + found.since_ms, "why": sentence_of(event) or ""}
        for event in found.history.losses
    ]


def message(context: Context, request: HttpRequest, vhost: str, name: str) -> list[dict[str, Any]]:
    history = vhost_named(context, vhost).history
    found = [
        {"message": known.name, "states": known.states, "left_out": known.left_out, "story": list(lines_of(known, colour=False))}
        for known in history.named(name)
    ]
    if not found:
        forgotten = f"; {history.forgotten} are forgotten" if history.forgotten else ""
        raise HttpError(404, f"no message '{name}' is known{forgotten}", "not_found")
    return found


def route(context: Context, request: HttpRequest, vhost: str) -> dict[str, Any]:
    """Where a message would go now, and why not elsewhere."""
    found, query = vhost_named(context, vhost), request.query
    exchange, key = query.get("exchange", ""), query.get("key")
    if key is None:
        raise HttpError(400, "route needs ?exchange=NAME&key=KEY")
    if exchange not in found.broker.exchanges:
        raise HttpError(404, f"no exchange is called '{exchange}'; there are {', '.join(found.broker.exchanges)}", "not_found")
    content = Content(exchange, key, (key,), _headers(query.get("headers")), "")
    answer: Answer = explain_content(found.broker.copy(), empty_scenario(context.server.rules.version, vhost), content)
    return {"headline": answer.headline, **answer.data}


def _headers(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HttpError(400, "headers are an object of JSON")
    return found


ROUTES = [
    Route("GET", "", overview, "The server, its virtual hosts, what was lost."),
    Route("GET", "ledger/{vhost}", ledger, "How every publish and every copy ended."),
    Route("GET", "lost/{vhost}", lost, "The messages that were lost, in that order, and why."),
    Route("GET", "messages/{vhost}/{name}", message, "What became of a message, by its message_id or connection and number."),
    Route(
        "GET", "route/{vhost}", route, "Where a message would go now, and why not elsewhere.",
        query={"exchange": "its name; default: the default exchange", "key": "the routing key", "headers": "an object of JSON"},
        needs=("key",),
    ),
]  # fmt: skip
