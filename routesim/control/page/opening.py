"""The page and what feeds it."""

from typing import Any

from routesim.control.http_messages import HTML, HttpError, HttpRequest, Response, Unending
from routesim.control.own.asked import Context, vhost_named
from routesim.control.page.feed import Feed
from routesim.control.page.live import page
from routesim.control.router import Route
from routesim.serve.vhosts import Vhost

STREAM = "text/event-stream"


def _vhost(context: Context, request: HttpRequest) -> Vhost:
    """The one that is asked for; default: the first."""
    name = request.query.get("vhost")
    if name is None and not context.server.vhosts:
        raise HttpError(404, "there is no vhost", "not_found")
    return vhost_named(context, next(iter(context.server.vhosts)) if name is None else name)


def shown(context: Context, request: HttpRequest) -> Response:
    headers = {"x-frame-options": "DENY", "referrer-policy": "no-referrer"}
    return Response(page(context.server, _vhost(context, request)), kind=HTML, headers=headers)


def live(context: Context, request: HttpRequest) -> Response:
    context.follow()
    vhost = _vhost(context, request)

    def begin(write: Any) -> Any:
        return Feed(context.server, vhost, context.hub, write).end

    return Response(Unending(begin), kind=STREAM)


PAGE = [Route("GET", "", shown), Route("GET", "live", live)]
