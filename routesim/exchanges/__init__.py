"""Exchange types: how a message finds its bindings. A new type is a file and a row here."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from routesim.exchanges.base import BindingVerdict, Draw, ExchangeType, ListedExchangeType, MatchedWord
from routesim.exchanges.delayed import DelayedMessage
from routesim.exchanges.direct import Direct
from routesim.exchanges.fanout import Fanout
from routesim.exchanges.headers import Headers
from routesim.exchanges.recent_history import RecentHistory
from routesim.exchanges.topic import Topic
from routesim.versions import Rules


class ExchangeTypes(Mapping[str, type[ExchangeType]]):
    """The types by their names. What few scenarios have is imported when it is asked for: `module:class`."""

    def __init__(self, rows: dict[str, type[ExchangeType] | str]) -> None:
        self._rows = rows

    def __getitem__(self, name: str) -> type[ExchangeType]:
        row = self._rows[name]
        if isinstance(row, str):
            module, _, of_class = row.partition(":")
            row = self._rows[name] = getattr(import_module(f"routesim.exchanges.{module}"), of_class)
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows


EXCHANGE_TYPES = ExchangeTypes(
    {
        "direct": Direct,
        "fanout": Fanout,
        "topic": Topic,
        "headers": Headers,
        "x-consistent-hash": "consistent_hash:ConsistentHash",
        "x-modulus-hash": "modulus_hash:ModulusHash",
        "x-random": "random:Random",
        "x-local-random": "random:LocalRandom",
        "x-recent-history": RecentHistory,
        "x-delayed-message": DelayedMessage,
        "x-federation-upstream": "federation_upstream:FederationUpstream",
    }
)
NOT_SIMULATED = ("x-jms-topic",)  # its bindings hold Erlang terms that only RabbitMQ can evaluate
ADDED_LATER = ("x-local-random",)  # known only where `Rules.exchange_types_added` says so


def exchange_types(rules: Rules) -> list[str]:
    """The types that a broker of this version knows."""
    added = rules.exchange_types_added
    return [name for name in EXCHANGE_TYPES if name not in ADDED_LATER or name in added]


__all__ = [
    "ADDED_LATER", "Draw", "EXCHANGE_TYPES", "DelayedMessage", "ExchangeType", "ListedExchangeType", "NOT_SIMULATED",
    "MatchedWord", "RecentHistory", "BindingVerdict", "exchange_types",
]  # fmt: skip
