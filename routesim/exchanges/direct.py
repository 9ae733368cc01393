"""direct: the binding key equals one of the message's keys, byte by byte (rules/routing#X1)."""

from routesim.content import Content
from routesim.exchanges.base import Alike, BindingVerdict, Draw, ExchangeType, each_of, with_another, without
from routesim.model import Binding, Exchange
from routesim.versions import Rules


class Direct(ExchangeType):
    name = "direct"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.by_key: dict[str, Alike] = {}

    def add(self, binding: Binding) -> None:
        self.by_key[binding.routing_key] = with_another(self.by_key.get(binding.routing_key), binding)

    def remove(self, binding: Binding) -> None:
        left = without(self.by_key[binding.routing_key], binding)
        if left is None:
            del self.by_key[binding.routing_key]

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        if len(content.keys) == 1:
            return each_of(self.by_key.get(content.routing_key))
        return [binding for key in dict.fromkeys(content.keys) for binding in each_of(self.by_key.get(key))]

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        if binding.routing_key in content.keys:
            return BindingVerdict(True, "equal", "the binding key equals the routing key")
        if set("*#") & set(binding.routing_key):
            return BindingVerdict(
                False, "wildcard-on-direct", "a direct exchange takes * and # literally; a topic exchange matches them"
            )
        return BindingVerdict(False, "different", f"'{binding.routing_key}' is not '{content.routing_key}'")

    def clone(self) -> "Direct":
        other = Direct(self.exchange, self.rules)
        other.by_key = {key: alike if isinstance(alike, Binding) else alike.copy() for key, alike in self.by_key.items()}
        return other
