"""Steps that are like one that is written out: what a section stands for many times over is neither written nor read anew."""

from typing import Any, Protocol

from routesim.model import Message
from routesim.named_tuples import NamedTuple
from routesim.scenario.scenario import PublishMany
from routesim.scenario.yaml.nodes import Mapping


class LatePublish(Protocol):
    """A publish that is made when it is asked for. `id`: of the message; `task`: whose id is in its headers (None: no task's)."""

    @property
    def id(self) -> str: ...

    @property
    def task(self) -> str | None: ...

    @property
    def fields(self) -> dict[str, Any]: ...

    @property
    def message(self) -> Message: ...


class AlikeStep(NamedTuple):
    """A step `publish` among the nodes, after so long (0: at once), like `first`, which is written out."""

    first: Mapping
    publish: LatePublish
    after_ms: int

    @property
    def value(self) -> Mapping:
        """What stands after the verb of the first."""
        found: Mapping = self.first["publish"]
        return found

    def action(self, first: PublishMany) -> "PublishLate":
        return PublishLate(first.channel, self.publish, self.publish.id, None, 1, 0, self.after_ms)  # type: ignore[arg-type]


class PublishLate(PublishMany):
    """`PublishMany` of one message, which is made whenever it is looked at."""

    __slots__ = ()

    @property
    def message(self) -> Message:
        publish: Any = self[1]
        message: Message = publish.message
        return message

    def made(self) -> PublishMany:
        return PublishMany(self.channel, self.message, self.id_prefix, self.first, self.times, self.every_ms, self.after_ms)

    def _replace(self, **changed: Any) -> PublishMany:  # type: ignore[override]
        return self.made()._replace(**changed)

    def __reduce__(self) -> tuple[Any, ...]:
        return PublishMany, tuple(self.made())
