"""The server's time."""

from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest
from routesim.control.own.asked import Context, duration_of, only
from routesim.control.router import Route
from routesim.serve.clocks import ManualClock, WallClock


def clock(context: Context, request: HttpRequest) -> dict[str, Any]:
    server = context.server
    return {
        "clock": "manual" if isinstance(server.clock, ManualClock) else "real",
        "speed": getattr(server.clock, "speed", None),
        "paused": getattr(server.clock, "paused", False),
        "now_ms": server.at_ms,
        "due_ms": server.due_ms(),
    }


def advance(context: Context, request: HttpRequest) -> dict[str, Any]:
    body = request.json()
    only(body, "by")
    context.server.clock.advance(duration_of(body.get("by"), "by"))
    context.server.advance()
    return clock(context, request)


def pause(context: Context, request: HttpRequest) -> dict[str, Any]:
    _real(context).pause()
    return clock(context, request)


def resume(context: Context, request: HttpRequest) -> dict[str, Any]:
    _real(context).resume()
    return clock(context, request)


def _real(context: Context) -> WallClock:
    found = context.server.clock
    if not isinstance(found, WallClock):
        raise HttpError(400, "a manual clock stands still until it is told to go on")
    return found


ROUTES = [
    Route("GET", "clock", clock, "The server's time, and when the next timer is due."),
    Route(
        "POST", "clock/advance", advance, "Let time pass at once: what falls due meanwhile happens, in its order.",
        body={"by": "a duration, such as 250ms, 5s or 1d"}, needs=("by",),
    ),
    Route("POST", "clock/pause", pause, "A real clock stands still from now on; `advance` goes on letting time pass."),
    Route("POST", "clock/resume", resume, "It goes on from where it stood."),
]  # fmt: skip
