"""Native delayed delivery: the delay as bits in the routing key (celery.md 1.5)."""

LEVELS = 28
LONGEST_S = 2**LEVELS - 1
DELIVERY_EXCHANGE = "celery_delayed_delivery"


def level_name(level: int) -> str:
    """The exchange and the queue that hold a message for 2^level seconds."""
    return f"celery_delayed_{level}"


FIRST_EXCHANGE = level_name(LEVELS - 1)


def delayed_key(seconds: int, key: str) -> str:
    """The key with which a message is published to `FIRST_EXCHANGE`: 28 bits, highest first, then its own key."""
    bits = f"{min(seconds, LONGEST_S):0{LEVELS}b}"
    return ".".join([*bits, key])


def own_key(key: str) -> str:
    """The key without the bits of an earlier delay."""
    words = key.split(".", LEVELS)
    return words[LEVELS] if len(words) > LEVELS and set(words[:LEVELS]) <= {"0", "1"} else key
