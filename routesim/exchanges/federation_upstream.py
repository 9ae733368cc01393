"""x-federation-upstream: what federation declares for a broker downstream; fanout, but for what has come that way already
(rabbitmq-server: rabbit_federation_upstream_exchange.erl, route/3)."""

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, precondition_failed
from routesim.exchanges.fanout import Fanout
from routesim.model import Binding, Exchange
from routesim.values import raw, wire_type
from routesim.versions import Rules

MOST_HOPS, CLUSTER, VHOST = "x-max-hops", "x-downstream-name", "x-downstream-vhost"
RECEIVED_FROM = "x-received-from"  # a header: the brokers that a message has come through


class FederationUpstream(Fanout):
    """Routes by the keys only where no message has come through federation: `sees` headers."""

    name = "x-federation-upstream"
    sees = "headers"

    @classmethod
    def validate(cls, exchange: Exchange, rules: Rules) -> None:
        if MOST_HOPS not in exchange.arguments:
            raise precondition_failed(f"Argument {MOST_HOPS} missing", MOST_HOPS)
        if wire_type(exchange.arguments[MOST_HOPS]) != "long":
            raise precondition_failed(f"Argument {MOST_HOPS} must be of type long", MOST_HOPS)

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return self.bindings if self._hands_on(content) else []

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        if self._hands_on(content):
            return BindingVerdict(True, "federation", "federation hands on every message: every binding matches")
        return BindingVerdict(False, "federation-hops", "it has come through federation, too far or in a circle: none matches")

    def _hands_on(self, content: Content) -> bool:
        hops = raw((content.headers or {}).get(RECEIVED_FROM))
        if not isinstance(hops, (list, tuple)):
            return True
        arguments = self.exchange.arguments
        here = raw(arguments.get(CLUSTER)), raw(arguments.get(VHOST))
        seen = [raw(hop) for hop in hops]
        there = [(raw(hop.get("cluster-name")), raw(hop.get("vhost"))) for hop in seen if isinstance(hop, dict)]
        return len(seen) < raw(arguments[MOST_HOPS]) and here not in there
