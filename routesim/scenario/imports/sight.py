"""The kinds of files in which other programs keep topologies, and how each is known by sight.

Every scenario that is loaded is looked at, so the readers are imported only once a file is theirs.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from routesim.named_tuples import NamedTuple

LOOKED_AT = 65_536  # characters of a text: each of these programs says early what its file is


class ForeignKind(NamedTuple):
    """`name`: as `routesim import KIND` has it. `what`: its files, in words. `word`: what the text of such a file holds for
    certain; `sign`: how it stands in no other file, as a regular expression. `module`: its reader, whose
    `read(gathered, document)` adds what one document declares. `all_declared`: the program refuses a binding of what the files
    do not declare; elsewhere others may have declared it.
    """

    name: str
    what: str
    word: str
    sign: str
    module: str
    all_declared: bool = False


KINDS: dict[str, ForeignKind] = {
    kind.name: kind
    for kind in (
        ForeignKind(
            "topology-operator", "objects of RabbitMQ's messaging-topology-operator for Kubernetes", "apiVersion",
            r"^[ \-]*apiVersion: *\S|\"apiVersion\"\s*:", "topology_operator",
        ),
        ForeignKind(
            "symfony", "Symfony Messenger's configuration", "framework:", r"^framework:", "symfony",
            all_declared=True,
        ),
        ForeignKind(
            "old-sound", "the configuration of RabbitMqBundle", "old_sound_rabbit_mq", r"^old_sound_rabbit_mq:", "old_sound",
        ),
        ForeignKind(
            "terraform", "a state or a plan of Terraform", "terraform_version", r"\"terraform_version\"\s*:", "terraform",
        ),
        ForeignKind(
            "rascal", "Rascal's configuration", "vhosts", r"\"vhosts\"\s*:\s*\{", "rascal",
            all_declared=True,
        ),
        ForeignKind("asyncapi", "an AsyncAPI document", "asyncapi", r"^asyncapi:|\"asyncapi\"\s*:\s*\"[23]", "asyncapi"),
    )
}  # fmt: skip


def kind_of(text: str) -> ForeignKind | None:
    """The kind of file that a text shows to be; None: none of them, as far as its beginning tells."""
    begin = text[:LOOKED_AT]
    kinds = (kind for kind in KINDS.values() if kind.word in begin and re.search(kind.sign, begin, re.MULTILINE))
    return next(kinds, None)


def reader_of(kind: ForeignKind) -> Callable[[Any, Any], None]:
    """The function that reads one document of the kind."""
    read: Callable[[Any, Any], None] = import_module(f"routesim.scenario.imports.{kind.module}").read
    return read
