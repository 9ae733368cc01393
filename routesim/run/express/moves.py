"""What happens on the fast way, noted move by move while somebody asks whether it repeats itself."""

from routesim.named_tuples import NamedTuple
from routesim.run.express.prepared import AckingConsumer, PreparedPublish
from routesim.scenario import PublishMany


class PlainMove(NamedTuple):
    """One of: a publish, with the subscriptions that are sent it (0: it waits in that queue); an answer; the head of a queue sent
    to a consumer; an answer and the head sent to who gave it."""

    at_ms: int
    publish: PreparedPublish | None
    action: PublishMany | None
    takers: tuple[int, ...]
    acks: AckingConsumer | None
    takes: AckingConsumer | None


class Moves:
    """`kept` None: nobody asks. `odd`: something was among them that does not repeat itself, a redelivery."""

    def __init__(self) -> None:
        self.kept: list[PlainMove] | None = None
        self.odd = False

    def begin(self) -> None:
        self.kept, self.odd = [], False

    def end(self) -> None:
        self.kept = None

    def published(self, at_ms: int, publish: PreparedPublish, action: PublishMany, takers: tuple[int, ...]) -> None:
        assert self.kept is not None
        self.kept.append(PlainMove(at_ms, publish, action, takers, None, None))

    def consumed(self, at_ms: int, acks: AckingConsumer | None, takes: AckingConsumer | None, *, again: bool = False) -> None:
        assert self.kept is not None
        self.kept.append(PlainMove(at_ms, None, None, (), acks, takes))
        self.odd = self.odd or again
