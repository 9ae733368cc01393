"""What differs between RabbitMQ's versions, and the rules of each."""

from routesim.versions.differences import (
    DIFFERENCES,
    HELD_AGAINST,
    NEWEST,
    NEWEST_PATCH,
    HeldAgainst,
    Rules,
    UnknownVersion,
    VersionDifference,
    numbers,
    parse,
    rules,
    value_in,
)

__all__ = [
    "DIFFERENCES",
    "HELD_AGAINST",
    "NEWEST",
    "NEWEST_PATCH",
    "HeldAgainst",
    "Rules",
    "UnknownVersion",
    "VersionDifference",
    "numbers",
    "parse",
    "rules",
    "value_in",
]
