"""Exchanges as kombu's virtual transport has them: the publisher itself looks through the set of bindings."""

import re
from functools import lru_cache

from routesim.content import Content
from routesim.exchanges import ExchangeType
from routesim.exchanges.base import BindingVerdict, Draw, ListedExchangeType
from routesim.exchanges.direct import Direct
from routesim.model import Binding

WILDCARDS = {"*": r"[^\.]+", "#": r".*?"}


@lru_cache(maxsize=4096)
def topic_pattern(key: str) -> re.Pattern[str] | None:
    """The regular expression of a binding key; None where there is none that can be compiled.

    Only a whole word is a wildcard, and the dots around it stay. Inside a word `*` keeps its meaning for the expression.
    """
    words = re.sub(r"[^A-Za-z0-9_.#*]", lambda found: re.escape(found[0]), key).split(".")
    expression = r"\.".join(WILDCARDS.get(word, word) for word in words)
    try:
        return re.compile(f"^{expression}$")
    except re.error:
        return None


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """What a PSUBSCRIBE pattern stands for: `*` and `?` take dots as well."""
    parts = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        closing = pattern.find("]", index + 1)
        if character == "\\" and index + 1 < len(pattern):
            index += 1
            parts.append(re.escape(pattern[index]))
        elif character == "[" and closing > 0:
            inside = pattern[index + 1 : closing].replace("\\", r"\\")
            parts.append(f"[{inside}]" if inside else "(?!)")
            index = closing
        else:
            parts.append({"*": ".*", "?": "."}.get(character, re.escape(character)))
        index += 1
    return re.compile("".join(parts), re.DOTALL)


def hears(binding_key: str, routing_key: str) -> bool:
    """Whether a subscriber with this binding key to a fanout exchange gets a message with this routing key.

    The key is part of the PUB/SUB topic, `EXCHANGE/KEY` or without a key `EXCHANGE`, so it is not ignored.
    """
    if not binding_key or not routing_key:
        return binding_key == routing_key
    return glob(binding_key.replace("#", "*")).fullmatch(routing_key) is not None


class RedisTopic(ListedExchangeType):
    name = "topic"

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return [binding for binding in self.bindings if self._matches(binding, content)]

    @staticmethod
    def _matches(binding: Binding, content: Content) -> bool:
        pattern = topic_pattern(binding.routing_key)
        return pattern is not None and pattern.match(content.routing_key) is not None

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        match = self._matches(binding, content)
        pattern = topic_pattern(binding.routing_key)
        shown = "nothing that can be compiled" if pattern is None else pattern.pattern
        return BindingVerdict(match, "regex" if match else "no-regex", f"kombu makes {shown} of the binding key")


class RedisFanout(ListedExchangeType):
    name = "fanout"

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return [binding for binding in self.bindings if hears(binding.routing_key, content.routing_key)]

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        match = hears(binding.routing_key, content.routing_key)
        return BindingVerdict(match, "pubsub" if match else "other-topic", "PUB/SUB topics hold the key, so it must fit")


class NoExchangeType(ListedExchangeType):
    """A type that kombu's Redis transport does not have: nothing is routed."""

    name = "none"

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return []

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        return BindingVerdict(False, "no-such-type", f"Redis has no exchanges of type {self.exchange.type}")


TYPES: dict[str, type[ExchangeType]] = {"direct": Direct, "topic": RedisTopic, "fanout": RedisFanout}
