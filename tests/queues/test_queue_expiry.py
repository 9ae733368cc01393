"""rules/queues#5: message TTL, x-expires and the acknowledgement timeout. Time is virtual."""

import pytest
from kits.broker import Bench, before, deaths, kinds, versions
from kits.rules import queue_rules

from routesim import events
from routesim.broker.publishing import parse_expiration
from routesim.replies import AmqpError

test_ttl = queue_rules("""
5.1 TTL of the queue counts from the enqueue: expired when that instant is reached, not before [kinds]
    queue q {kind} message-ttl=300; wait 50; send q 0; wait 299; ready q = 0; wait 1; ready q =; dropped q = 0:expired
5.1 TTL of queue and message, the smaller counts [kinds, queue=none 300 100]
    [none] queue q {kind}; [300] queue q {kind} message-ttl=300; [100] queue q {kind} message-ttl=100; wait 50
    send q 0 expiration=200; wait 99; ready q = 0; wait 1; ready q = 0 | 100:; [100] dropped q = 0:expired
    wait 99; ready q = 0 | 100:; wait 1; ready q =; dropped q = 0:expired
5.1 TTL by policy does not touch messages that are queued: the instant is fixed at the enqueue
    queue q; send q 0; policy ttl q message-ttl=100; wait 1000; ready q = 0; delete-policy ttl; queue p message-ttl=500
    send p 1; policy ttl p message-ttl=100; wait 400; ready p = 1; wait 100; ready p =
5.1,11-11 TTL goes on over a requeue: got at 200 ms, requeued at 600 ms, gone at 800 ms [kinds]
    queue q {kind} message-ttl=800; send q m; wait 200; get ch q = m; wait 400; nack ch 1; wait 199; ready q = m*; wait 1
    ready q =; dropped q = m:expired
5.3 TTL of zero, now or never: expires at once without a consumer, 1 ms later of a quorum queue [kinds, how=queue message]
    queue dlq; [queue] queue q {kind} message-ttl=0 dead-letter=dlq; [message] queue q {kind} dead-letter=dlq
    consume A q prefetch=1; [queue] send q 0 1; [message] send q 0 1 expiration=0; news = A:0
    [quorum] wait 1; [limited] wait 1; ready q =; drain dlq = 1
5.4 expired behind a live head, both leave when the head does [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; send q long expiration=2000; send q short expiration=100; wait 1999
    ready q = long short; wait 1; drain dlq = long short
5.4 expired behind a live head, never delivered: it is gone before what is behind it is [kinds]
    queue q {kind}; send q live; send q dead expiration=100; send q next; wait 500; consume A q; of A = live next
    dropped q = dead:expired
5.4 expired behind a live head, counts for max-length: once the head is dropped, it is the head [kinds]
    queue q {kind} max-length=2; send q live; send q dead expiration=100; wait 500; send q next; wait 1
    dropped q = live:maxlen dead:expired; drain q = next
5.4,S25 expired behind a live head, ready and counted: until the head goes [kinds]
    queue q {kind}; send q live; send q short expiration=100; send q last; wait 500; ready q = live short last; count q = 3 0
    get ch q = live; dropped q = short:expired; get ch q = last
5.4 expired at the head of any level: a quorum queue's timer covers every priority [4.3]
    queue q limited; send q high priority=9; send q low priority=0 expiration=100; wait 100; ready q = high
5.5 expired after a fetch: the next head is looked at, and its timer armed
    queue q; send q live; send q soon expiration=300; wait 100; get ch q; wait 199; ready q = soon; wait 1; ready q =
5.6 expired in a priority queue, low levels wait for the high to drain
    queue q max-priority=5; send q low expiration=100; send q high priority=5; wait 99; ready q = high low; wait 1000
    ready q = high low; get ch q; ready q =
5.6,S26 expired in a priority queue, what jumped the line is delivered: nothing looks at it in time [how=get consume]
    queue q max-priority=5; send q low; send q high priority=5 expiration=100; wait 500
    [get] get ch q = high; [consume] consume A q prefetch=1; [consume] news = A:high
5.5,5.6 expired in a priority queue, the timer of the head stays: what jumps the line arms none, however soon it is due
    queue q max-priority=5; send q low expiration=1000; send q high priority=5 expiration=100; wait 999; ready q = high low
    wait 1; ready q =
5.7 unacked messages expire when they come back: at once, even with an idle consumer [kinds]
    queue q {kind} message-ttl=100; send q 0; get ch q; wait 500; count q = 0 1; consume A q; nack ch 1; news =
    dropped q = 0:expired
5.8 expiry is first at its instant [kinds]
    queue q {kind}; send q 0 expiration=100; wait 100; consume A q; news =
""")

test_x_expires = queue_rules("""
5.9 x-expires of a classic queue, what renews it: declaring and basic.get, even of nothing; publishing does not
    queue q expires=1000; wait 900; get ch q; wait 900; queue q expires=1000; wait 900; send q 0; wait 99; queues = q; wait 1
    queues =
5.9 x-expires begins when the last consumer goes [how=cancel close]
    queue q expires=1000; consume A q; wait 10000; queues = q; {how} A; wait 999; queues = q; wait 1; queues =
5.9 x-expires drops everything: nothing is dead-lettered, bindings go, tags may be acked later
    queue dlq; exchange x fanout; queue q expires=1000 dead-letter=dlq; bind x q; send q 0 1; get ch q; wait 1000; queues = dlq
    ack ch 1; drain dlq =; route x =
5.9 x-expires of a quorum queue is looked at every 5 s: never early; basic.get renews it
    queue q quorum expires=1000; wait 999; queues = q; wait 5001; queues =; queue q quorum expires=6000; wait 5000; get ch q
    wait 5999; queues = q; wait 5001; queues =
5.9 x-expires of a quorum queue waits for what a cancelled consumer holds
    queue q quorum expires=1000; consume A q; send q 0; cancel A; wait 60000; queues = q; ack A 1; wait 15000; queues =
5.9,S24 x-expires and unacked gets: they keep a quorum queue, not a classic one
    queue c expires=1000; queue k quorum expires=1000; send c 0; send k 0; get ch c; get ch k; wait 20000; queues = k; ack ch 1
    ack ch 2; wait 20000; queues =
5.9,S24 x-expires and declaring again: renews a classic queue only
    queue c expires=6000; queue k quorum expires=6000; wait 5000; queue c expires=6000; queue k quorum expires=6000; wait 5900
    queues = c; wait 200; queues =
5.9,routing#O4,routing#D5 x-expires by policy counts for queues that are there [classic quorum]
    queue q {kind}; policy short q expires=1000; wait 20000; queues =
routing#O4 x-expires by policy goes with the policy
    policy short q expires=1000; queue q; wait 500; delete-policy short; wait 20000; queues = q
7.4 x-expires begins anew after a restart
    queue q expires=1000; wait 900; restart; wait 999; queues = q; wait 1; queues =
""")

test_acknowledgement_timeout = queue_rules("""
5.10 acknowledgement timeout by default: half an hour [<4.3]
    queue q; send q 0; get ch q; wait 1799000; count q = 0 1; wait 62000; count q = 1 0
5.10 acknowledgement timeout, acked in time: a younger delivery has its own time [<4.3]
    broker consumer-timeout=90000; queue q; send q 0 1; get ch q; wait 80000; get ch q; ack ch 1; wait 80000; ack ch 2
    wait 1000000; closed =
5.10 acknowledgement timeout of the queue, longer or shorter: from 3.12 on it comes before the broker's [3.13 4.0 4.2]
    broker consumer-timeout=600000; policy hurry q consumer-timeout=60000; queue q; send q 0; get ch q; wait 121000
    drain q = 0*
    policy slow s consumer-timeout=1200000; queue s; send s 1; get late s; wait 1100000; count s = 0 1; wait 200000; count s = 1 0
5.10 acknowledgement timeout of the queue, of argument and policy the smaller counts: also where it is the longer of broker and queue [3.13 4.0 4.2]
    broker consumer-timeout=60000; policy p q consumer-timeout=600000; queue q x-consumer-timeout=300000; send q 0; get ch q
    wait 290000; count q = 0 1; wait 80000; count q = 1 0
5.10,S35 acknowledgement timeout, what it does: the channel is closed; in 4.3 a quorum queue takes the message back [classic quorum]
    broker consumer-timeout=10000; queue q {kind}; consume A q; send q 0; wait 75000; closed = 406 | 4.3:
    ready q = 0* | classic 4.3:; count q = 1 0 | classic 4.3: 0 1; cancelled = A | classic 4.3:
5.10 acknowledgement timeout of a quorum queue: the message comes before all others, not counted as failed; the consumer is cancelled [4.3]
    broker consumer-timeout=90000; queue q limited; consume A q prefetch=2; send q 0; wait 50000; send q 1 2; wait 39999
    count q = 1 2; wait 1; ready q = 0* 2; count q = 2 1; ended = A; get look q = 0*; ack look 1
    header x-acquired-count = - - 1; header x-delivery-count = - - -; ack A 2
5.10 acknowledgement timeout of a quorum queue without a delivery limit: to the returns too [4.3]
    broker consumer-timeout=10000; queue q quorum; consume A q prefetch=1; send q 0 1; wait 10000; drain q = 0* 1
5.10 acknowledgement timeout, classic queues and streams wait for ever [classic stream, 4.3]
    broker consumer-timeout=10000; queue q {kind}; consume A q prefetch=1; send q 0; wait 1000000; closed =; cancelled =
5.10 acknowledgement timeout, a classic delivery does not hide a quorum one: on the same channel [4.3]
    broker consumer-timeout=10000; queue c; queue k limited; consume C c channel=ch; consume K k channel=ch; send c 0; wait 5000
    send k 1; wait 10000; ready k = 1*
5.10 acknowledgement timeout of the queue wins: longer or shorter [4.3]
    broker consumer-timeout=10000; queue slow limited consumer-timeout=50000; queue fast limited consumer-timeout=1000
    consume S slow; consume F fast; send slow 0; send fast 1; wait 1000; ready fast = 1*; wait 48000; ready slow =; wait 1000
    ready slow = 0*
5.10,5.9 acknowledgement timeout of the last consumer begins x-expires [4.3]
    broker consumer-timeout=10000; queue q limited expires=20000; consume A q prefetch=1; send q 0; wait 11000; queues = q
    wait 30000; queues =
5.10 acknowledgement timeout, nobody to cancel: of a basic.get, or of a consumer that was cancelled before, the channel is closed [4.3]
    broker consumer-timeout=10000; queue q limited; send q 0 1 2; get G q; consume A q prefetch=1; cancel A; wait 10000
    closed = 406 406; ready q = 0* 1* 2; wait 100000; closed = 406 406
5.10 acknowledgement timeout, several of one consumer: the consumer was cancelled for the first, and its channel stays [4.3]
    broker consumer-timeout=10000; queue q limited; consume A q prefetch=2; send q 0; wait 5000; send q 1; wait 10000
    closed =; cancelled = A; ready q = 0* 1*
5.10 acknowledgement timeout, a late ack is no error [4.3]
    broker consumer-timeout=10000; queue q limited; consume A q prefetch=1; send q 0; wait 10000; ack A 1; ready q = 0*
5.10 acknowledgement timeout, a late answer counts once: by itself or with those before it; then the tag is unknown [4.3]
    broker consumer-timeout=10000; queue q limited; consume A q prefetch=3; send q 0 1 2; wait 10000; nack A 3
    ack A 2 multiple; ready q = 0* 1* 2*; ack A 1 !406
5.10 acknowledgement timeout, a late answer with those before it: the tag itself too, later ones not, all by tag 0 [4.3, upto=2 0]
    broker consumer-timeout=10000; queue q limited; consume A q prefetch=3; send q 0 1 2; wait 10000; ack A {upto} multiple
    [2] ack A 3; ack A 2 !406 unknown delivery tag 2
""")

EXPIRATIONS = [
    ("5", 5), ("+5", 5), ("007", 7), ("-0", 0), ("0", 0), ("315360000000", 315_360_000_000),
    ("", "no_integer"), ("abc", "no_integer"), (" 5", "no_integer"), ("-", "no_integer"),
    ("10.5", '{leftover_string,".5"}'), ("5 ", '{leftover_string," "}'), ("0x10", '{leftover_string,"x10"}'),
    ("-1", "{value_negative,-1}"), ("315360000001", "{value_too_large,315360000001}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXPIRATIONS)
@versions()
def test_ttl_5_2_expiration(version, text, expected):
    """rules/queues#5.2, rules/routing#U11: a decimal number of ms with an optional sign and leading zeros; else 406."""
    b = Bench(version)
    b.queue("q")
    if isinstance(expected, int):
        assert parse_expiration(text) == expected
        b.send("q", 0, expiration=text)
        b.wait(max(0, expected - 1))
        assert b.ready("q") == ("0" if expected else "")
        b.wait(1)
        assert b.ready("q") == ""
    else:
        with pytest.raises(AmqpError, match="invalid expiration"):
            parse_expiration(text)
        b.send("q", 0, expiration=text, fails=(406, f"PRECONDITION_FAILED - invalid expiration '{text}': {expected}"))


@versions()
@kinds()
def test_ttl_5_8_dead_letters_lose_their_expiration(version, kind):
    """rules/queues#5.8: what expired once does not expire again by its own property, which x-death remembers."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, expiration="100")
    b.wait(10_000)
    letter = b.take("dlq")
    assert deaths(letter) == [("q", "expired", 1)]
    assert letter.content.expiration is None
    assert letter.headers["x-death"][0]["original-expiration"] == "100"


@versions(before("4.3"))
@kinds()
@pytest.mark.parametrize("how", ["consume", "get"])
def test_overdue_5_10_closes_the_channel_until_4_2(version, kind, how):
    """rules/queues#5.10: looked at every 60 s; the oldest delivery counts, a basic.get too; everything is requeued."""
    b = Bench(version, consumer_timeout=90_000)
    b.queue("q", kind)
    b.send("q", 0, 1)
    if how == "consume":
        b.consume("ch", "q", prefetch=1)
    else:
        b.get("ch", "q")
    b.wait(119_000)
    assert b.all(events.ChannelClosed) == []
    b.wait(2_000)
    closed = b.last(events.ChannelClosed)
    assert closed.code == 406
    assert "delivery acknowledgement on channel" in closed.text
    assert "timed out. Timeout value used: 90000" in closed.text
    assert b.drain("q") == "0* 1"
