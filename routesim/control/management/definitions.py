"""Definitions: all that is declared, as one document, and such a document read."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from routesim import steps
from routesim.broker.records import PREDECLARED
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management import bindings, exchanges
from routesim.control.management import import_faults as faults
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
from routesim.control.management.policies import parameters_of, policies_of
from routesim.control.management.queues import arguments_of
from routesim.control.management.vhosts import make, metadata_of
from routesim.control.router import Route
from routesim.model import Binding, Exchange, Policy, policy_body
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.queues import QUEUE_TYPES, QueueType
from routesim.scenario.definitions import list_form, reading
from routesim.scenario.definitions.access import RIGHTS
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.yaml.source import Source
from routesim.serve.vhosts import OWN, Vhost
from routesim.steps import Step
from routesim.values import erlang_term, raw
from routesim.versions import deprecated

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
    for name in (*list_form.OTHER_SECTIONS, *ITEMS):
        if name != "bindings" or context.at_least(FOUR):  # which comes last, and is looked at when it is its turn
            faults.section(body, name)
    users = faults.section(body, "users")
    for item in users:
        faults.check_user(item)
        faults.check_hash(context, item)
        set_user(context, _name(item), item)
    for item in faults.section(body, "vhosts"):
        _make(context, item)
    known = context.server.users, context.server.vhosts
    for item in faults.section(body, "permissions"):
        faults.check_permission(context, item, RIGHTS, known)
        allow(context, str(item["vhost"]), str(item["user"]), item)
    for item in faults.section(body, "topic_permissions"):
        faults.check_permission(context, item, ("write", "read"), known)
    faults.section(body, "global_parameters")
    for item in faults.section(body, "parameters"):
        faults.check_parameter(context, item)
    for name in ByVhost({**body, "bindings": []}).declared():
        if name not in context.server.vhosts:
            raise faults.no_vhost(context, name)
    _load(context, [known[1][name] for name in ByVhost(body).declared() if name in known[1]], body, whole=True)
    for item in faults.section(body, "bindings"):
        if item.get("vhost") not in context.server.vhosts and context.at_least(FOUR):
            ends = [("exchange", item.get("source")), (str(item.get("destination_type")), item.get("destination"))]
            raise faults.missing_ends(str(item.get("vhost")), ends)
    return DONE


def load_vhost(context: Managed, request: HttpRequest, vhost: str) -> Response:
    """Whatever virtual host the items name, it is this one."""
    where, body = vhost_to_change(context, vhost), body_of(request, "failed_to_parse_json")
    own = {
        section: [{key: value for key, value in item.items() if key != "vhost"} for item in faults.section(body, section)]
        for section in ITEMS
    }  # fmt: skip
    _load(context, [where], own, whole=False)
    return DONE


def _name(item: Item) -> str:
    if not isinstance(item.get("name"), str):
        raise HttpError(400, "every user and virtual host has a name")
    return str(item["name"])


def _make(context: Managed, item: Item) -> None:
    """The default queue type counts within `metadata` alone (rules/routing#F10)."""
    given = item.get("metadata")
    metadata = given if isinstance(given, dict) else {}
    kind = metadata.get("default_queue_type")
    if kind is not None and kind not in (*QUEUE_TYPES, "undefined"):
        if context.at_least(FOUR_THREE):
            raise HttpError(400, f"{kind} is not a valid queue type")
        if context.at_least(FOUR):
            raise HttpError(400, f"{{case_clause,{{error,invalid_queue_type,{erlang_term(kind)}}}}}")
        raise HttpError(400, ["no_such_vhost", _name(item)])
    make(context, _name(item), {**{key: value for key, value in item.items() if key != "default_queue_type"}, **metadata})


def _load(context: Managed, vhosts: list[Vhost], body: Item, *, whole: bool) -> None:
    """Section by section, each for all virtual hosts; what has been made when an item is refused stays (rules/routing#F23)."""
    body_read = _BodyRead(body)
    for _ in zip(*(_sections(context, vhost, body_read, whole=whole) for vhost in vhosts), strict=True):
        pass


class _BodyRead:
    """What is imported, made ready once for all virtual hosts."""

    def __init__(self, body: Item) -> None:
        self.body = body
        self.by_vhost = ByVhost(body)
        self.source = Source("definitions", json.dumps(body))
        self._sound: set[str] = set()

    def items(self, section: str, vhost: str) -> Iterator[tuple[int, Item]]:
        """Raises `HttpError` where the section is no list of objects."""
        if section not in self._sound:
            faults.section(self.body, section)
            self._sound.add(section)
        return self.by_vhost.items(section, vhost)


def _sections(context: Managed, vhost: Vhost, body: _BodyRead, *, whole: bool) -> Iterator[None]:
    """Exchanges, policies, queues, bindings of one virtual host: a turn for each section."""
    version = context.server.rules.version
    found, problems, _ = reading.read(body.source, body.by_vhost, None, vhost.name, version, vhost_given=True)
    read: dict[list_form.Path, Any] = {
        path: item for part in (found.exchanges, found.queues, found.policies) for path, item in part
    }
    read |= dict(found.bindings)
    unread = next((problem.message for problem in problems if problem.severity == "error"), "")

    def declared(name: str) -> Iterator[tuple[Item, Any]]:
        """Of this virtual host, each with what is read of it; None: nothing that could be declared."""
        for index, item in body.items(name, vhost.name):
            yield item, read.get((name, index))

    for item, exchange in declared("exchanges"):
        faults.check_exchange(context, item)
        if exchange is not None and exchange.name not in vhost.broker.exchanges:
            _declare(context, vhost, steps.DeclareExchange(OWN, _without_bad_alternate(exchange)), whole=whole)
        elif exchange is None and unread and not _passed_over(item):
            raise HttpError(400, unread)
    yield
    for item, policy in declared("policies"):
        faults.check_policy(context, vhost.name, item.get("name"), item, operator=False)
        _set(context, vhost, policy, unread)
    for index, item in body.items("parameters", vhost.name):
        if item.get("component") == faults.OPERATOR:
            value = item.get("value")
            faults.check_policy(context, vhost.name, item.get("name"), value if isinstance(value, dict) else {}, operator=True)
            _set(context, vhost, read.get(("parameters", index, "value")), unread)
    yield
    for item, queue in declared("queues"):
        faults.check_queue(context, item)
        if queue is not None and queue.name not in vhost.broker.queues:
            _declare(context, vhost, steps.DeclareQueue(OWN, queue), whole=whole)
        elif queue is None and unread and not _passed_over(item):
            raise HttpError(400, unread)
    yield
    for item, binding in declared("bindings"):
        state = vhost.broker.exchanges.get(item["source"]) if isinstance(item.get("source"), str) else None
        if item.get("source") == "":
            continue
        faults.check_binding(context, item, state.declared.type if state is not None else None)
        _bind(context, vhost, item, binding)
    yield


def _passed_over(item: Item) -> bool:
    """The broker's own, which an import leaves as they are."""
    name = item.get("name")
    return isinstance(name, str) and (name == "" or name.startswith("amq."))


def _without_bad_alternate(exchange: Exchange) -> Exchange:
    """An import stores an alternate exchange that is no text, and finds none by it."""
    given = exchange.arguments.get("alternate-exchange")
    if given is None or isinstance(raw(given), str):
        return exchange
    return exchange._replace(arguments={key: value for key, value in exchange.arguments.items() if key != "alternate-exchange"})


def _set(context: Managed, vhost: Vhost, policy: Policy | None, unread: str) -> None:
    if policy is None:
        raise HttpError(400, unread)
    if policy.apply_to == "None":  # a null
        policy = policy._replace(apply_to="null")
    component = faults.OPERATOR if policy.operator else ""
    try:
        compiled(policy.pattern)
    except InvalidPattern:
        pass  # told already
    except UnreadablePattern as problem:
        raise faults.invalid(context, f"pattern: {problem}", vhost.name, policy.name, component) from None
    refused = vhost.command(steps.SetPolicy(policy))
    if refused is not None:
        text = reason_of(refused).removeprefix("Validation failed: ")
        if text.endswith("is not a valid max age") and not context.at_least(FOUR_THREE):
            raise faults.failed()
        raise faults.invalid(context, text, vhost.name, policy.name, component)


def _declare(context: Managed, vhost: Vhost, step: Step, *, whole: bool) -> None:
    """A queue that its type, or the version, does not let be so is left out without a word."""
    refused = vhost.command(step)
    if refused is None:
        return
    if "invalid property" in refused.text or deprecated.denied_in(refused.text) is not None:
        return
    raise faults.refused(context, refused, whole=whole)


def _bind(context: Managed, vhost: Vhost, item: Item, binding: Binding | None) -> None:
    """What leads from or to nowhere, or is not as its exchange wants it, is passed over before 3.13.6."""
    broker, skips = vhost.broker, context.server.rules.bad_bindings_skipped
    ends = [("exchange", item.get("source")), (str(item["destination_type"]), item.get("destination"))]
    gone = [(kind, name) for kind, name in ends if name not in (broker.queues if kind == "queue" else broker.exchanges)]
    if gone and not skips:
        raise faults.missing_ends(vhost.name, gone)
    if gone or binding is None:
        return
    refused = vhost.command(steps.Bind(OWN, binding))
    if refused is not None and not skips:
        raise faults.refused_binding(refused)


ROUTES = [
    Route("GET", "definitions", definitions),
    Route("POST", "definitions", load),
    Route("GET", "definitions/{vhost}", of_vhost),
    Route("POST", "definitions/{vhost}", load_vhost),
]
