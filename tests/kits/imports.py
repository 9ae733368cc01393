"""Small definitions files, each with one thing about it, and what brokers make of them: `recorded/imports.json`."""

import json
from pathlib import Path
from typing import Any

from kits.import_items import Item, V, b, op, p, q, without, x
from kits.management import AskedApi, part
from kits.odd_imports import ODD

RECORDED = Path(__file__).parents[1] / "scenario" / "definitions" / "recorded" / "imports.json"

CASES = {
    "plain": {"queues": [q()], "exchanges": [x()], "bindings": [b()]},
    "binding of a missing exchange": {"queues": [q()], "bindings": [b()]},
    "binding to a missing queue": {"exchanges": [x()], "bindings": [b()]},
    "default queue type beside the name": {"queues": [q()], "vhost": {"default_queue_type": "quorum"}},
    "default queue type in metadata": {"queues": [q()], "vhost": {"metadata": {"default_queue_type": "quorum"}}},
    "default type quorum, priority": {
        "queues": [q(arguments={"x-max-priority": 5})],
        "vhost": {"metadata": {"default_queue_type": "quorum"}},
    },
    "default type stream, ttl": {
        "queues": [q(arguments={"x-message-ttl": 5})],
        "vhost": {"metadata": {"default_queue_type": "stream"}},
    },
    "default type unknown": {"queues": [q()], "vhost": {"metadata": {"default_queue_type": "nonsense"}}},
    "quorum auto-delete": {"queues": [q(auto_delete=True, arguments={"x-queue-type": "quorum"})]},
    "quorum not durable": {"queues": [q(durable=False, arguments={"x-queue-type": "quorum"})]},
    "stream not durable": {"queues": [q(durable=False, arguments={"x-queue-type": "stream"})]},
    "quorum with max-priority": {"queues": [q(arguments={"x-queue-type": "quorum", "x-max-priority": 5})]},
    "stream with dlx": {"queues": [q(arguments={"x-queue-type": "stream", "x-dead-letter-exchange": "a"})]},
    "queue of an unknown type": {"queues": [q(arguments={"x-queue-type": "none"})]},
    "negative ttl": {"queues": [q(arguments={"x-message-ttl": -1})]},
    "zero expires": {"queues": [q(arguments={"x-expires": 0})]},
    "ttl as text": {"queues": [q(arguments={"x-message-ttl": "5"})]},
    "dlx not text": {"queues": [q(arguments={"x-dead-letter-exchange": 5})]},
    "dlrk without dlx": {"queues": [q(arguments={"x-dead-letter-routing-key": "a"})]},
    "overflow unknown": {"queues": [q(arguments={"x-overflow": "no"})]},
    "transient queue": {"queues": [q(durable=False)]},
    "policy as pairs": {"queues": [q()], "policies": [p([["max-length", 5]])]},
    "operator policy as pairs": {"queues": [q()], "parameters": [op([["max-length", 5]])]},
    "policy as an empty list": {"queues": [q()], "policies": [p([])]},
    "policy empty": {"queues": [q()], "policies": [p({})]},
    "policy without priority": {"queues": [q()], "policies": [without(p({"max-length": 5}), "priority")]},
    "policy without apply-to": {"queues": [q()], "policies": [without(p({"max-length": 5}), "apply-to")]},
    "policy without pattern": {"queues": [q()], "policies": [without(p({"max-length": 5}), "pattern")]},
    "policy without definition": {"queues": [q()], "policies": [without(p({"max-length": 5}), "definition")]},
    "policy without name": {"queues": [q()], "policies": [without(p({"max-length": 5}), "name")]},
    "operator policy without priority": {
        "queues": [q()],
        "parameters": [{**op({"max-length": 5}), "value": without(op({"max-length": 5})["value"], "priority")}],
    },
    "operator policy without apply-to": {
        "queues": [q()],
        "parameters": [{**op({"max-length": 5}), "value": without(op({"max-length": 5})["value"], "apply-to")}],
    },
    "operator policy without pattern": {
        "queues": [q()],
        "parameters": [{**op({"max-length": 5}), "value": without(op({"max-length": 5})["value"], "pattern")}],
    },
    "operator policy with a foreign key": {"queues": [q()], "parameters": [op({"dead-letter-exchange": "a"})]},
    "policy max-age bad": {"queues": [q()], "policies": [p({"max-age": "soon"})]},
    "policy with two unknown keys": {"queues": [q()], "policies": [p({"max-size": 5, "ttl": 4})]},
    "policy ha-mode": {"queues": [q()], "policies": [p({"ha-mode": "all"})]},
    "policy ha-mode exactly alone": {"queues": [q()], "policies": [p({"ha-mode": "exactly"})]},
    "policy master locator": {"queues": [q()], "policies": [p({"queue-master-locator": "min-masters"})]},
    "policy lazy": {"queues": [q()], "policies": [p({"queue-mode": "lazy"})]},
    "policy max-length null": {"queues": [q()], "policies": [p({"max-length": None})]},
    "policy bad pattern": {"queues": [q()], "policies": [p({"max-length": 5}, pattern="*")]},
    "policy bad apply-to": {"queues": [q()], "policies": [p({"max-length": 5}, **{"apply-to": "queue"})]},
    "policy apply-to classic": {"queues": [q()], "policies": [p({"max-length": 5}, **{"apply-to": "classic_queues"})]},
    "policy priority text": {"queues": [q()], "policies": [p({"max-length": 5}, priority="1")]},
    "policy delivery-limit -1": {"queues": [q()], "policies": [p({"delivery-limit": -1})]},
    "policy federation": {"queues": [q()], "policies": [p({"federation-upstream-set": "all"})]},
    "policy max-priority": {"queues": [q()], "policies": [p({"max-priority": 5})]},
    "queue with arguments null": {"queues": [q(arguments=None)]},
    "queue with arguments list": {"queues": [q(arguments=[])]},
    "queue without arguments": {"queues": [without(q(), "arguments")]},
    "exchange with arguments null": {"exchanges": [x(arguments=None)]},
    "exchange without arguments": {"exchanges": [without(x(), "arguments")]},
    "argument null": {"queues": [q(arguments={"x-message-ttl": None})]},
    "argument null, other": {"queues": [q(arguments={"x-own": None})]},
    "binding without destination_type": {"queues": [q()], "exchanges": [x()], "bindings": [without(b(), "destination_type")]},
    "binding without arguments": {"queues": [q()], "exchanges": [x()], "bindings": [without(b(), "arguments")]},
    "binding without source": {"queues": [q()], "exchanges": [x()], "bindings": [without(b(), "source")]},
    "binding without destination": {"queues": [q()], "exchanges": [x()], "bindings": [without(b(), "destination")]},
    "binding without routing_key": {"queues": [q()], "exchanges": [x()], "bindings": [without(b(), "routing_key")]},
    "binding of unknown destination_type": {"queues": [q()], "exchanges": [x()], "bindings": [b(destination_type="topic")]},
    "binding of the default exchange": {"queues": [q()], "bindings": [b(source="")]},
    "queues null": {"queues": None},
    "bindings null": {"queues": [q()], "bindings": None},
    "policies null": {"queues": [q()], "policies": None},
    "queues an object": {"queues": {}},
    "an item of an unlisted vhost": {"queues": [q(vhost="VHOST-gone")]},
    "a permission for nobody": {
        "queues": [q()],
        "permissions": [{"user": "nobody-here", "vhost": V, "configure": ".*", "write": ".*", "read": ".*"}],
    },
    "a permission of an unlisted vhost": {
        "queues": [q()],
        "permissions": [{"user": "guest", "vhost": "VHOST-gone", "configure": ".*", "write": ".*", "read": ".*"}],
    },
    "a permission with a bad regex": {
        "queues": [q()],
        "permissions": [{"user": "guest", "vhost": V, "configure": "*", "write": ".*", "read": ".*"}],
    },
    "queue without durable": {"queues": [without(q(), "durable")]},
    "queue without auto_delete": {"queues": [without(q(), "auto_delete")]},
    "exchange without durable": {"exchanges": [without(x(), "durable")]},
    "exchange without auto_delete": {"exchanges": [without(x(), "auto_delete")]},
    "exchange without internal": {"exchanges": [without(x(), "internal")]},
    "exchange without type": {"exchanges": [without(x(), "type")]},
    "exchange of unknown type": {"exchanges": [x(type="topci")]},
    "alternate-exchange not text": {"exchanges": [x(arguments={"alternate-exchange": 5})]},
    "bad x-match": {"queues": [q()], "exchanges": [x(type="headers")], "bindings": [b(arguments={"x-match": "some"})]},
    "hash key no number": {"queues": [q()], "exchanges": [x(type="x-consistent-hash")], "bindings": [b(routing_key="many")]},
    "a long name": {"queues": [q("a" * 256)]},
    "a large integer": {"queues": [q(arguments={"x-own": 2**63})]},
    "names declared twice": {"queues": [q(), q()]},
    "durable as text": {"queues": [q(durable="true")]},
    "max-queues of a vhost": {
        "queues": [q(), q("b"), q("c")],
        "vhost": {"limits": []},
        "parameters": [{"vhost": V, "component": "vhost-limits", "name": "limits", "value": {"max-queues": 2}}],
    },
    "amq names": {"queues": [q("amq.jobs")], "exchanges": [x("amq.orders")]},
    "unknown component": {"queues": [q()], "parameters": [{"vhost": V, "component": "nonsense", "name": "a", "value": {}}]},
    "shovel": {
        "queues": [q()],
        "parameters": [
            {
                "vhost": V,
                "component": "shovel",
                "name": "a",
                "value": {"src-uri": "amqp://", "dest-uri": "amqp://", "src-queue": "jobs", "dest-queue": "b"},
            }
        ],
    },
    "unknown top-level section": {"queues": [q()], "nonsense": [1]},
    "an item no object": {"queues": ["jobs"]},
    "priority 2.5 of a policy": {"queues": [q()], "policies": [p({"max-length": 5}, priority=2.5)]},
    "delivery limit beside the type": {"queues": [q(type="quorum")]},
    "no key, fanout": {"queues": [q()], "exchanges": [x(type="fanout")], "bindings": [without(b(), "routing_key")]},
    "no key, headers": {"queues": [q()], "exchanges": [x(type="headers")], "bindings": [without(b(), "routing_key")]},
    "binding arguments null": {"queues": [q()], "exchanges": [x()], "bindings": [b(arguments=None)]},
    "binding arguments an empty list": {"queues": [q()], "exchanges": [x()], "bindings": [b(arguments=[])]},
    "queue durable null": {"queues": [q(durable=None)]},
    "policy apply-to null": {"queues": [q()], "policies": [p({"max-length": 5}, **{"apply-to": None})]},
    "policy priority null": {"queues": [q()], "policies": [p({"max-length": 5}, priority=None)]},
    "parameters null": {"queues": [q()], "parameters": None},
    "permissions null": {"queues": [q()], "permissions": None},
    "exchanges null": {"exchanges": None},
    "default type beside and in metadata": {
        "queues": [q()],
        "vhost": {"default_queue_type": "quorum", "metadata": {"default_queue_type": "classic"}},
    },
    "default type quorum, not durable": {"queues": [q(durable=False)], "vhost": {"metadata": {"default_queue_type": "quorum"}}},
    "default type quorum, auto-delete": {
        "queues": [q(auto_delete=True)],
        "vhost": {"metadata": {"default_queue_type": "quorum"}},
    },
    "exchange declared twice": {"exchanges": [x(), x(type="topic")]},
    "an exchange of a plugin": {"exchanges": [x(type="x-delayed-message", arguments={"x-delayed-type": "direct"})]},
    "master locator by argument": {"queues": [q(arguments={"x-queue-master-locator": "min-masters"})]},
    "queue version 1": {"queues": [q(arguments={"x-queue-version": 1})]},
    "lazy by argument": {"queues": [q(arguments={"x-queue-mode": "lazy"})]},
    **ODD,
}


def document(name: str, vhost: str) -> Item:
    """The file of a row, with all of it in `vhost`."""
    case = dict(CASES[name])
    extra = case.pop("vhost", {})
    whole = {"vhosts": [{"name": V, **extra}], **case}
    found: Item = json.loads(json.dumps(whole).replace(V, vhost))
    return found


def recorded() -> dict[str, dict[str, Item]]:
    """Row -> version -> `status`, `reason` and what is `there`."""
    found: dict[str, dict[str, Item]] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def imported_by(api: AskedApi, name: str, vhost: str) -> Item:
    """What a broker answers, and what is in the virtual host then, which is removed again."""
    remove(api, vhost)
    try:
        answer = api("POST", "definitions", document(name, vhost))
        reason = answer.body.get("reason") if isinstance(answer.body, dict) else answer.body
        return {"status": answer.status, "reason": _text(reason).replace(vhost, V), "there": _there(api, vhost)}
    finally:
        remove(api, vhost)
        api("DELETE", f"users/{part(f'{vhost}-user')}")
        api("DELETE", f"global-parameters/{part(f'{vhost}-parameter')}")


def remove(api: AskedApi, vhost: str) -> None:
    """4.0 cannot remove one in which an exchange is half stored, unless the exchange goes first."""
    if api("DELETE", f"vhosts/{part(vhost)}").status == 500:
        api("PUT", f"permissions/{part(vhost)}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
        for item in api("GET", f"exchanges/{part(vhost)}").body:
            if item["name"] and not item["name"].startswith("amq."):
                api("DELETE", f"exchanges/{part(vhost)}/{part(item['name'])}")
        assert api("DELETE", f"vhosts/{part(vhost)}").status == 204


def _text(reason: Any) -> str:
    """3.10 writes Erlang's texts as lists of their characters."""
    if isinstance(reason, list):
        if reason and all(isinstance(item, int) for item in reason):
            return "".join(map(chr, reason))
        return ", ".join(map(_text, reason))
    return "" if reason is None else " ".join(str(reason).split())


def _there(api: AskedApi, vhost: str) -> Item:
    def all_of(kind: str) -> list[Item]:
        found = api("GET", f"{kind}/{part(vhost)}").body
        return found if isinstance(found, list) else []

    found: Item = {
        "queues": {item["name"]: item.get("type", "classic") for item in all_of("queues")},
        "exchanges": {
            item["name"]: item["type"] for item in all_of("exchanges") if item["name"] and not item["name"].startswith("amq.")
        },
        "bindings": sorted([item["source"], item["destination"]] for item in all_of("bindings") if item["source"]),
        "policies": {item["name"]: item["definition"] for item in all_of("policies")},
        "operator_policies": {item["name"]: item["definition"] for item in all_of("operator-policies")},
    }
    return {key: value for key, value in found.items() if value}
