"""Failures on order, and snapshots."""

from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest
from routesim.control.own.asked import Context, duration_of, only, refused, vhost_named
from routesim.control.router import Route
from routesim.failure_kinds import FAILURES, OPTIONS
from routesim.serve.failing import Order

BODY = {
    "failure": "its name in the table of failures",
    "target": "the connection, channel, consumer or queue that it befalls; * is all of them",
    "vhost": "where; default: anywhere",
    "ends": "true: what lasts is over",
    **OPTIONS,
}
OF_ALL = ("failure", "target", "vhost", "ends")


def table(context: Context, request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {"failure": name, "effect": item.effect, "befalls": item.befalls, "lasts": item.lasts, "options": list(item.options)}
        for name, item in FAILURES.items()
    ]


def fail(context: Context, request: HttpRequest) -> dict[str, Any]:
    body = request.json()
    only(body, *BODY)
    for name in ("failure", "target", "vhost"):
        if name in body and not isinstance(body[name], str):
            raise HttpError(400, f"{name} is a name, not {body[name]!r}")
    options = {name: body[name] for name in body if name not in OF_ALL}
    if "by" in options:
        options["by"] = duration_of(options["by"], "by")
    order = Order(body.get("failure", ""), body.get("target"), body.get("vhost"), body.get("ends") is True, options)
    return {"befallen": refused(lambda: context.server.fail(order))}


def snapshots(context: Context, request: HttpRequest, vhost: str) -> list[str]:
    return list(vhost_named(context, vhost).snapshots)


def take(context: Context, request: HttpRequest, vhost: str, name: str) -> dict[str, Any]:
    context.server.snapshot(vhost_named(context, vhost), name)
    return {"snapshot": name}


def restore(context: Context, request: HttpRequest, vhost: str, name: str) -> dict[str, Any]:
    refused(lambda: context.server.set_back(vhost_named(context, vhost), name))
    return {"snapshot": name}


def forget(context: Context, request: HttpRequest, vhost: str, name: str) -> dict[str, Any]:
    if vhost_named(context, vhost).snapshots.pop(name, None) is None:
        raise HttpError(404, f"no snapshot is called '{name}'", "not_found")
    return {"forgotten": name}


ROUTES = [
    Route("GET", "failures", table, "The failures that can be ordered, what each befalls and may be told."),
    Route("POST", "failures", fail, "Let something go wrong.", body=BODY, needs=("failure",)),
    Route("GET", "snapshots/{vhost}", snapshots, "The names of those that were taken."),
    Route("PUT", "snapshots/{vhost}/{name}", take, "Remember how all is in a virtual host."),
    Route("POST", "snapshots/{vhost}/{name}/restore", restore, "All is as it was then; clients lose their connections."),
    Route("DELETE", "snapshots/{vhost}/{name}", forget, "Forget a snapshot."),
]
