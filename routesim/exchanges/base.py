"""What every exchange type answers: which bindings a message matches, and for one binding why or why not."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeAlias

from routesim.content import Content
from routesim.model import Binding, Exchange
from routesim.named_tuples import NamedTuple
from routesim.replies import AmqpError
from routesim.versions import Rules

Draw = Callable[[int], int]  # a number from 0 to n - 1, from the scenario's seed


class MatchedWord(NamedTuple):
    """A word of a binding key and the words of the routing key that it stands for; `decides`: here the match fails."""

    word: str
    takes: tuple[str, ...]
    decides: bool = False


class BindingVerdict(NamedTuple):
    """Whether a binding matches and the reason: a stable code and a sentence. `alignment`: word by word, for topics."""

    match: bool
    code: str
    text: str
    alignment: tuple[MatchedWord, ...] = ()


class ExchangeType:
    """The bindings of one exchange, arranged so that the matching ones are found quickly.

    A subclass is one exchange type. `sees` says what the answer depends on: `keys` (the routing keys alone, so that a
    route may be remembered), `content` (headers or properties) or `state` (chance, or what was routed before). `by_chance`:
    its answer is drawn. `remembers`: it is shown each message that comes to it, and gives `recent` to a new binding.
    """

    name: ClassVar[str]
    sees: str = "keys"
    by_chance: ClassVar[bool] = False
    remembers: ClassVar[bool] = False
    recent: Sequence[tuple[str, Content]] = ()  # (message id, content), oldest first

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        self.exchange = exchange
        self.rules = rules

    @classmethod
    def validate(cls, exchange: Exchange, rules: Rules) -> None:
        """Raises `AmqpError` when an exchange of this type cannot be declared so."""

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        """Raises `AmqpError` when the type does not allow the binding; `queue_type` None: to an exchange."""

    def add(self, binding: Binding) -> None:
        raise NotImplementedError

    def remove(self, binding: Binding) -> None:
        """Takes out the very object that was added."""
        raise NotImplementedError

    def remember(self, message: str, content: Content) -> None:
        """A message has come to the exchange; asked of a type that `remembers`."""

    def delay_ms(self, content: Content) -> int:
        """How long the message waits in the exchange before it is routed; 0: not at all."""
        return 0

    def restart(self) -> None:
        """The broker has restarted: what the type keeps in memory alone is gone or built anew."""

    def route(self, message: str, content: Content, draw: Draw) -> Iterable[Binding]:
        """The bindings that the message matches, in no particular order. `message` is its id, its message_id by default."""
        raise NotImplementedError

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        """Whether and why `binding` matches, by the type's plain rule."""
        raise NotImplementedError

    def fingerprint(self) -> Any:
        """What the type keeps beside the bindings themselves, as a canonical value."""
        return None

    def clone(self) -> "ExchangeType":
        """An equal matcher that shares nothing that changes."""
        raise NotImplementedError


class ListedExchangeType(ExchangeType):
    """A type that keeps its bindings in the order in which they were made."""

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.kept: dict[int, Binding] = {}  # by identity: to Python, one with the argument 1 equals one with true
        self.listed: list[Binding] | None = None

    @property
    def bindings(self) -> list[Binding]:
        if self.listed is None:
            self.listed = list(self.kept.values())
        return self.listed

    def add(self, binding: Binding) -> None:
        self.kept[id(binding)] = binding
        self.listed = None

    def remove(self, binding: Binding) -> None:
        del self.kept[id(binding)]
        self.listed = None

    def clone(self) -> "ListedExchangeType":
        other = type(self)(self.exchange, self.rules)
        other.kept = self.kept.copy()
        return other


# The bindings of one key: one as it is, which is what most keys have, several by identity.
Alike: TypeAlias = Binding | dict[int, Binding]


def with_another(alike: Alike | None, binding: Binding) -> Alike:
    if alike is None:
        return binding
    if isinstance(alike, Binding):
        return {id(alike): alike, id(binding): binding}
    alike[id(binding)] = binding
    return alike


def without(alike: Alike, binding: Binding) -> Alike | None:
    """None: there is no other."""
    if isinstance(alike, Binding):
        return None
    del alike[id(binding)]
    return alike or None


def each_of(alike: Alike | None) -> list[Binding]:
    if alike is None:
        return []
    return [alike] if isinstance(alike, Binding) else list(alike.values())


def precondition_failed(text: str, argument: str | None = None) -> AmqpError:
    return AmqpError(406, text, argument=argument)
