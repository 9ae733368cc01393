"""Exchange types: how a message finds its bindings. A new type is a file and a row here."""

from routesim.exchanges.base import BindingVerdict, Draw, ExchangeType, ListedExchangeType, MatchedWord
from routesim.exchanges.consistent_hash import ConsistentHash
from routesim.exchanges.delayed import DelayedMessage
from routesim.exchanges.direct import Direct
from routesim.exchanges.fanout import Fanout
from routesim.exchanges.federation_upstream import FederationUpstream
from routesim.exchanges.headers import Headers
from routesim.exchanges.modulus_hash import ModulusHash
from routesim.exchanges.random import LocalRandom, Random
from routesim.exchanges.recent_history import RecentHistory
from routesim.exchanges.topic import Topic
from routesim.versions import Rules

EXCHANGE_TYPES: dict[str, type[ExchangeType]] = {
    "direct": Direct,
    "fanout": Fanout,
    "topic": Topic,
    "headers": Headers,
    "x-consistent-hash": ConsistentHash,
    "x-modulus-hash": ModulusHash,
    "x-random": Random,
    "x-local-random": LocalRandom,
    "x-recent-history": RecentHistory,
    "x-delayed-message": DelayedMessage,
    "x-federation-upstream": FederationUpstream,
}
NOT_SIMULATED = ("x-jms-topic",)  # its bindings hold Erlang terms that only RabbitMQ can evaluate
ADDED_LATER = ("x-local-random",)  # known only where `Rules.exchange_types_added` says so


def exchange_types(rules: Rules) -> dict[str, type[ExchangeType]]:
    """The types that a broker of this version knows."""
    added = rules.exchange_types_added
    return {name: kind for name, kind in EXCHANGE_TYPES.items() if name not in ADDED_LATER or name in added}


__all__ = [
    "ADDED_LATER", "Draw", "EXCHANGE_TYPES", "DelayedMessage", "ExchangeType", "ListedExchangeType", "NOT_SIMULATED",
    "MatchedWord", "RecentHistory", "BindingVerdict", "exchange_types",
]  # fmt: skip
