"""Health checks. There is one node, and it is there."""

from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import FOUR, FOUR_THREE, NODE, Managed, missing, vhost_named
from routesim.control.router import Route

FAILED = 503
OK = {"status": "ok"}
SINGLE = {"status": "ok", "reason": "single node cluster"}
NO_LISTENER = {"status": "failed", "reason": "No active listener"}
OF_AMQP = ("amqp", "amqp091", "amqp0.9.1", "amqp-0-9-1")
SINCE_4_1 = "4.1.0"


def ok(context: Managed, request: HttpRequest, **named: str) -> Any:
    return OK


def single(context: Managed, request: HttpRequest) -> Any:
    return SINGLE


def alarms(context: Managed, request: HttpRequest) -> Any:
    resources = {vhost.alarm for vhost in context.server.vhosts.values() if vhost.alarm is not None}
    if not resources:
        return OK
    where = "on the node" if request.path[-1] == "local-alarms" else "in the cluster"
    found = [{"node": NODE, "resource": "disk" if "disk" in text else "memory"} for text in sorted(resources)]
    return Response({"status": "failed", "reason": f"There are alarms in effect {where}", "alarms": found}, FAILED)


def port(context: Managed, request: HttpRequest, port: str) -> Any:
    try:
        number = int(port)
    except ValueError:
        raise HttpError(400, "Invalid port") from None
    ports = [found for _, found in context.server.addresses.values()]
    if number in ports:
        return {"status": "ok", "port": number}
    return Response({**NO_LISTENER, "missing": number, "ports": ports}, FAILED)


def protocol(context: Managed, request: HttpRequest, protocol: str) -> Any:
    there = list(context.server.addresses)
    found = "amqp" if protocol in OF_AMQP else protocol
    if found in there:
        return {"status": "ok", "protocols": there} if context.at_least(FOUR_THREE) else {"status": "ok", "protocol": found}
    lacking: Any = [protocol] if context.at_least(FOUR_THREE) else protocol
    return Response({**NO_LISTENER, "missing": lacking, "protocols": there}, FAILED)


def aliveness(context: Managed, request: HttpRequest, vhost: str) -> Any:
    vhost_named(context, vhost)
    return OK


def of_node(context: Managed, request: HttpRequest, node: str) -> Any:
    if node != NODE:
        raise missing()
    return OK


CHECKS = "health/checks"
# What has come or gone with a version.
SINCE = {
    f"{CHECKS}/{path}": SINCE_4_1
    for path in (
        "is-in-service", "ready-to-serve-clients", "below-node-connection-limit", "metadata-store/initialized",
        "metadata-store/initialized/with-data", "quorum-queues-without-elected-leaders/all-vhosts",
        "quorum-queues-without-elected-leaders/vhost/{vhost}",
    )
}  # fmt: skip
UNTIL = {f"{CHECKS}/node-is-mirror-sync-critical": FOUR}
ROUTES = [
    Route("GET", f"{CHECKS}/alarms", alarms),
    Route("GET", f"{CHECKS}/local-alarms", alarms),
    Route("GET", f"{CHECKS}/virtual-hosts", ok),
    Route("GET", f"{CHECKS}/port-listener/{{port}}", port),
    Route("GET", f"{CHECKS}/protocol-listener/{{protocol}}", protocol),
    Route("GET", f"{CHECKS}/certificate-expiration/{{within}}/{{unit}}", ok),
    Route("GET", f"{CHECKS}/node-is-mirror-sync-critical", single),
    Route("GET", f"{CHECKS}/node-is-quorum-critical", single),
    *(Route("GET", path, ok) for path in SINCE),
    Route("GET", "aliveness-test/{vhost}", aliveness),
    Route("GET", "healthchecks/node", ok),
    Route("GET", "healthchecks/node/{node}", of_node),
]
