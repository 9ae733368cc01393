"""A JSON Schema of definitions files, as a version's import takes them: for editors, and before anything is loaded."""

import json
from typing import Any

from routesim.broker.policies import APPLY_TO, APPLY_TO_TYPES, POLICY_KEYS
from routesim.exchanges import EXCHANGE_TYPES, NOT_SIMULATED
from routesim.queues.arguments import ARGUMENTS, TYPES
from routesim.scenario.definitions.users import LIMITS
from routesim.versions import Rules, rules

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
RIGHTS = ("user", "vhost", "configure", "write", "read")
SIGN = r"([A-Za-z0-9+/]\s*)"
BASE64 = rf"^\s*({SIGN}{{4}})*({SIGN}{{2}}=\s*=\s*|{SIGN}{{3}}=\s*)?$"
# What an editor completes of a value that a policy or an argument may have, by the end of its name.
WHOLE = ("ttl", "expires", "length", "length-bytes", "limit", "priority", "size", "min", "max", "timeout", "count", "bytes")


def definitions_schema(version: str) -> Schema:
    """Raises `UnknownVersion`. Keys that nobody knows are allowed, as an import passes over them, but for those of policies."""
    own = rules(version)
    policy = _policy(own, operator=False)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Definitions file of RabbitMQ {own.version}",
        "type": "object",
        "properties": {
            "rabbit_version": TEXT, "rabbitmq_version": TEXT,
            "users": _users(),
            "vhosts": _list({"name": TEXT, "metadata": _metadata()}, "name"),
            "permissions": _list(dict.fromkeys(RIGHTS, TEXT), *RIGHTS),
            "topic_permissions": _list(dict.fromkeys(("user", "vhost", "exchange", "write", "read"), TEXT), "user", "vhost"),
            "parameters": _parameters(own),
            "global_parameters": _list({"name": TEXT, "value": {}}, "name"),
            "policies": _list({"vhost": TEXT, "name": TEXT, **policy}, "name", "pattern", "definition"),
            "exchanges": _list(
                {"vhost": TEXT, "name": TEXT, "type": {"type": "string", "examples": _exchange_types()},
                 "durable": {"type": ["boolean", "string"]} if own.import_fills_exchange_durable else FLAG,
                 "auto_delete": FLAG, "internal": {"type": ["boolean", "null", "string"]},
                 "arguments": _table({"alternate-exchange": {}})},
                "name", "type", *(() if own.import_fills_exchange_durable else ("durable",)),
            ),
            "queues": _list(
                {"vhost": TEXT, "name": TEXT, "type": TEXT, "durable": FLAG, "auto_delete": FLAG, "arguments": _arguments(own)},
                "name", *(() if own.import_fills_queue_flags else ("durable", "auto_delete")),
            ),
            "bindings": _list(
                {"vhost": TEXT, "source": TEXT, "destination": TEXT, "destination_type": {"enum": ["queue", "exchange"]},
                 "routing_key": {"type": ["string", "null"]}, "arguments": _table({})},
                "destination_type", *(() if own.bad_bindings_skipped else ("source", "destination")),
            ),
        },
    }  # fmt: skip


def lines_of_schema(version: str) -> list[str]:
    return json.dumps(definitions_schema(version), indent=1).splitlines()


def _users() -> Schema:
    tags = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    hashed = {"type": "string", "pattern": BASE64}
    found = _list({"name": TEXT, "password_hash": hashed, "hashing_algorithm": TEXT, "tags": tags}, "name", "tags")
    found["items"]["not"] = {"required": ["password", "password_hash"]}
    found["items"]["type"] = "object"
    return found


def _list(properties: Schema, *required: str) -> Schema:
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": list(required)}}


def _table(properties: Schema) -> Schema:
    """Arguments: an object, or the empty list that Erlang's own export may hold."""
    return {"anyOf": [{"type": "object", "properties": properties}, {"type": "array", "maxItems": 0}]}


def _exchange_types() -> list[str]:
    return [name for name in EXCHANGE_TYPES if name not in NOT_SIMULATED]


def _metadata() -> Schema:
    return {
        "type": "object",
        "properties": {"default_queue_type": {"enum": [*TYPES, "undefined"]}, "description": TEXT, "tags": {}},
    }


def _arguments(own: Rules) -> Schema:
    """Those that a queue of some type reads in this version; others are stored."""
    known = {
        name: {"enum": list(TYPES)} if name == "x-queue-type" else {"not": {"type": "null"}}
        for name, row in ARGUMENTS.items()
        if any(own.is_at_least(since) for since in row.types.values()) or name == "x-queue-type"
    }
    return _table({"x-queue-type": {"enum": list(TYPES)}, **known})


def _policy(own: Rules, *, operator: bool) -> Schema:
    keys = {key: _value(key) for key, row in POLICY_KEYS.items() if row.is_known(own, operator)}
    apply_to = [*APPLY_TO, *(APPLY_TO_TYPES if own.policy_names_queue_types else ())]
    return {
        "pattern": TEXT, "apply-to": {"enum": apply_to}, "priority": {"type": "number"},
        "definition": {"type": "object", "properties": keys, "additionalProperties": False, "minProperties": 1},
    }  # fmt: skip


def _value(key: str) -> Schema:
    return {"type": "integer"} if key.endswith(WHOLE) else {"not": {"type": "null"}}


def _parameters(own: Rules) -> Schema:
    value = {"type": "object", "properties": _policy(own, operator=True), "required": ["pattern", "definition", "priority"]}
    of_operators = {
        "if": {"properties": {"component": {"const": "operator_policy"}}, "required": ["component"]},
        "then": {"properties": {"value": value}, "required": ["value"]},
    }
    limits = {"type": "object", "properties": {name: {"type": "integer"} for name in LIMITS}, "additionalProperties": False}
    of_vhosts = {
        "if": {"properties": {"component": {"const": "vhost-limits"}}, "required": ["component"]},
        "then": {"properties": {"value": limits}, "required": ["value"]},
    }
    found = _list({"vhost": TEXT, "component": TEXT, "name": TEXT, "value": {}}, "component", "name")
    found["items"]["allOf"] = [of_operators, of_vhosts]
    return found
