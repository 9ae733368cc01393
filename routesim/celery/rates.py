"""Rate limits as Celery writes them."""


def rate_of(text: str) -> float | None:
    """`10/s`, `100/m`, `5/h` or a bare number a second; None: no rate."""
    number, _, unit = text.partition("/")
    seconds = {"": 1, "s": 1, "m": 60, "h": 3600}.get(unit)
    try:
        rate = float(number)
    except ValueError:
        return None
    return rate / seconds if seconds and rate > 0 else None
