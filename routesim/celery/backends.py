"""Result backends, as far as chords need them (celery/backends/*.py): who notices that a header has ended."""

from routesim.celery.settings import CelerySettings

COUNTS, POLLS, REFUSES = "counts", "polls", "refuses"
# Those that count what has returned: the process of the last one sends the body. The others send a task that asks again and
# again.
COUNTING = frozenset(
    {"redis", "rediss", "sentinel", "cache", "memcache", "memcached", "dynamodb", "gs", "django-db", "django-cache"}
)
DISABLED = frozenset({"", "disabled"})


def scheme_of(settings: CelerySettings) -> str:
    return str(settings["result_backend"] or "").partition("://")[0].partition("+")[0]


def keeps_results(settings: CelerySettings) -> bool:
    """Whether results are kept somewhere, so that no message is needed for them."""
    return not settings.sends_results and scheme_of(settings) not in DISABLED


def chord_support(settings: CelerySettings) -> str:
    if not keeps_results(settings):
        return REFUSES
    return COUNTS if scheme_of(settings) in COUNTING else POLLS


def why_refused(settings: CelerySettings) -> str:
    if settings.sends_results:
        return 'NotImplementedError: The "rpc" result backend does not support chords'
    return "NotImplementedError: Starting chords requires a result backend to be configured"
