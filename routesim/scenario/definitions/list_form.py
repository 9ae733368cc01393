"""RabbitMQ definitions files: the list form of exchanges, queues, bindings, policies (rules/routing#6).

Read by RabbitMQ's rules: unknown keys and sections are passed over, integers are `long`, a queue's `type` is informational.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from routesim.scenario.format.kinds import AMBIGUOUS, FALSE, FLOAT, INTEGER, NULLS, TRUE, whole_number
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.source import Source

if TYPE_CHECKING:
    from json import JSONDecodeError

Path = tuple[str | int, ...]
SCENARIO_ONLY = (
    "steps",
    "consumers",
    "expect",
    "name",
    "seed",
    "until",
    "rabbitmq",
    "definitions",
    "channels",
    "broker",
    "celery",
)
SIGNS = ("rabbit_version", "rabbitmq_version", "rabbitmq_definition_format", "product_name", "vhosts", "permissions", "users")
DECLARING = ("exchanges", "queues", "bindings", "policies")
SECTIONS = ("exchanges", "queues", "bindings", "policies", "parameters")
OTHER_SECTIONS = ("users", "vhosts", "permissions", "topic_permissions", "global_parameters")


def looks_like(data: Any) -> bool:
    """Whether a whole document is a definitions file rather than a scenario."""
    if not isinstance(data, dict) or any(key in data for key in SCENARIO_ONLY):
        return False
    return any(key in data for key in SIGNS) or (any(isinstance(data.get(key), list) for key in ("exchanges", "queues")))


def items_of(data: dict[str, Any], section: str) -> Iterator[dict[str, Any]]:
    items = data.get(section)
    return (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))


def names_vhosts(data: dict[str, Any]) -> bool:
    """A file for the whole cluster names the vhost of every item; one for a single vhost names none."""
    return "vhosts" in data or any(
        "vhost" in item for section in ("exchanges", "queues", "bindings") for item in items_of(data, section)
    )


def chosen_vhost(declared: list[str]) -> str:
    """The vhost that is meant where none is asked for: `/`, or the only one of those in which something is declared."""
    return declared[0] if len(declared) == 1 else "/"


def section_in_list_form(name: str, node: Any) -> bool:
    """Whether one section of a scenario is written as a definitions file writes it."""
    if not isinstance(node, list):
        return False
    if name in ("exchanges", "queues"):
        return True
    return name == "bindings" and any(isinstance(item, dict) and "vhost" in item for item in node)


def plain_data(node: Node) -> Any:
    """A node as JSON would have been read."""
    if isinstance(node, Mapping):
        return {str(key): plain_data(value) for key, value in node.items()}
    if isinstance(node, Sequence):
        return [plain_data(item) for item in node]
    assert isinstance(node, Text)
    if not node.plain or AMBIGUOUS.fullmatch(node):
        return str(node)
    if node in NULLS:
        return None
    if node in TRUE or node in FALSE:
        return node in TRUE
    if INTEGER.fullmatch(node):
        return whole_number(node)
    return float(node) if FLOAT.fullmatch(node) else str(node)


def read_json(source: Source) -> Any:
    """The file's JSON. Raises `Invalid` with the place where it stops being JSON."""
    import json  # scenarios need the words of this module, and no JSON

    if not source.text or source.text.isspace():
        raise source.fail("not-json", "there is nothing in this file", 1, 1)
    try:
        return json.loads(source.text, object_pairs_hook=None)
    except json.JSONDecodeError as error:
        error = _as_from_3_13(error)
        invalid = source.fail("not-json", f"this is not JSON: {error.msg}", error.lineno, error.colno)
        from routesim.scenario.yaml.templates import template_in  # only what cannot be read may be a template

        raise template_in(source, invalid) or invalid from None
    except RecursionError:
        raise source.fail("too-deep", "nested too deeply", 1, 1) from None
    except ValueError as error:  # an integer of thousands of digits
        raise source.fail("not-json", str(error), 1, 1) from None


def _as_from_3_13(error: "JSONDecodeError") -> "JSONDecodeError":
    """Of a comma behind the last item Python says so from 3.13 on, and before what it would expect behind the comma."""
    end, before = error.doc[error.pos : error.pos + 1], error.doc[: error.pos].rstrip(" \t\r\n")
    if end not in ("}", "]") or not before.endswith(","):
        return error
    what = "object" if end == "}" else "array"
    return type(error)(f"Illegal trailing comma before end of {what}", error.doc, len(before) - 1)


def without_surrogates(text: str) -> str:
    """JSON whose escaped surrogate pairs are written as YAML wants them."""
    pair = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")

    def joined(match: re.Match[str]) -> str:
        code = 0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00
        return f"\\U{code:08x}"

    return pair.sub(joined, text)
