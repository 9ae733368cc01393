"""Of many bindings that do not match, those that come nearest, and what would have to be different."""

import difflib
import heapq
from collections.abc import Iterable

from routesim.content import Content
from routesim.diagnostics import did_you_mean
from routesim.exchanges import ExchangeType
from routesim.exchanges.topic import words_of
from routesim.explain.answer import quoted
from routesim.explain.routes.topic import nearest_change
from routesim.model import Binding

COMPARED = 2_000
ASKED = "m1"  # an id for the question


def nearest(matcher: ExchangeType, misses: list[Binding], content: Content, most: int) -> list[Binding]:
    """The nearest misses, nearest first. Of many, those are compared that have the most words of the key."""
    if len(misses) > COMPARED:
        words = set(words_of(content.routing_key))
        lacks, common = words.isdisjoint, words.intersection
        shared = [0 if lacks(own := binding.routing_key.split(".")) else len(common(own)) for binding in misses]
        places = heapq.nlargest(COMPARED, range(len(misses)), key=shared.__getitem__)
        misses = [misses[place] for place in places]
    return heapq.nlargest(most, misses, key=lambda binding: _nearness(matcher, binding, content))


def _nearness(matcher: ExchangeType, binding: Binding, content: Content) -> float:
    """How close a miss is: the share of the pattern that was met, then the likeness of the texts."""
    answer = matcher.why(binding, ASKED, content)
    met = sum(not part.decides for part in answer.alignment)
    if abs(len(binding.routing_key) - len(content.routing_key)) > 12:
        return met
    return met + difflib.SequenceMatcher(None, binding.routing_key, content.routing_key).quick_ratio()


def why_not(matcher: ExchangeType, bindings: Iterable[Binding], content: Content) -> str:
    """Why no binding of an exchange matches: the nearest one, where it fails and what would match; "" where nothing is near."""
    misses = list(bindings)
    exchange, kind = matcher.exchange.name, matcher.exchange.type
    if not misses:
        return f"nothing is bound to '{exchange}'"
    if kind not in ("topic", "direct", "headers"):
        return ""
    binding = nearest(matcher, misses, content, 1)[0]
    key = content.routing_key
    if kind == "direct":
        cure = did_you_mean(key, {item.routing_key for item in misses})
        return f"on '{exchange}' the routing key must be equal to the binding key: {cure}" if cure else ""
    reason = matcher.why(binding, ASKED, content).text
    shown = quoted(binding.routing_key) if kind == "topic" else f"the binding to {binding.destination}"
    to = f" to {binding.destination}" if kind == "topic" else ""
    change = f"; bound as {nearest_change(binding.routing_key, key)} it would match" if kind == "topic" else ""
    return f"nearest on '{exchange}': {shown}{to}: {reason}{change}"
