"""Definitions: all that is declared, as one document, and such a document read."""

import json
from collections.abc import Iterable
from typing import Any

from routesim import steps
from routesim.broker.records import PREDECLARED
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management import bindings, exchanges
from routesim.control.management.asked import (
    DONE,
    FOUR,
    FOUR_THREE,
    Managed,
    body_of,
    reason_of,
    vhost_to_change,
)
from routesim.control.management.overview import global_parameters
from routesim.control.management.permissions import allow, permissions_of, set_user, user_form
from routesim.control.management.policies import parameters_of, policies_of, set_policy
from routesim.control.management.queues import arguments_of
from routesim.control.management.vhosts import make, metadata_of
from routesim.control.router import Route
from routesim.model import policy_body
from routesim.queues import QueueType
from routesim.replies import REPLY_NAMES
from routesim.scenario.definitions import list_form, reading
from routesim.scenario.yaml.source import Source
from routesim.serve.vhosts import OWN, Vhost
from routesim.steps import Step

OF_THE_BROKER = frozenset(item.name for item in PREDECLARED)
ITEMS = (*list_form.SECTIONS,)
Item = dict[str, Any]


# Out -----------------------------------------------------------------------------------------------------------------


def definitions(context: Managed, request: HttpRequest) -> Any:
    server = context.server
    vhosts = list(server.vhosts.values())
    found = {
        "rabbit_version": server.version, "rabbitmq_version": server.version, "product_name": "RabbitMQ",
        "product_version": server.version, "users": [user_form(each) for each in server.users.values()],
        "vhosts": [_vhost(context, each) for each in vhosts], "permissions": list(permissions_of(context)),
        "topic_permissions": [], "global_parameters": global_parameters(context, request), **_declared(context, vhosts),
    }  # fmt: skip
    if context.at_least(FOUR):
        found |= {
            "rabbitmq_definition_format": "cluster", "original_cluster_name": context.cluster,
            "explanation": f"Definitions of cluster '{context.cluster}'",
        }  # fmt: skip
    return found


def _vhost(context: Managed, vhost: Vhost) -> Item:
    metadata = metadata_of(context, vhost)
    if context.at_least(FOUR_THREE):
        return {"name": vhost.name, "metadata": metadata, "limits": {}}
    if not context.at_least(FOUR):
        return {"name": vhost.name}
    return {"name": vhost.name, "metadata": metadata, **metadata}


def of_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    found = context.server.vhosts.get(vhost)
    if found is None:
        raise HttpError(400, "vhost_not_found")
    declared, version = _declared(context, [found], named=False), context.server.version
    if not context.at_least(FOUR):
        for section in ("policies", "parameters"):
            declared[section] = [{**item, "vhost": vhost} for item in declared[section]]
        return {"rabbit_version": version, **declared}
    metadata = metadata_of(context, found)
    told = {
        "rabbit_version": version, "rabbitmq_version": version, "product_name": "RabbitMQ", "product_version": version,
        "rabbitmq_definition_format": "single_virtual_host", "original_vhost_name": vhost,
        "explanation": f"Definitions of virtual host '{vhost}'", "metadata": metadata,
        "description": metadata["description"],
    }  # fmt: skip
    if context.at_least(FOUR_THREE):
        return {**told, "limits": {}, **declared}
    return {**told, "limits": [], "default_queue_type": metadata["default_queue_type"], **declared}


def _declared(context: Managed, vhosts: list[Vhost], *, named: bool = True) -> Item:
    """`named`: each item with its virtual host."""
    found: Item = {name: [] for name in ("policies", "queues", "exchanges", "bindings")}
    for vhost in vhosts:
        own = {"vhost": vhost.name} if named else {}
        queues = [queue for queue in vhost.broker.queues.values() if queue.owner is None]
        names = {queue.name for queue in queues}
        found["policies"] += [{**own, "name": each.name, **policy_body(each)} for each in policies_of(vhost, operator=False)]
        found["queues"] += [{**own, **_queue(context, queue)} for queue in queues]
        found["exchanges"] += [{**own, **item} for item in _exchanges(context, vhost)]
        found["bindings"] += [
            {**own, **bindings.declared_form(each)}
            for each in bindings.declared_bindings(vhost) if each.destination_type == "exchange" or each.destination in names
        ]  # fmt: skip
    return {**found, "parameters": list(parameters_of(vhosts, named=named))}


def _queue(context: Managed, queue: QueueType) -> Item:
    found = {
        "name": queue.broker_name, "durable": queue.durable, "auto_delete": queue.auto_delete,
        "arguments": arguments_of(context, queue),
    }  # fmt: skip
    return {**found, "type": queue.kind} if context.at_least(FOUR_THREE) else found


def _exchanges(context: Managed, vhost: Vhost) -> Iterable[Item]:
    """From 4.3 on those that are internal are left out."""
    for name, state in vhost.broker.exchanges.items():
        if name in OF_THE_BROKER:
            continue
        form = exchanges.declared_form(state.declared)
        if not context.at_least(FOUR_THREE) or not form.pop("internal"):
            yield form


# In ------------------------------------------------------------------------------------------------------------------


def load(context: Managed, request: HttpRequest) -> Response:
    body = body_of(request, "failed_to_parse_json")
    _check(body)
    for item in list_form.items_of(body, "users"):
        set_user(context, _name(item), item)
    for item in list_form.items_of(body, "vhosts"):
        make(context, _name(item), {**item, **_metadata(item)})
    for item in list_form.items_of(body, "permissions"):
        _allow(context, item)
    for name in list_form.vhosts_in(body):
        if name not in context.server.vhosts:
            raise HttpError(
                400,
                f'Please create virtual host "{name}" prior to importing definitions.'
                if context.at_least(FOUR)
                else ["no_such_vhost", name],
            )
    for vhost in [context.server.vhosts[name] for name in list_form.vhosts_in(body)]:
        _load(context, vhost, body)
    return DONE


def load_vhost(context: Managed, request: HttpRequest, vhost: str) -> Response:
    """Whatever virtual host the items name, it is this one."""
    where, body = vhost_to_change(context, vhost), body_of(request, "failed_to_parse_json")
    _check(body)
    own = {
        section: [{key: value for key, value in item.items() if key != "vhost"} for item in list_form.items_of(body, section)]
        for section in ITEMS
    }  # fmt: skip
    _load(context, where, own)
    return DONE


def _check(body: Item) -> None:
    for section in (*ITEMS, "users", "vhosts", "permissions"):
        if not isinstance(body.get(section, []), list):
            raise HttpError(400, f"{section} is a list")


def _name(item: Item) -> str:
    if not isinstance(item.get("name"), str):
        raise HttpError(400, "every user and virtual host has a name")
    return str(item["name"])


def _metadata(item: Item) -> Item:
    metadata = item.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _allow(context: Managed, item: Item) -> None:
    user, vhost = item.get("user"), item.get("vhost")
    if user not in context.server.users or vhost not in context.server.vhosts:
        raise HttpError(400, "vhost_or_user_not_found")
    allow(context, str(vhost), str(user), item)


def _load(context: Managed, vhost: Vhost, body: Item) -> None:
    source = Source("definitions", json.dumps(body))
    version = context.server.rules.version
    found, problems, _ = reading.read(source, body, None, vhost.name, version, vhost_given=True)
    wrong = next((problem for problem in problems if problem.severity == "error"), None)
    if wrong is not None:
        raise HttpError(400, wrong.message)
    for _, policy in found.policies:
        set_policy(context, vhost, policy)
    for _, queue in found.queues:
        if queue.name not in vhost.broker.queues:
            _carry_out(vhost, steps.DeclareQueue(OWN, queue))
    for _, exchange in found.exchanges:
        if exchange.name not in vhost.broker.exchanges:
            _carry_out(vhost, steps.DeclareExchange(OWN, exchange))
    for _, binding in found.bindings:
        _bind(context, vhost, steps.Bind(OWN, binding))


def _bind(context: Managed, vhost: Vhost, step: steps.Bind) -> None:
    """What leads from or to nowhere is passed over before 4.0."""
    binding, broker = step.binding, vhost.broker
    ends = [("exchange", binding.source), (binding.destination_type, binding.destination)]
    for kind, name in ends:
        if name not in (broker.queues if kind == "queue" else broker.exchanges):
            if not context.at_least(FOUR):
                return
            where = f'{{resource,<<"{vhost.name}">>,{kind},<<"{name}">>}}'
            raise HttpError(400, f"{{resources_missing,[{{not_found,{where}}}]}}")
    _carry_out(vhost, step)


def _carry_out(vhost: Vhost, step: Step) -> None:
    refused = vhost.command(step)
    if refused is not None:
        raise HttpError(400, f"{REPLY_NAMES[refused.code].lower()}: {reason_of(refused)}")


ROUTES = [
    Route("GET", "definitions", definitions),
    Route("POST", "definitions", load),
    Route("GET", "definitions/{vhost}", of_vhost),
    Route("POST", "definitions/{vhost}", load_vhost),
]
