"""HTML that cannot be broken by what stands in it: text becomes markup by `element` alone, which escapes it."""

import json
from html import escape
from typing import Any, TypeAlias

from routesim.text import visible

VOID = frozenset({"br", "col", "input", "link", "meta"})
IN_SCRIPT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = Markup | str | None
Attribute: TypeAlias = str | int | float | bool | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. Children that are no `Markup` are text: control characters are made visible, then all is escaped; None is
    left out. Attributes: `_` stands for `-`, one at the end is dropped; True is an attribute without value, False and None
    are none."""
    parts = [f"<{tag}"]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        name = name.rstrip("_").replace("_", "-")
        parts.append(f" {name}" if value is True else f' {name}="{shown(value)}"')
    parts.append(">")
    if tag not in VOID:
        parts += [child if type(child) is Markup else shown(child) for child in children if child is not None]
        parts.append(f"</{tag}>")
    return Markup("".join(parts))


def icon(way: str) -> Markup:
    """A sign on a button, drawn within 16 × 16."""
    return element("svg", element("path", d=way), viewBox="0 0 16 16", width=16, height=16, class_="icon", aria_hidden="true")


def shown(value: object) -> str:
    return escape(visible(str(value)), quote=True)


def joined(parts: list[Markup]) -> Markup:
    return Markup("".join(parts))


def data(value: Any) -> Markup:
    """A value as JSON within a `script` element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(IN_SCRIPT))
