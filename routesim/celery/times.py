"""Virtual time as Celery writes it into messages: ISO texts in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # virtual time 0
MILLISECOND = timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """An instant of virtual time (ms) as the headers `eta` and `expires` hold it."""
    return (EPOCH + ms * MILLISECOND).isoformat()


def moment(text: str) -> datetime:
    """The time that an ISO text names; UTC where it names no zone. Raises `ValueError`."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def instant(text: str, start: datetime = EPOCH) -> int:
    """The instant of virtual time (ms) that an ISO text means, `start` being virtual 0. Raises `ValueError`."""
    return (moment(text) - start) // MILLISECOND
