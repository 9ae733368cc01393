"""The date at which virtual time begins, for whatever is written as a date."""

EPOCH_S = 1_767_225_600  # 2026-01-01T00:00:00 UTC, in seconds since 1970
FIRST_DATE_S = 1_000_000_000  # what is less is no date that anybody means, but virtual seconds


def virtual_ms(timestamp_s: int) -> int:
    """The virtual time of a timestamp as AMQP 0-9-1 has it, in seconds since 1970; negative before the run. One below
    1,000,000,000 (in 2001) counts from the beginning of the run."""
    return 1000 * (timestamp_s - EPOCH_S if timestamp_s >= FIRST_DATE_S else timestamp_s)
