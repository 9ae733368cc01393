"""headers: the message's headers against the binding's arguments; the key plays no role (rules/routing#1.5)."""

from typing import Any

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ExchangeType, precondition_failed
from routesim.model import Binding, Exchange
from routesim.named_tuples import NamedTuple
from routesim.values import comparable, erlang_term, plain, raw, wire_type
from routesim.versions import Rules

MODES = ("all", "any", "all-with-x", "any-with-x")


Wanted = tuple[Any, ...] | None  # a header's value as it is compared; None: any


class HeadersBinding(NamedTuple):
    """A binding, its place in the order of binding, and what it asks for."""

    number: int
    binding: Binding
    mode: str
    criteria: dict[str, Wanted]


class Headers(ExchangeType):
    """A binding is found by what it asks for.

    One that wants any of several criteria stands under each. One that wants all stands under a single one, the criterion
    that the fewest others stand under: whoever does not meet it need not be looked at.
    """

    name = "headers"
    sees = "content"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.entries: dict[int, tuple[HeadersBinding, list[tuple[str, Wanted]]]] = {}  # by identity, with where each stands
        self.under: dict[tuple[str, Wanted], dict[int, HeadersBinding]] = {}
        self.asking_nothing: dict[int, HeadersBinding] = {}  # matches every message
        self.number = 0

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        mode = binding.arguments.get("x-match", "all")
        if wire_type(mode) != "longstr":
            raise precondition_failed(
                f"Invalid x-match field type {wire_type(mode)} (value {erlang_term(mode)}); expected longstr", "x-match"
            )
        if raw(mode) not in MODES:
            raise precondition_failed(
                f"Invalid x-match field value {erlang_term(mode)}; expected all, any, all-with-x, or any-with-x", "x-match"
            )

    def add(self, binding: Binding) -> None:
        self.number += 1
        entry = HeadersBinding(self.number, binding, *self.criteria(binding))
        asked = list(entry.criteria.items())
        if not entry.mode.startswith("any"):
            asked = sorted(asked, key=lambda item: (item[1] is None, len(self.under.get(item, ()))))[:1]
            if not asked:
                self.asking_nothing[entry.number] = entry
        for criterion in asked:
            self.under.setdefault(criterion, {})[entry.number] = entry
        self.entries[id(binding)] = entry, asked

    def remove(self, binding: Binding) -> None:
        entry, asked = self.entries.pop(id(binding))
        self.asking_nothing.pop(entry.number, None)
        for criterion in asked:
            del self.under[criterion][entry.number]
            if not self.under[criterion]:
                del self.under[criterion]

    def criteria(self, binding: Binding) -> tuple[str, dict[str, Wanted]]:
        """The mode and what it asks for; None asks only that the key is there (rules/routing#H2, rules/routing#H3)."""
        mode = str(raw(binding.arguments.get("x-match", "all")))
        criteria: dict[str, Wanted] = {}
        for key, value in binding.arguments.items():
            if key == "x-match" or (key.startswith("x-") and not mode.endswith("-with-x")):
                continue
            strict = self.rules.headers_strict
            criteria[key] = None if raw(value) is None else comparable(value, strict=strict, of_message=False)
        return mode, criteria

    def _seen(self, content: Content) -> dict[str, tuple[Any, ...]]:
        """The headers as this exchange compares them; 3.13+ shows it the death annotations too (rules/routing#H10)."""
        headers = dict(content.headers or {})
        for key, value in (content.annotations or {}).items():
            if key != "x-death":
                headers[key] = value
        strict = self.rules.headers_strict
        return {key: comparable(value, strict=strict, of_message=True) for key, value in headers.items()}

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        headers = self._seen(content)
        found = dict(self.asking_nothing)
        for key, value in headers.items():
            for criterion in ((key, value), (key, None)):
                for number, entry in self.under.get(criterion, {}).items():
                    if number not in found and self._missed(entry.mode, entry.criteria, headers) is None:
                        found[number] = entry
        return [found[number].binding for number in sorted(found)]

    @staticmethod
    def _missed(mode: str, criteria: dict[str, Wanted], headers: dict[str, tuple[Any, ...]]) -> list[str] | None:
        """None when the criteria are met, else the keys that were not."""
        missed = [
            key for key, wanted in criteria.items() if key not in headers or (wanted is not None and headers[key] != wanted)
        ]
        met = len(missed) < len(criteria) if mode.startswith("any") else not missed
        return None if met else missed

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        mode, criteria = self.criteria(binding)
        missed = self._missed(mode, criteria, self._seen(content))
        if missed is None:
            if not criteria:
                return BindingVerdict(True, "no-criteria", f"x-match {mode} without criteria matches every message")
            return BindingVerdict(True, "match", f"the headers satisfy x-match {mode}")
        if not criteria:
            return BindingVerdict(False, "no-criteria", f"x-match {mode} without criteria matches nothing")
        headers = content.headers or {}
        reasons = []
        for key in missed:
            if key not in headers:
                reasons.append(f"no header '{key}'")
            else:
                reasons.append(
                    f"header '{key}' is {plain(headers[key])!r} ({wire_type(headers[key])}), "
                    f"not {plain(binding.arguments[key])!r} ({wire_type(binding.arguments[key])})"
                )
        return BindingVerdict(False, "criteria-missed", "; ".join(reasons))

    def clone(self) -> "Headers":
        other = Headers(self.exchange, self.rules)
        for entry, _ in self.entries.values():
            other.add(entry.binding)
        return other
