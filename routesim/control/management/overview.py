"""The broker as a whole: what it is, how much there is of everything, its one node, and what it knows of features."""

from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import (
    DONE,
    FOUR,
    FOUR_THREE,
    NODE,
    Managed,
    body_of,
    missing,
    required,
)
from routesim.control.management.channels import channels_in
from routesim.control.management.connections import count_in
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.vhosts import totals_of
from routesim.control.router import Route
from routesim.exchanges import exchange_types
from routesim.serve.users import mechanisms
from routesim.versions.deprecated import FEATURES

AMQP_TYPE = "AMQP {} exchange, as per the AMQP specification"
TYPES = {
    **{kind: AMQP_TYPE.format(kind) for kind in ("direct", "fanout", "headers", "topic")},
    "x-consistent-hash": "Consistent Hashing Exchange",
    "x-local-random": "Picks one random local binding (queue) to route via (to).",
    "x-modulus-hash": "Modulus Hashing Exchange",
    "x-random": "Randomly picks a binding (queue) to route via (to).",
    "x-recent-history": "Recent History Exchange.",
    "x-delayed-message": "Delayed Message Exchange.",
}
MECHANISMS = {
    "PLAIN": "SASL PLAIN authentication mechanism",
    "AMQPLAIN": "QPid AMQPLAIN mechanism",
    "ANONYMOUS": "SASL ANONYMOUS authentication mechanism",
}
CLUSTER_ID = "rabbitmq-cluster-id-routesim"
Item = dict[str, Any]


def _types(context: Managed) -> list[Item]:
    known, types = exchange_types(context.server.rules), sorted(TYPES.items())
    return [{"name": name, "description": description, "enabled": True} for name, description in types if name in known]


def overview(context: Managed, request: HttpRequest) -> Any:
    server = context.server
    vhosts = list(server.vhosts.values())
    brokers = [vhost.broker for vhost in vhosts]
    found = {
        "management_version": server.version, "rates_mode": "none", "product_name": "RabbitMQ",
        "product_version": server.version, "rabbitmq_version": server.version, "cluster_name": context.cluster, "node": NODE,
        "exchange_types": _types(context), "disable_stats": False, "enable_queue_totals": False, "statistics_db_event_queue": 0,
        "message_stats": context.stats.overall(), "queue_totals": totals_of(vhosts),
        "object_totals": {
            "channels": sum(1 for vhost in vhosts for _ in channels_in(vhost)),
            "connections": sum(count_in(context, vhost) for vhost in vhosts),
            "consumers": sum(len(queue.subscriptions) for broker in brokers for queue in broker.queues.values()),
            "exchanges": sum(len(broker.exchanges) for broker in brokers),
            "queues": sum(len(broker.queues) for broker in brokers),
        },
        "listeners": [
            {"node": NODE, "protocol": protocol, "ip_address": host, "port": port}
            for protocol, (host, port) in server.addresses.items()
        ],
        "contexts": _contexts(context),
    }  # fmt: skip
    if context.at_least(FOUR):
        found |= {"is_op_policy_updating_enabled": True, "cluster_tags": {}, "node_tags": {}}
        found["default_queue_type"] = "classic"
    return with_columns(request, found)


def _contexts(context: Managed) -> list[Item]:
    http = context.server.addresses.get("http")
    return [] if http is None else [{"node": NODE, "description": "RabbitMQ Management", "path": "/", "port": str(http[1])}]


# The node ------------------------------------------------------------------------------------------------------------


def _node(context: Managed) -> Item:
    offered = mechanisms(context.server.rules)
    found = {
        "name": NODE, "type": "disc", "running": True, "uptime": context.server.clock_ms(), "partitions": [],
        "mem_alarm": any("disk" not in vhost.alarm for vhost in context.server.vhosts.values() if vhost.alarm),
        "disk_free_alarm": any("disk" in vhost.alarm for vhost in context.server.vhosts.values() if vhost.alarm),
        "rates_mode": "none", "exchange_types": _types(context), "applications": [],
        "auth_mechanisms": [{"name": name, "description": MECHANISMS[name], "enabled": True} for name in offered],
        "contexts": _contexts(context), "enabled_plugins": ["rabbitmq_management"], "cluster_links": [],
    }  # fmt: skip
    if context.at_least(FOUR):
        found["being_drained"] = False
    return {**found, "rabbitmq_version": context.server.version} if context.at_least(FOUR_THREE) else found


def nodes(context: Managed, request: HttpRequest) -> Any:
    return listed(request, [_node(context)], "name")


def node(context: Managed, request: HttpRequest, name: str) -> Any:
    if name != NODE:
        raise missing()
    return with_columns(request, _node(context))


def cluster_name(context: Managed, request: HttpRequest) -> Any:
    return {"name": context.cluster}


def name_cluster(context: Managed, request: HttpRequest) -> Response:
    (name,) = required(body_of(request), "name")
    if not isinstance(name, str):
        raise HttpError(400, "name is a text")
    context.cluster = name
    return DONE


# What is known -------------------------------------------------------------------------------------------------------


def extensions(context: Managed, request: HttpRequest) -> Any:
    return [{"javascript": "dispatcher.js"}]


def auth(context: Managed, request: HttpRequest) -> Any:
    if context.at_least(FOUR):
        return {"oauth_enabled": False}
    return {"enable_uaa": False, "uaa_client_id": "", "uaa_location": ""}


def feature_flags(context: Managed, request: HttpRequest) -> Any:
    """None is told of: what a version does is what the server does."""
    return []


def deprecated(context: Managed, request: HttpRequest) -> Any:
    return listed(request, _deprecated(context), "name")


def _deprecated(context: Managed) -> list[Item]:
    found = []
    for name, feature in FEATURES.items():
        if not context.at_least(feature.since):
            continue
        removed = feature.removed is not None and context.at_least(feature.removed)
        denied = feature.denied is not None and context.at_least(feature.denied)
        by = "rabbitmq_management_agent" if name.startswith("management") else "rabbit"
        phase = "removed" if removed else "denied_by_default" if denied else "permitted_by_default"
        item = {"name": name, "desc": "", "doc_url": "", "provided_by": by, "deprecation_phase": phase}
        if context.at_least("4.1.8"):
            item["state"] = "denied" if removed or _denies(context, feature.rule, denied=denied) else "permitted"
        found.append(item)
    return found


def _denies(context: Managed, rule: str | None, *, denied: bool) -> bool:
    """What the settings of the brokers say, where there is a rule."""
    if rule is None:
        return denied
    return any(getattr(vhost.broker.rules, rule) for vhost in context.server.vhosts.values())


def deprecated_used(context: Managed, request: HttpRequest) -> Any:
    transient = any(
        not queue.durable and queue.owner is None
        for vhost in context.server.vhosts.values() for queue in vhost.broker.queues.values()
    )  # fmt: skip
    return [item for item in _deprecated(context) if transient and item["name"] == "transient_nonexcl_queues"]


def version(context: Managed, request: HttpRequest) -> Any:
    return context.server.version


def global_parameters(context: Managed, request: HttpRequest) -> Any:
    found: list[Item] = [{"name": "internal_cluster_id", "value": CLUSTER_ID}]
    return [{"name": "cluster_tags", "value": []}, *found] if context.at_least(FOUR) else found


def global_parameter(context: Managed, request: HttpRequest, name: str) -> Any:
    for item in global_parameters(context, request):
        if item["name"] == name:
            return item
    raise missing()


def nothing(context: Managed, request: HttpRequest, **named: str) -> Any:
    """Limits and permissions of topics, of which there are none."""
    return []


SINCE = {"deprecated-features": "3.13.0", "deprecated-features/used": "3.13.0", "queues/detailed": FOUR, "version": FOUR}
UNTIL = {"auth": FOUR_THREE}
ROUTES = [
    Route("GET", "overview", overview),
    Route("GET", "nodes", nodes),
    Route("GET", "nodes/{name}", node),
    Route("GET", "cluster-name", cluster_name),
    Route("PUT", "cluster-name", name_cluster),
    Route("GET", "extensions", extensions),
    Route("GET", "auth", auth),
    Route("GET", "version", version),
    Route("GET", "feature-flags", feature_flags),
    Route("GET", "deprecated-features", deprecated),
    Route("GET", "deprecated-features/used", deprecated_used),
    Route("GET", "global-parameters", global_parameters),
    Route("GET", "global-parameters/{name}", global_parameter),
    *(
        Route("GET", path, nothing)
        for path in (
            "topic-permissions", "vhost-limits", "vhost-limits/{vhost}", "user-limits", "user-limits/{user}",
            "vhosts/{vhost}/topic-permissions", "users/{user}/topic-permissions",
        )
    ),
]  # fmt: skip
