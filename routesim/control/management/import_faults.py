"""What is wrong with an item of a definitions file that is imported, and what RabbitMQ answers then (rules/routing#F4).

Found on brokers of three versions (`tests/scenario/definitions/recorded/imports.json`).
"""

import html
import re
from typing import Any

from routesim.control.http_messages import HttpError
from routesim.control.management.asked import FOUR, FOUR_THREE, Managed
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.queues.policy_checks import max_age
from routesim.replies import REPLY_NAMES, AmqpError
from routesim.scenario.definitions.users import LIMITS, is_base64
from routesim.values import erlang_term

Item = dict[str, Any]
OPERATOR = "operator_policy"
KNOWN_COMPONENTS = (OPERATOR, "vhost-limits", "federation-upstream", "federation-upstream-set", "shovel", "policy")
FUNCTION_CLAUSE, BADARG = "function_clause", "badarg"
UNDEFINED = "undefined"
MATCHLESS = ("fanout", "headers", "direct", "x-random", "x-recent-history")  # types that do not take a binding key apart
NO_REPEAT = re.compile(r"nothing to repeat at position (\d+)")


def failed() -> HttpError:
    """Where RabbitMQ's own code fails: an answer without a reason."""
    return HttpError(500, None)


def thrown(context: Managed, *parts: Any) -> HttpError:
    """An Erlang tuple of names and texts, as the version writes it."""
    if not context.at_least(FOUR):
        return HttpError(400, list(parts))
    name, *values = parts
    return HttpError(400, "{" + ",".join([name, *map(erlang_term, values)]) + "}")


def invalid(context: Managed, text: str, vhost: str, name: str, component: str = "") -> HttpError:
    """A policy or parameter that is not valid: `Validation failed`, with where it is."""
    if context.at_least(FOUR_THREE):
        where = f'vhost: "{vhost}" / component: "{component}" / key: "{name}"' if component else f'vhost: "{vhost}" key: "{name}"'
        return HttpError(400, f"Validation failed\n\n{text}\n ({where})")
    where = "/".join(filter(None, (vhost, component, name)))
    reason = f"Validation failed\n\n{html.escape(text, quote=False)}\n ({where})"
    return HttpError(400, erlang_term(reason) if context.at_least(FOUR) else reason)


def no_vhost(context: Managed, name: str) -> HttpError:
    if context.at_least(FOUR):
        return HttpError(400, f'Please create virtual host "{name}" prior to importing definitions.')
    return HttpError(400, ["no_such_vhost", name])


def refused(context: Managed, told: AmqpError, *, whole: bool) -> HttpError:
    """What the engine refuses of an exchange or a queue; `whole`: by an import into all virtual hosts."""
    code, (name, dash, text) = REPLY_NAMES[told.code].lower(), told.text.partition(" - ")
    text = re.sub(
        r"invalid type '(\w+)' for arg '([^']+)' in (queue '.*' in vhost '.*')",
        r"invalid arg '\2' for \3: {unacceptable_type,\1}", text if dash else name,
    )  # fmt: skip
    if not context.at_least(FOUR) and whole:
        return HttpError(400, ["amqp_error", code, text, "none"])
    return HttpError(400, f"{'precondition_failed' if code == 'command_invalid' else code}: {text}")


def refused_binding(told: AmqpError) -> HttpError:
    """The text with the places of its values, and the values."""
    text = told.text.partition(" - ")[2] or told.text
    for pattern, form in (
        (r"(Invalid x-match field value )(.+?)(; expected .*)", r'"\1~tp\3",[\2]'),
        (r"(Invalid x-match field type )(\w+)( \(value )(.*)(\); expected longstr)", r'"\1~tp\3~tp\5",[\2,\4]'),
        (r"(The binding key must be an integer: )(.*)", r'"\1~tp",[\2]'),
    ):
        if re.fullmatch(pattern, text):
            return HttpError(400, "{binding_invalid," + re.sub(pattern, form, text) + "}")
    return HttpError(400, f"{REPLY_NAMES[told.code].lower()}: {text}")


def section(body: Item, name: str) -> list[Item]:
    """Raises `HttpError` where it is no list of objects; users that are no objects are passed over."""
    items = body.get(name, [])
    if not isinstance(items, list):
        raise failed()
    if name != "users" and not all(isinstance(item, dict) for item in items):
        raise failed()
    return [item for item in items if isinstance(item, dict)]


def check_user(item: Item) -> None:
    given = item.get("password_hash")
    if given is not None and item.get("password") is not None:
        raise HttpError(400, "both_password_and_password_hash_are_provided")
    if item.get("tags") is None:
        raise HttpError(400, "tags_not_present")
    tags = item["tags"]
    if not isinstance(tags, (str, list)):
        raise HttpError(400, FUNCTION_CLAUSE)


def check_hash(context: Managed, item: Item) -> None:
    given = item.get("password_hash")
    if given is not None and not is_base64(given):
        raise thrown(context, "not_base64", given)


def check_permission(context: Managed, item: Item, rights: tuple[str, ...], known: tuple[Any, Any]) -> None:
    """`known`: the users and virtual hosts that there are."""
    users, vhosts = known
    vhost, user = item.get("vhost"), item.get("user")
    if vhost is None and not context.at_least(FOUR):
        raise HttpError(400, ["no_such_vhost", UNDEFINED])
    if vhost is None:
        text = "Virtual host does not exist and is not specified in definitions file."
        raise HttpError(400, text if context.at_least(FOUR_THREE) else FUNCTION_CLAUSE)
    if vhost not in vhosts:
        raise no_vhost(context, str(vhost))
    if any(not isinstance(item.get(right), str) for right in rights):
        raise HttpError(400, BADARG)
    for right in rights:
        wrong = _pattern(context, item[right])
        if wrong:
            text, at = wrong
            if not context.at_least(FOUR):
                raise HttpError(400, ["invalid_regexp", item[right], text, at])
            shown = erlang_term(item[right]) if len(rights) == 2 else f'"{item[right]}"'  # topics are kept as binaries
            raise HttpError(400, f'{{invalid_regexp,{shown},{{"{text}",{at}}}}}')
    if user not in users:
        raise thrown(context, "no_such_user", str(user))


def _pattern(context: Managed, pattern: str) -> tuple[str, int] | None:
    """What Erlang says of a pattern that is none, and where. Its library is another one from Erlang 28 on, which 4.3 has."""
    try:
        compiled(pattern)
    except UnreadablePattern:
        return None
    except InvalidPattern as problem:
        found = NO_REPEAT.search(str(problem))
        if found and context.at_least(FOUR_THREE):
            return "quantifier does not follow a repeatable item", int(found[1]) + 1
        text, _, at = str(problem).partition(" at position ")
        return text, int(at) if at.isdecimal() else 0
    return None


def check_policy(context: Managed, vhost: str, name: Any, item: Item, *, operator: bool) -> None:
    """What keeps it from being read at all; its keys the engine checks."""
    component = OPERATOR if operator else ""
    if not isinstance(name, str):
        text = f"policy in virtual host '{vhost}' has undefined name"
        raise HttpError(400, f'"{text}"' if context.at_least(FOUR) else text)
    missing = next((key for key in ("pattern", "definition", "priority") if key not in item), None) if operator else None
    if missing:
        raise invalid(context, f'Key "{missing}" not found in {name}', vhost, name, component)
    definition, pattern, priority = item.get("definition"), item.get("pattern"), item.get("priority", 0)
    why = ""
    if isinstance(definition, str):
        raise failed()
    if not isinstance(pattern, str):
        why = f"pattern should be a binary but was {UNDEFINED if pattern is None else erlang_term(pattern)}"
    elif wrong := _pattern(context, pattern):
        blank = " " if context.at_least(FOUR_THREE) else ""
        why = f'pattern should be regular expression but is invalid: {{"{wrong[0]}",{blank}{wrong[1]}}}'
    elif isinstance(priority, bool) or not isinstance(priority, (int, float)):
        why = f"priority should be a number, actually was {erlang_term(priority)}"
    elif definition == []:
        why = "no policy provided"
    elif isinstance(definition, list):
        why = f"definition must be a dictionary: {erlang_term(definition)}"
    elif not isinstance(definition, dict):
        why = f"parse error while reading policy definition: {UNDEFINED}. Validator: policy_validator."
    if why:
        raise invalid(context, why, vhost, name, component)


def check_parameter(context: Managed, item: Item) -> None:
    component, name, vhost = item.get("component", UNDEFINED), str(item.get("name")), item.get("vhost")
    if vhost is None:
        raise failed() if context.at_least(FOUR) else HttpError(400, ["no_such_vhost", UNDEFINED])
    value, why = item.get("value", UNDEFINED), ""
    if component not in KNOWN_COMPONENTS:
        why = f"component {component} not found"
    elif component == "vhost-limits" and not isinstance(value, dict):
        why = f"limits not a list {value if 'value' not in item else erlang_term(value)}"
    elif component == "vhost-limits":
        unknown = {key: limit for key, limit in value.items() if key not in LIMITS}
        wrong = next(
            (key for key, limit in value.items() if isinstance(limit, bool) or not isinstance(limit, (int, float))), None
        )
        if unknown:
            why = (
                f"Unrecognised terms [{','.join(f'{{{erlang_term(k)},{erlang_term(v)}}}' for k, v in unknown.items())}] in limits"
            )
        elif wrong:
            why = f"{wrong} should be a number, actually was {erlang_term(value[wrong])}"
    if why:
        raise invalid(context, why, str(vhost), name, str(component))


def _check_table(item: Item) -> None:
    """Arguments that are no table, or hold a null."""
    given = item.get("arguments", {})
    if given is None or not isinstance(given, (dict, list)):
        raise HttpError(400, FUNCTION_CLAUSE)
    if isinstance(given, dict) and any(value is None for value in given.values()):
        raise HttpError(400, "null_not_allowed")


def check_exchange(context: Managed, item: Item) -> None:
    _check_table(item)
    kind = item.get("type")
    if kind is None:
        text = f"invalid exchange type '{UNDEFINED}'"
        if context.at_least(FOUR):
            raise HttpError(400, f"precondition_failed: {text}")
        raise HttpError(400, ["amqp_error", "command_invalid", text, "none"])
    if not isinstance(kind, str):
        raise HttpError(400, BADARG)
    if not context.server.rules.import_fills_exchange_durable and not isinstance(item.get("durable"), bool):
        raise HttpError(400, "{function_clause,[{rabbit_db_exchange}]}") if context.at_least(FOUR) else failed()


def check_queue(context: Managed, item: Item) -> None:
    _check_table(item)
    filled = context.server.rules.import_fills_queue_flags
    for key in ("durable", "auto_delete"):
        fine = isinstance(item.get(key), bool) or (filled and key not in item)
        if not fine:
            raise HttpError(400, BADARG if key == "durable" and context.at_least(FOUR) else FUNCTION_CLAUSE)
    given = item.get("arguments")
    age = given.get("x-max-age") if isinstance(given, dict) else None
    if isinstance(age, str) and not context.at_least(FOUR_THREE) and max_age(age, context.server.rules):
        raise HttpError(400, BADARG)


def check_binding(context: Managed, item: Item, kind: str | None) -> None:
    """`kind`: the type of its source, None: there is none of that name."""
    if "arguments" in item and not isinstance(item["arguments"], (dict, list)):
        raise HttpError(400, FUNCTION_CLAUSE)
    ends, to = item.get("destination_type"), item.get("destination")
    if ends not in ("queue", "exchange") or (to is None and context.at_least(FOUR_THREE)):
        raise HttpError(400, FUNCTION_CLAUSE)
    if kind is not None and to is not None and kind not in MATCHLESS and not isinstance(item.get("routing_key"), str):
        if context.at_least(FOUR_THREE):
            raise HttpError(400, BADARG)
        raise HttpError(400, "{function_clause,[{rabbit_db_topic_exchange}]}") if context.at_least(FOUR) else failed()


def missing_ends(vhost: str, ends: list[tuple[str, Any]]) -> HttpError:
    """A binding from or to what is not there."""
    found = ",".join(
        f'{{not_found,{{resource,<<"{vhost}">>,{kind},{UNDEFINED if name is None else erlang_term(name)}}}}}'
        for kind, name in ends
    )
    return HttpError(400, f"{{resources_missing,[{found}]}}")
