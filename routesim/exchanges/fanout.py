"""fanout: every binding matches; key and headers play no role (rules/routing#X2)."""

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ListedExchangeType
from routesim.model import Binding


class Fanout(ListedExchangeType):
    name = "fanout"

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        return self.bindings

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        return BindingVerdict(True, "fanout", "a fanout exchange ignores the key: every binding matches")
