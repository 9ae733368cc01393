"""The right form of something that stands in a wrong one, with what was typed."""

from collections.abc import Collection

from routesim.durations import parse_duration
from routesim.scenario.format.synonyms import OF_THE_BROKER, PAUSED, STEPS
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.text import cut

ROOM = 60
# Keys before a value that stands by itself: units of time, and what a name is the name of.
UNITS = {
    **dict.fromkeys(("ms", "milliseconds", "millis"), "ms"), **dict.fromkeys(("s", "sec", "seconds", "second"), "s"),
    **dict.fromkeys(("m", "min", "minutes", "minute"), "m"), **dict.fromkeys(("h", "hours", "hour"), "h"),
    **dict.fromkeys(("d", "days", "day"), "d"),
}  # fmt: skip
NAMED = frozenset({"name", "consumer", "worker", "queue", "exchange", "channel", "connection", "do", "type", "mode", "id", "for"})


def flow(node: Node) -> str:
    """On one line, cut."""
    return cut(_flow(node, ROOM), ROOM, "…")


def _flow(node: Node, room: int) -> str:
    if isinstance(node, Text):
        return str(node) if node.plain else f"'{node}'"
    if room <= 0:
        return "…"
    shown: list[str] = []
    for item in node:
        if len(shown) == 4:
            shown.append("…")
            break
        shown.append(f"{item}: {_flow(node[item], room // 2)}" if isinstance(node, Mapping) else _flow(item, room // 2))
    return f"{{{', '.join(shown)}}}" if isinstance(node, Mapping) else f"[{', '.join(shown)}]"


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Text) and not node


def as_scalar(node: Node) -> str:
    """For a mere value, where a list or a mapping stands: the value that is meant, if it can be told."""
    if isinstance(node, Sequence):
        words = [item for item in node if isinstance(item, Text) and item]
        if not words or len(words) < len(node):
            return ""
        return f"write {words[0]}" if len(words) == 1 else f"only one stands here: write {words[0]}, or {words[1]}"
    if not isinstance(node, Mapping) or len(node) != 1:
        return ""
    ((key, value),) = node.items()
    if not isinstance(value, Text) or "{" in key:
        return ""
    if key in UNITS:
        return f"write {value}{UNITS[key]}"
    return f"write {value}" if key in NAMED and value else f"write {key}"


def as_shape(node: Node, form: str) -> str:
    """For a mapping with known keys. `form`: with `{}` for the value; "" where none is known."""
    if isinstance(node, Sequence) and len(node) == 1 and isinstance(node[0], Mapping):
        return f"leave out the '- ': write {flow(node[0])}"
    if not form or _is_nothing(node) or isinstance(node, Mapping):
        return ""
    return f"write {form.replace('{}', flow(node), 1)}"


def as_list(node: Node, keys: Collection[str]) -> str:
    """For a list. `keys`: those of its items, where they are mappings."""
    if _is_nothing(node):
        return ""
    if not isinstance(node, Mapping):
        return f"write [{flow(node)}]" if not keys else "begin each with '- '"
    first = next(iter(node), None)
    if first is None:
        return "write []"
    if first not in keys and "name" in keys:
        value = node[first]
        rest = "".join(f", {key}: {flow(value[key])}" for key in list(value)[:3]) if isinstance(value, Mapping) else ", …"
        return f"begin each with '- ' and its name: write `- {{name: {first}{rest}}}`"
    if keys and first not in keys:
        return f"begin each with '- ': write `- {{{', '.join(f'{key}: …' for key in list(keys)[:3])}}}`"
    return f"begin each with '- ': write `- {cut(f'{first}: {flow(node[first])}', ROOM, '…')}`"


def as_names(node: Node, form: str) -> str:
    """For a mapping of names."""
    if isinstance(node, Sequence):
        first = node[0] if len(node) else None
        if isinstance(first, Mapping) and len(first):
            name = next(iter(first))
            if name == "name" and isinstance(first["name"], Text):
                return f"names stand as keys: write `{first['name']}: {{…}}` without '- '"
            return f"leave out the '- ': write `{name}: {flow(first[name])}`"
        return f"write `{first}: {{}}` without '- '" if isinstance(first, Text) and first else ""
    if _is_nothing(node):
        return ""
    return f"write {form.replace('{}', flow(node), 1)}" if form else f"write {{{flow(node)}: …}}"


def step_cure(word: str, node: Node) -> str:
    """What to write in place of a step that there is none of; `node` stands behind the word. "": nobody has thought of it."""
    if isinstance(node, Text) and node:
        if node == "broker" and word in OF_THE_BROKER:
            return "write `restart: broker`, or `restart: kill`"
        if word in PAUSED and parse_duration(node) is None:
            return f"write `stop: {node}`, and later `start: {node}`"
    return STEPS.get(word, "")
