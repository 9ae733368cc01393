"""What happens, as the lines of `run --format ndjson`, each with its virtual host."""

import json
from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response, Unending
from routesim.control.hub import Heard
from routesim.control.own.asked import Context, vhost_named
from routesim.control.router import Route
from routesim.report.formats.ndjson import Lines

STREAM = "text/event-stream"


def data_of(heard: Heard) -> str:
    """One event, as JSON."""
    lines: list[str] = []
    one = Lines(lines.append, "")
    one.seq = heard.mark - 1
    one(heard.event)
    return f'{{"vhost": {json.dumps(heard.vhost)}, {lines[0][1:]}'


def events(context: Context, request: HttpRequest) -> Any:
    """Since a mark, or as they happen to whoever accepts a stream."""
    context.follow()
    hub, query = context.hub, request.query
    asked = request.headers.get("last-event-id") or query.get("since") or ""
    streams = STREAM in request.headers.get("accept", "")
    since = hub.mark if not asked and streams else _number(asked or "0", "since")
    vhost = None if "vhost" not in query else vhost_named(context, query["vhost"]).name
    if streams:
        return Response(Unending(lambda write: _follow(context, write, since, vhost)), kind=STREAM)
    most = _number(query.get("limit", "1000"), "limit")
    found: list[str] = []
    mark = since
    for heard in hub.since(since):
        if len(found) == most:
            break
        mark = heard.mark
        if vhost in (None, heard.vhost):
            found.append(data_of(heard))
    body = f'{{"mark": {mark}, "forgotten": {hub.forgotten_since(since)}, "events": [{", ".join(found)}]}}'
    return Response(body.encode())


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise HttpError(400, f"{what} is a number, not '{text}'")
    return int(text)


def _follow(context: Context, write: Any, since: int, vhost: str | None) -> Any:
    hub = context.hub

    def hear(heard: Heard) -> None:
        if vhost in (None, heard.vhost):
            write(f"id: {heard.mark}\ndata: {data_of(heard)}\n\n".encode())

    write(b": events\n\n")
    for heard in hub.since(since):
        hear(heard)
    hub.hearers.add(hear)
    return lambda: hub.hearers.discard(hear)


ROUTES = [
    Route(
        "GET", "events", events,
        "What happened since a mark; where text/event-stream is accepted, also what happens from now on, as it does.",
        query={"since": "a mark; default: the first event", "vhost": "of this one alone", "limit": "at most so many"},
    ),
]  # fmt: skip
