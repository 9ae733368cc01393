"""Recordings: what clients do becomes a scenario that does it again without them."""

import json
from typing import Any, Protocol

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.api import ManagementApi
from routesim.control.management.definitions import definitions
from routesim.control.own.asked import Context, only, vhost_named
from routesim.control.router import Route
from routesim.recording.document import document
from routesim.recording.recorder import ClientRecorder
from routesim.scenario import Scenario
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.serve.declared import broker_of
from routesim.serve.vhosts import Vhost

YAML = "application/yaml; charset=utf-8"
BODY = {
    "bodies": "true: those that are text are kept, of others only the size",
    "redact": "a list of headers and properties of which the values are not kept",
}


class RecordingContext(Context, Protocol):
    """`recordings`: those that this interface has begun, with what was there from the beginning."""

    management: ManagementApi
    recordings: dict[str, tuple[ClientRecorder, Scenario]]


def begin(context: RecordingContext, request: HttpRequest, vhost: str) -> dict[str, Any]:
    found, body = vhost_named(context, vhost), request.json()
    only(body, *BODY)
    redact = body.get("redact", [])
    if not isinstance(redact, list) or not all(isinstance(name, str) for name in redact):
        raise HttpError(400, "redact is a list of names")
    if found.recorder is not None:
        raise HttpError(409, f"vhost '{vhost}' is being recorded", "conflict")
    if found.play is not None:
        raise HttpError(400, "what clients do is not recorded where a scenario is played")
    given = _declared(context, request, found)
    if found.broker.channel_number > broker_of(given).channel_number:
        raise HttpError(400, "a recording begins before the first client opens a channel; `serve --record` does so")
    found.recorder = ClientRecorder(found.broker, bodies=body.get("bodies") is True, redact=redact)
    context.recordings[vhost] = (found.recorder, given)
    return {"recording": vhost}


def _declared(context: RecordingContext, request: HttpRequest, vhost: Vhost) -> Scenario:
    """What is there now, as of a definitions file."""
    text = json.dumps(definitions(context.management, request))
    return load_source(Source("served.json", text), "", rabbitmq=context.server.rules.version, vhost=vhost.name)


def read(context: RecordingContext, request: HttpRequest, vhost: str) -> Response:
    recorder, given = _found(context, vhost)
    return Response(document(recorder, given), kind=YAML)


def end(context: RecordingContext, request: HttpRequest, vhost: str) -> Response:
    recorder, given = _found(context, vhost)
    del context.recordings[vhost]
    recorder.end()
    vhost_named(context, vhost).recorder = None
    return Response(document(recorder, given), kind=YAML)


def _found(context: RecordingContext, vhost: str) -> tuple[ClientRecorder, Scenario]:
    vhost_named(context, vhost)
    found = context.recordings.get(vhost)
    if found is None:
        raise HttpError(404, f"nobody has begun to record vhost '{vhost}' here", "not_found")
    return found


ROUTES = [
    Route("POST", "recordings/{vhost}", begin, "Note what clients do from now on.", body=BODY),
    Route("GET", "recordings/{vhost}", read, "What was noted until now, as a scenario."),
    Route("DELETE", "recordings/{vhost}", end, "The same, and no more is noted."),
]
