"""rules/routing#D22: the failed deliveries that a dead letter brings along, and what its new queue makes of them."""

import pytest
from kits.broker import Bench, kinds, versions
from kits.rules import routing_rules

from routesim.values import plain

# Failures that arrive with messages that were untouched, nacked back once and rejected back once before they died so.
FAILURES = {
    "none": {"reject": (0, 0, 0), "nack": (0, 0, 0), "expired": (0, 0, 0), "maxlen": (0, 0, 0), "crash": (0, 0, 0)},
    "quorum": {"reject": (1, 1, 1), "nack": (1, 1, 1), "expired": (0, 0, 0), "maxlen": (0, 0, 0), "crash": (2, 2, 2)},
    "all": {"reject": (1, 1, 2), "nack": (0, 0, 1), "expired": (0, 0, 1), "maxlen": (0, 0, 1), "crash": (1, 1, 2)},
}


def counted(version, source):
    if version == "4.3":
        return "all"
    return "quorum" if source == "quorum" and version >= "4.0" else "none"


def dead(version, source, target, cause):
    """Three messages that died of the cause, as they are first got in the target."""
    b = Bench(version)
    b.queue("dlq", target)
    b.queue("q", source, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "m0", "m1", "m2", expiration="1000")
    b.get("ch", "q", 3)
    b.nack("ch", 2)
    b.reject("ch", 3, requeue=True)
    if cause == "expired":
        b.nack("ch", 1)
        b.wait(1000)
    elif cause == "maxlen":
        b.nack("ch", 1)
        b.policy("short", "^q$", {"max-length": 0})
    elif cause == "crash":
        b.get("ch", "q", 3)
        b.close("ch")
        b.get("ch", "q", 3)
        b.nack("ch", 0, multiple=True, requeue=False)
    else:
        b.get("ch", "q", 3)
        for tag in (1, 4, 5):
            getattr(b, cause)("ch", tag, requeue=False)
    return b, sorted((b.take("dlq") for _ in range(3)), key=lambda letter: letter.message)


@versions()
@kinds("classic", "quorum")
@pytest.mark.parametrize("target", ["classic", "quorum"])
@pytest.mark.parametrize("cause", ["reject", "nack", "expired", "maxlen", "crash"])
def test_d22_what_a_dead_letter_shows_at_first(version, kind, target, cause):
    expected = FAILURES[counted(version, kind)][cause]
    _, letters = dead(version, kind, target, cause)
    shown = target == "quorum" or version == "4.3"
    first_get = 0 if version == "3.10" and target == "quorum" else None  # rules/queues#2.9
    assert [letter.redelivered for letter in letters] == [shown and count > 0 for count in expected]
    counts = [count or first_get if target == "quorum" else None for count in expected]
    assert [plain(letter.headers).get("x-delivery-count") for letter in letters] == counts
    acquired = [count if version == "4.3" else None for count in counts]
    assert [plain(letter.headers).get("x-acquired-count") for letter in letters] == acquired


test_carried = routing_rules("""
D22 carried count, an idle consumer of a classic queue sees nothing of it: what waits there is redelivered [4.3]
    queue dlq; queue q dead-letter=dlq; consume A dlq prefetch=1; send q 0 1; get ch q 2; reject ch 1 2; news = A:0
    ack A 1; news = A:1*
D22 carried count, after a return there: 4.0 shows the queue's own, 4.3 goes on counting [>=4.0]
    queue dlq limited; queue q quorum dead-letter=dlq; send q m; get ch q; close ch; get ch q; reject ch 1
    consume A dlq prefetch=1; reject A 1 requeue
    header x-delivery-count = - 1 2 1 | 4.3: - 1 2 3; header x-acquired-count = - - - - | 4.3: - 1 2 1
D22 carried count, through a classic queue: it is there behind it [>=4.0]
    queue last quorum; queue wait message-ttl=100 dead-letter=last; queue q quorum dead-letter=wait; send q m; get ch q; reject ch 1
    wait 100; get ch last = m*; header x-delivery-count = - 1
D22 carried count, rounds of a retry loop: one each [>=4.0]
    queue wait message-ttl=100 dead-letter=q; queue q quorum dead-letter=wait; send q m; get ch q = m; reject ch 1; wait 100
    get ch q = m*; reject ch 2; wait 100; get ch q = m*; reject ch 3; wait 100; get ch q = m*; header x-delivery-count = - 1 2 3
D22,queues#2.10 carried count, the limit goes on from it: in 4.3; what arrives with 3 dies of its third reject in a limit of 5
    queue last; queue dlq x-queue-type=quorum delivery-limit=5 dead-letter=last
    queue q x-queue-type=quorum delivery-limit=2 dead-letter=dlq; send q m; deliveries q reject = 3
    deliveries dlq reject = 6 | 4.3: 3; deaths last = dlq:delivery_limit:1 q:delivery_limit:1
D22,queues#2.10 carried count, a discard is not held against the limit: only what comes back is [>=4.0]
    queue wait message-ttl=100 dead-letter=q; queue q x-queue-type=quorum delivery-limit=2 dead-letter=wait; send q m
    get ch q; reject ch 1; wait 100; get ch q; reject ch 2; wait 100; get ch q; reject ch 3; wait 100; get ch q = m*
    close ch; ready q = m* | 4.3: ; cut = | 4.3: wait; dropped q = | 4.3: m:delivery_limit
D22 carried count, a death of the delivery limit: by crashes it is their number, by rejects in 4.3 only [how=reject close, >=4.0]
    queue dlq quorum; queue q x-queue-type=quorum delivery-limit=2 dead-letter=dlq; send q m; deliveries q {how} = 3
    get t dlq; header x-delivery-count = - 1 2 - | close: - 1 2 3 | reject 4.3: - 1 2 3
""")
