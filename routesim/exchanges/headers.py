"""headers: the message's headers against the binding's arguments; the key plays no role (routing.md H1-H11)."""

from typing import Any

from routesim.content import Content
from routesim.exchanges.base import Draw, ListedExchangeType, Verdict, precondition_failed, take_out
from routesim.model import Binding, Exchange
from routesim.values import comparable, erlang_term, plain, raw, wire_type
from routesim.versions import Rules

MODES = ("all", "any", "all-with-x", "any-with-x")


class Headers(ListedExchangeType):
    name = "headers"
    sees = "content"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.compiled: list[tuple[Binding, str, dict[str, tuple[Any, ...] | None]]] = []

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
        super().add(binding)
        self.compiled.append((binding, *self.criteria(binding)))

    def remove(self, binding: Binding) -> None:
        del self.compiled[take_out(self.bindings, binding)]

    def criteria(self, binding: Binding) -> tuple[str, dict[str, tuple[Any, ...] | None]]:
        """The mode and what it asks for; None asks only that the key is there (routing.md H2, H3)."""
        mode = str(raw(binding.arguments.get("x-match", "all")))
        criteria: dict[str, tuple[Any, ...] | None] = {}
        for key, value in binding.arguments.items():
            if key == "x-match" or (key.startswith("x-") and not mode.endswith("-with-x")):
                continue
            strict = self.rules.headers_strict
            criteria[key] = None if raw(value) is None else comparable(value, strict=strict, of_message=False)
        return mode, criteria

    def _seen(self, content: Content) -> dict[str, tuple[Any, ...]]:
        """The headers as this exchange compares them; 3.13+ shows it the death annotations too (routing.md H10)."""
        headers = dict(content.headers or {})
        for key, value in (content.annotations or {}).items():
            if key != "x-death":
                headers[key] = value
        strict = self.rules.headers_strict
        return {key: comparable(value, strict=strict, of_message=True) for key, value in headers.items()}

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        headers = self._seen(content)
        return [binding for binding, mode, criteria in self.compiled if self._missed(mode, criteria, headers) is None]

    @staticmethod
    def _missed(mode: str, criteria: dict[str, tuple[Any, ...] | None], headers: dict[str, tuple[Any, ...]]) -> list[str] | None:
        """None when the criteria are met, else the keys that were not."""
        missed = [
            key for key, wanted in criteria.items() if key not in headers or (wanted is not None and headers[key] != wanted)
        ]
        met = len(missed) < len(criteria) if mode.startswith("any") else not missed
        return None if met else missed

    def why(self, binding: Binding, message: str, content: Content) -> Verdict:
        mode, criteria = self.criteria(binding)
        missed = self._missed(mode, criteria, self._seen(content))
        if missed is None:
            if not criteria:
                return Verdict(True, "no-criteria", f"x-match {mode} without criteria matches every message")
            return Verdict(True, "match", f"the headers satisfy x-match {mode}")
        if not criteria:
            return Verdict(False, "no-criteria", f"x-match {mode} without criteria matches nothing")
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
        return Verdict(False, "criteria-missed", "; ".join(reasons))

    def clone(self) -> "Headers":
        other = Headers(self.exchange, self.rules)
        other.bindings = self.bindings.copy()
        other.compiled = self.compiled.copy()
        return other
