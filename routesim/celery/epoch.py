"""Celery writes times of day into its messages; virtual time 0 is this moment."""

from datetime import UTC, datetime, timedelta

from routesim.epoch import EPOCH_S

EPOCH = datetime.fromtimestamp(EPOCH_S, UTC)


def iso(at_ms: int, epoch: datetime = EPOCH) -> str:
    """The text that Celery puts into `eta` and `expires`: `2026-01-01T00:00:05+00:00`."""
    return (epoch + timedelta(milliseconds=at_ms)).isoformat()


def moment_of(text: str) -> datetime | None:
    """The moment that such a text means, UTC where it names no zone; None: it is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def ms_of(text: str, epoch: datetime = EPOCH) -> int | None:
    """The virtual time of such a text; None: it is no time."""
    moment = moment_of(text)
    return None if moment is None else round((moment - epoch).total_seconds() * 1000)
