"""Queues: what is in them and who consumes, declaring, purging and deleting."""

from collections.abc import Iterable, Iterator
from typing import Any

from routesim import steps
from routesim.broker.policies import effective, matching
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import (
    CREATED,
    DONE,
    FOUR,
    FOUR_THREE,
    NODE,
    Managed,
    body_of,
    carry_out,
    checked_name,
    flag,
    missing,
    table_of,
    text_of,
    vhost_named,
    vhost_to_change,
)
from routesim.control.management.channels import connection_details, consumers_of
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.stats import QUEUE
from routesim.control.router import Route
from routesim.model import Queue
from routesim.queues import QueueType
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import plain

Item = dict[str, Any]
Out = dict[int, tuple[int, int]]  # by identity of a queue: how many messages are out, and their octets
CLUSTERED = ("quorum", "stream")


def arguments_of(context: Managed, queue: QueueType) -> Item:
    """From 4.0 on the type is one of them, be it given or not."""
    arguments: Item = plain(queue.arguments)
    return {**arguments, "x-queue-type": queue.kind} if context.at_least(FOUR) else arguments


def queue_form(context: Managed, vhost: Vhost, queue: QueueType, out: Out, *, whole: bool) -> Item:
    """`whole`: with what lists leave out from 4.0 on."""
    found = {
        "name": queue.broker_name, "vhost": vhost.name, "type": queue.kind, "durable": queue.durable,
        "auto_delete": queue.auto_delete, "exclusive": queue.owner is not None, "arguments": arguments_of(context, queue),
        "node": NODE, "state": "running", **_policies(vhost, queue, whole=whole),
    }  # fmt: skip
    if context.at_least(FOUR_THREE):
        found |= {"internal": False, "internal_owner": False}
    if queue.kind in CLUSTERED:
        found |= {"members": [NODE], "online": [NODE]}
        if queue.kind == "quorum" or context.at_least(FOUR):
            found["leader"] = NODE
    found |= _counts(queue, out)
    if queue.kind == "quorum":
        found["messages_dlx"] = len(queue.awaiting)
        if context.at_least(FOUR):
            active = _tag(queue, "active_consumer") if queue.settings.single_active_consumer else None
            found |= {"single_active_consumer_tag": active} if whole or active is not None else {}
            found["delivery_limit"] = "unlimited" if (queue.settings.delivery_limit or 0) < 0 else queue.settings.delivery_limit
    if queue.kind == "classic" and whole:
        found |= _single(queue)
    stats = context.stats.of(vhost.name, QUEUE, queue.name)
    return {**found, "message_stats": stats} if stats else found


def _counts(queue: QueueType, out: Out) -> Item:
    ready = queue.ready_count()
    unacked, octets = (0, 0) if queue.kind == "stream" else out.get(id(queue), (0, 0))
    found = {
        "consumers": queue.consumer_count(), "messages": ready + unacked, "messages_ready": ready,
        "messages_unacknowledged": unacked,
    }  # fmt: skip
    if queue.kind != "stream":
        waiting = getattr(queue, "bytes", 0)
        found |= {
            "message_bytes": waiting + octets, "message_bytes_ready": waiting, "message_bytes_unacknowledged": octets,
        }  # fmt: skip
    return found


def _single(queue: QueueType) -> Item:
    return {
        "exclusive_consumer_tag": _tag(queue, "exclusive_to"), "single_active_consumer_tag": _tag(queue, "active_consumer")
    }  # fmt: skip


def _tag(queue: QueueType, role: str) -> str | None:
    """Of the consumer that has this role there."""
    consumer = getattr(queue, role, None)
    return None if consumer is None else consumer.tag


def _policies(vhost: Vhost, queue: QueueType, *, whole: bool) -> Item:
    """The names of those in force, and what they come to together."""
    found: Item = {}
    for key, operator in (("policy", False), ("operator_policy", True)):
        policies = matching(vhost.broker, operator, queue.broker_name, queue.kind) if vhost.broker.policies else []
        if policies or whole:
            found[key] = policies[0].name if policies else None
    merged = effective(vhost.broker, queue.broker_name, queue.kind) if vhost.broker.policies else {}
    return {**found, "effective_policy_definition": {key: plain(origin.value) for key, origin in merged.items()}}


def held(vhost: Vhost) -> Out:
    """What clients have been sent and have not answered."""
    found: Out = {}
    for channel in vhost.broker.channels.values():
        for delivery in channel.outstanding():
            count, octets = found.get(id(delivery.queue), (0, 0))
            found[id(delivery.queue)] = count + 1, octets + delivery.copy.content.size
    return found


def _all(context: Managed, vhosts: Iterable[Vhost], *, whole: bool) -> Iterator[Item]:
    for vhost in vhosts:
        out = held(vhost)
        for queue in vhost.broker.queues.values():
            yield queue_form(context, vhost, queue, out, whole=whole)


def _owner(context: Managed, vhost: Vhost, queue: QueueType) -> Item:
    if queue.owner is None:
        return {}
    return {"owner_pid_details": connection_details(context, vhost, queue.owner)}


def queues(context: Managed, request: HttpRequest) -> Any:
    found = _all(context, context.server.vhosts.values(), whole=not context.at_least(FOUR))
    return listed(request, _asked(request, found), "vhost", "name", pages=True)


def detailed(context: Managed, request: HttpRequest) -> Any:
    found = _all(context, context.server.vhosts.values(), whole=True)
    return listed(request, found, "vhost", "name", pages=True)


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    found = _all(context, [vhost_named(context, vhost)], whole=not context.at_least(FOUR))
    return listed(request, _asked(request, found), "vhost", "name", pages=True)


# What `disable_stats` leaves, and what `enable_queue_totals` adds to it.
PLAIN = (
    "name", "vhost", "type", "durable", "auto_delete", "exclusive", "arguments", "node", "state", "policy", "operator_policy",
    "effective_policy_definition", "internal", "internal_owner", "members", "online", "leader", "delivery_limit",
)  # fmt: skip
TOTALS = ("messages", "messages_ready", "messages_unacknowledged")


def _asked(request: HttpRequest, items: Iterator[Item]) -> Iterator[Item]:
    if request.query.get("disable_stats") != "true":
        return items
    kept = (*PLAIN, *(TOTALS if request.query.get("enable_queue_totals") == "true" else ()))
    return ({key: item[key] for key in kept if key in item} for item in items)


def _one(context: Managed, vhost: str, name: str) -> tuple[Vhost, QueueType]:
    where = vhost_named(context, vhost)
    found = queue_named(where, name)
    if found is None:
        raise missing()
    return where, found


def queue_named(vhost: Vhost, name: str) -> QueueType | None:
    """By the name that clients know."""
    found = vhost.broker.queues.get(name)
    return found or next((each for each in vhost.broker.queues.values() if each.broker_name == name), None)


def queue(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    where, found = _one(context, vhost, name)
    form = queue_form(context, where, found, held(where), whole=True)
    details = {"consumer_details": consumers_of(context, where, found), "incoming": [], "deliveries": []}
    return with_columns(request, {**form, **_owner(context, where, found), **details})


def declare(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    where, body = vhost_to_change(context, vhost), body_of(request)
    checked_name("queue", name)
    node = text_of(body, "node", NODE)
    if node != NODE:
        said = "is not a cluster member" if context.at_least(FOUR_THREE) else "could not be contacted"
        raise HttpError(400, f"Node {node} {said}")
    declared = Queue(name, flag(body, "durable"), False, flag(body, "auto_delete"), table_of(body.get("arguments"), "arguments"))
    there = name in where.broker.queues
    carry_out(where, steps.DeclareQueue(OWN, declared))
    return DONE if there else CREATED


def delete(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    where, found = _one(context, vhost, name)
    unused, empty = (request.query.get(flag) == "true" for flag in ("if-unused", "if-empty"))
    carry_out(where, steps.DeleteQueue(OWN, found.name, unused, empty))
    return DONE


def purge(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    where, found = _one(context, vhost, name)
    carry_out(where, steps.Purge(OWN, found.name))
    return DONE


def act(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    """There is nothing that a queue could do: of mirrors, before 4.0, there are none."""
    where = vhost_to_change(context, vhost)
    if queue_named(where, name) is None:
        raise HttpError(404, "queue_not_found", "not_found")
    action = body_of(request).get("action")
    if action in ("sync", "cancel_sync") and not context.at_least(FOUR):
        return DONE
    raise HttpError(400, ["unknown", action])


ROUTES = [
    Route("GET", "queues", queues),
    Route("GET", "queues/detailed", detailed),
    Route("GET", "queues/{vhost}", in_vhost),
    Route("GET", "queues/{vhost}/{name}", queue),
    Route("PUT", "queues/{vhost}/{name}", declare),
    Route("DELETE", "queues/{vhost}/{name}", delete),
    Route("DELETE", "queues/{vhost}/{name}/contents", purge),
    Route("POST", "queues/{vhost}/{name}/actions", act),
]
