"""x-modulus-hash: one destination, the hash of the keys modulo the number of bindings (rules/routing#2.2)."""

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ListedExchangeType
from routesim.exchanges.erlang import phash2
from routesim.model import Binding
from routesim.values import table_identity


class ModulusHash(ListedExchangeType):
    name = "x-modulus-hash"

    @property
    def bindings(self) -> list[Binding]:
        """In the order in which RabbitMQ counts them."""
        if self.listed is None:
            destinations = self.rules.modulus_hash_order == "destinations"
            self.listed = sorted(self.kept.values(), key=_destination if destinations else _table_order)
        return self.listed

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        if not self.bindings:
            return []
        number = phash2([key.encode("utf-8", "surrogatepass") for key in content.keys])
        return [self.bindings[number % len(self.bindings)]]

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        chosen = self.route(message, content, lambda count: 0)
        if binding in chosen:
            return BindingVerdict(True, "hashed", f"the hash of the keys falls to it, one of {len(self.bindings)} bindings")
        return BindingVerdict(False, "hashed-elsewhere", f"the hash of the keys falls to {chosen[0].destination}")


def _destination(item: Binding) -> tuple[object, ...]:
    return item.destination_type, item.destination


def _table_order(item: Binding) -> tuple[object, ...]:
    """The order of RabbitMQ's route table: among equal keys exchanges come before queues (rules/routing#M2)."""
    return item.routing_key, item.destination_type, item.destination, table_identity(item.arguments)
