"""x-random and x-local-random: one destination by chance, drawn from the scenario's seed (rules/routing#2.3)."""

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ListedExchangeType, precondition_failed
from routesim.model import Binding


class Random(ListedExchangeType):
    name = "x-random"
    sees = "state"
    by_chance = True

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return [self.bindings[draw(len(self.bindings))]] if self.bindings else []

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        return BindingVerdict(True, "chance", f"chosen with a chance of 1 in {len(self.bindings)}, whatever the key")


class LocalRandom(Random):
    """One node is simulated, so every queue is local."""

    name = "x-local-random"

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        if binding.routing_key:
            raise precondition_failed(f"Non empty binding '{binding.routing_key}' key not permitted")
        if queue_type is None:
            raise precondition_failed("Destination not found")
        if queue_type != "classic":
            raise precondition_failed(f"Queue type rabbit_{queue_type}_queue not valid for this exchange type")
