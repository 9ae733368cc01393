"""rules/queues#2: order, requeueing, redelivery, and what becomes of the unacked."""

from itertools import permutations

import pytest
from kits.broker import Bench, versions
from kits.rules import queue_rules

test_classic = queue_rules("""
2.1 first in, first out: messages handed over directly have their number too
    queue q; consume A q prefetch=1; send q 0..3; cancel A; nack A 1; drain q = 0* 1 2 3

2.2 a requeue restores the original positions: nack, reject, recover and the end of a channel
    queue q; send q 0..7; get a q; get b q; get c q; get d q; get a q 2; nack b 1; reject d 1 requeue; recover c; close a
    drain q = 0* 1* 2* 3* 4* 5* 6 7

2.2 after a requeue the limit, then expiry, then dispatch: the limit drops both that come back, so that none is left to expire
    queue dlq; queue q max-length=2 dead-letter=dlq; send q 0; send q 1 expiration=1000; get ch q 2; consume A q prefetch=1
    send q 2 3 4; ack A 1; news = A:2 A:3; send q 5; wait 1200; cancel A; consume B q prefetch=2; news = B:4 B:5
    send q 6 7; nack ch 0 multiple; ready q = 6 7; deaths dlq = q:maxlen:1; deaths dlq = q:maxlen:1

2.3,routing#D22 redelivered is of each queue for itself: also by basic.get; in 4.3 a dead letter brings its failures along [classic limited]
    queue dlq; queue q {kind} dead-letter=dlq; send q 0; consume A q prefetch=1; close A; get ch q = 0*; nack ch 1
    get ch q = 0*; reject ch 2; get ch dlq = 0 | 4.3: 0*

2.3 a classic queue has no header with a count
    queue q; send q 0; get ch q; nack ch 1; get ch q = 0*; header x-delivery-count = - -

2.4,11-10 priority queue: the highest level first, in it first in, first out; absent is 0, beyond the highest is the highest
    queue q max-priority=5; send-by-priority q m0:0 m1 m2:5 m3:9 m4:3 m5:5 m6:255 m7:1
    ready q = m2 m3 m5 m6 m4 m7 m0 m1; drain q = m2 m3 m5 m6 m4 m7 m0 m1
    broker; queue q max-priority=3; send-by-priority q a b:2 c:0 d:2 e:99 f:3 g:1
    ready q = e f b d g a c; drain q = e f b d g a c

2.4 priority queue, a requeue returns to its level: by number inside it; what has been delivered is not preempted
    queue q max-priority=2; send q a b priority=1; consume A q prefetch=2; send q c d priority=2; news = A:a A:b; cancel A
    nack A 2 1; drain q = c d a* b*

2.5 priority means nothing without max-priority, or in a quorum queue of 3.x [classic]
    queue q {kind}; send-by-priority q 0:0 9:9 5:5; drain q = 0 9 5
2.7 priority means nothing in a quorum queue of 3.x [quorum, <4.0]
    queue q {kind}; send-by-priority q 0:0 9:9 5:5; drain q = 0 9 5
""")

test_quorum = queue_rules("""
2.6 returns come first: drop-head looks at the same head [<4.0]
    queue q limited max-length=3; send q 1 2 3; get ch q 2; send q 4 5; nack ch 2; ready q = 3 4 5; dropped q = 2:maxlen

2.7,S36 priorities of a quorum queue: none in 3.x; two high for one normal in 4.0 to 4.2; strict, 4 by default, from 4.3 on
    queue q quorum; send-by-priority q a0:0 b c9:9 d5:5 e4:4 f40:40 g9:9
    drain q = a0 b c9 d5 e4 f40 g9 | >=4.0: c9 d5 a0 f40 g9 b e4 | 4.3: f40 c9 g9 d5 b e4 a0
2.7 priorities, two high for one normal: from 5 on it is high; the third turn is for the normal one if it is older [4.0 4.2]
    queue q quorum; send q n0 n1 n2 n3 priority=4; send q h0 h1 h2 h3 priority=5
    ready q = h0 h1 n0 h2 h3 n1 n2 n3; drain q = h0 h1 n0 h2 h3 n1 n2 n3
2.7 priorities, an older high one goes first: on the third turn too [4.0 4.2]
    queue q quorum; send q h0 h1 h2 h3 priority=9; send q n0 n1; drain q = h0 h1 h2 h3 n0 n1
2.7 priorities, turns are counted on every dequeue: also while only one class is there [4.0 4.2]
    queue q quorum; send q n0 n1 n2; get ch q 2 = n0 n1; send q h0 h1 priority=9; drain q = n2 h0 h1
2.7 priorities, a purge begins the turns anew [4.0 4.2]
    queue q quorum; send q n0 n1; get ch q 2 = n0 n1; purge q; send q n2; send q h0 priority=9; drain q = h0 n2
2.7 priorities, 32 strict levels: absent is 4, beyond 31 is 31 [4.3]
    queue q quorum; send-by-priority q a:0 none b:5 c:31 d:255 e:4 f:3 g:32
    ready q = c d g b none e f a; drain q = c d g b none e f a
2.7,S36 priorities do not matter to what is returned: it comes before all of them [>=4.0]
    queue q limited; send q low priority=0; get ch q; send q high priority=9; nack ch 1; drain q = low* high

2.8,S1 where a requeue goes: to the tail without a delivery limit, until 4.2 [quorum limited, how=nack reject recover close]
    queue q {kind}; send q 1 2 3; get ch q; give-back {how} ch 1
    drain q = 1* 2 3 | quorum nack <4.3: 2 3 1* | quorum recover <4.3: 2 3 1* | quorum reject <4.3: 2 3 1*
2.8,11-1 where a requeue goes, one of three: the others stay unacked [kinds]
    queue q {kind}; send q 1..6; get ch q 3; nack ch 2; drain q = 2* 4 5 6 | quorum <4.3: 4 5 6 2*; count q = 0 2
2.8,11-2 where a requeue goes, three in another order: a classic queue sorts them, a quorum queue has them as they come [kinds]
    queue q {kind}; send q 1..6; get ch q 3; nack ch 3 1 2
    drain q = 3* 1* 2* 4 5 6 | classic: 1* 2* 3* 4 5 6 | quorum <4.3: 4 5 6 3* 1* 2*
2.8,11-3 where a requeue goes, and what the end of the channel returns [kinds]
    queue q {kind}; send q 1..6; get ch q 3; nack ch 2; close ch
    drain q = 2* 1* 3* 4 5 6 | classic: 1* 2* 3* 4 5 6 | quorum <4.3: 1* 3* 4 5 6 2*
2.8 where a requeue goes, several in one command: in the order in which the consumer had them
    queue q limited; send q 1 2 3; consume A q prefetch=3; cancel A; nack A 3 multiple; drain q = 1* 2* 3*
2.8,S29 where a requeue goes, more than 32 in one command: they keep their order (in 3.x a hash decides, which is not simulated) [>=4.0]
    queue q limited; send q 0..33; consume A q prefetch=34; cancel A; nack A 34 multiple
    drain q = 0* 1* 2* 3* 4* 5* 6* 7* 8* 9* 10* 11* 12* 13* 14* 15* 16* 17* 18* 19* 20* 21* 22* 23* 24* 25* 26* 27* 28* 29* 30* 31* 32* 33*
2.8,2.7 a nack loses the priority of the message: it comes before all others, without a limit too [quorum limited, 4.3]
    queue q {kind}; send q low priority=0; get ch q; send q five priority=5; send q three priority=3; nack ch 1
    drain q = low* five three

2.9 counts: x-delivery-count is the returns; in 4.3 those of failure, and x-acquired-count all
    queue q limited; consume A q prefetch=1; send q 0; nack A 1; reject A 2 requeue
    header x-delivery-count = - 1 2 | 4.3: - - 1; header x-acquired-count = - - - | 4.3: - 1 2
2.9 counts, at the first basic.get: 0 in 3.10 and 3.11
    queue q quorum; send q 0; get ch q; header x-delivery-count = - | 3.10: 0
2.9 counts, a publisher's own: it passes until the queue adds its own
    queue q limited; consume A q prefetch=1; send q 0 headers={"x-delivery-count":77}; reject A 1 requeue
    header x-delivery-count = 77 1

2.10,S14 delivery limit: L+1 deliveries; in 4.3 a nack does not count [how=nack reject recover close, limit=0 1 2 5]
    queue dlq; queue q x-queue-type=quorum delivery-limit={limit} dead-letter=dlq; send q m
    deliveries q {how} = 1 | 1: 2 | 2: 3 | 5: 6 | nack 4.3: no end | recover 4.3: no end
    [<4.3] deaths dlq = q:delivery_limit:1; [4.3 reject] deaths dlq = q:delivery_limit:1; [4.3 close] deaths dlq = q:delivery_limit:1
2.10,11-13 delivery limit, what the consumer sees: no count, 1, 2 [<4.3]
    queue dlq; queue q quorum delivery-limit=2 dead-letter=dlq; consume A q prefetch=1; send q m
    reject A 1 requeue; reject A 2 requeue; reject A 3 requeue; header x-delivery-count = - 1 2; deaths dlq = q:delivery_limit:1
2.10,S14 delivery limit of -1: 0 in 3.x, none from 4.0 on
    queue q quorum delivery-limit=-1; send q m; deliveries q reject = 1 | >=4.0: no end
2.10,S14 delivery limit by default: 20 from 4.0 on, so 21 deliveries
    queue q x-queue-type=quorum; send q m; deliveries q reject = no end | >=4.0: 21
2.10 delivery limit that is text: none in 3.x, but it counts as one for where messages return [<4.0]
    queue q x-queue-type=quorum x-delivery-limit="3"; send q 1 2; deliveries q nack 10 = no end; drain q = 1* 2
2.10 delivery limit without a dead letter exchange: dropped
    queue q quorum delivery-limit=0; send q m; get ch q; close ch; drain q =; dropped q = m:delivery_limit
2.10 delivery limit of several given back at once: each has its own count
    queue dlq; queue q quorum delivery-limit=1 dead-letter=dlq; send q 1; get x q; reject x 1 requeue; send q 2; get ch q 2
    close ch; drain q = 2*; drain dlq = 1 | 4.3: 1*

2.11 delayed retry: what is returned is held back, then comes before all others [4.3, type=all failed returned disabled, how=nack reject]
    queue q limited delayed-retry-type={type} delayed-retry-min=100; send q m next; get ch q; give-back {how} ch 1
    ready q = next | nack failed: m* next | reject returned: m* next | disabled: m* next
    wait 99; ready q = next | nack failed: m* next | reject returned: m* next | disabled: m* next; wait 1; drain q = m* next
2.11 delayed retry grows with the failures: min times their number, at most max [4.3]
    queue q limited delayed-retry-type=all delayed-retry-min=100 delayed-retry-max=250; send q m
    get ch q = m; reject ch 1 requeue; wait 99; count q = 0 0; wait 1; count q = 1 0
    get ch q = m*; reject ch 2 requeue; wait 199; count q = 0 0; wait 1; count q = 1 0
    get ch q = m*; reject ch 3 requeue; wait 249; count q = 0 0; wait 1; count q = 1 0
    get ch q = m*; reject ch 4 requeue; wait 249; count q = 0 0; wait 1; count q = 1 0
2.11 delayed retry without a maximum: it is the minimum [4.3]
    queue q limited delayed-retry-type=all delayed-retry-min=100; send q m
    get ch q = m; reject ch 1 requeue; wait 99; count q = 0 0; wait 1; count q = 1 0
    get ch q = m*; reject ch 2 requeue; wait 99; count q = 0 0; wait 1; count q = 1 0
    get ch q = m*; reject ch 3 requeue; wait 99; count q = 0 0; wait 1; count q = 1 0
2.11 delayed retry without a minimum: nothing is held back [4.3]
    queue q limited delayed-retry-type=all; send q m; get ch q; nack ch 1; ready q = m*
    broker; queue q limited delayed-retry-type=all delayed-retry-min=0; send q m; get ch q; nack ch 1; ready q = m*
2.11,6.1 delayed retry takes a place of max-length: though it is not ready [4.3]
    queue q limited delayed-retry-type=all delayed-retry-min=100 max-length=1; send q m; get ch q; nack ch 1; send q next
    ready q =; wait 100; drain q = m*

2.12,11-4 the end of two channels: in the order of their end, a classic queue sorts [kinds]
    queue q {kind}; send q 1..6; get A q; get B q; get A q; get B q; close B A
    drain q = 2* 4* 1* 3* 5 6 | classic: 1* 2* 3* 4* 5 6
2.12,11-5,S30 the end of a channel with many gets: in 3.x a quorum queue has them by the text of their tags [classic]
    queue q classic; send q 1..14; get ch q 12; close ch; drain q = 1* 2* 3* 4* 5* 6* 7* 8* 9* 10* 11* 12* 13 14
2.12,11-5,S30 the end of a channel with many gets: in 3.x a quorum queue has them by the text of their tags [quorum, <4.0]
    queue q quorum; send q 1..14; get ch q 12; close ch; drain q = 1* 10* 11* 12* 2* 3* 4* 5* 6* 7* 8* 9* 13 14
2.12 the end of a channel, consumers by tag: the gets by the text of theirs among them [<4.0]
    queue q quorum; send q 0..5; consume Z q channel=ch prefetch=2; consume A q channel=ch prefetch=2; get ch q 2; close ch
    drain q = 4* 5* 2* 3* 0* 1*
2.12 the end of a channel, consumers by registration: from 4.0 on [>=4.0]
    queue q quorum; send q 0..3; consume Z q channel=ch prefetch=2; consume A q channel=ch prefetch=2; close ch
    drain q = 0* 1* 2* 3*
2.12 the end of a channel, consumers before gets: from 4.0 on, whichever was first [quorum, >=4.0]
    queue q quorum; send q 0..4; get ch q; consume Z q channel=ch prefetch=2; get ch q; close ch; drain q = 1* 2* 0* 3* 4
2.12 the end of a channel, inside a consumer by delivery: however old the messages are [quorum limited]
    queue q {kind}; send q 1 2; get other q; consume A q prefetch=5; nack other 1; send q 3; news = A:2 A:1* A:3; close A
    drain q = 2* 1* 3*
""")

test_unacked = queue_rules("""
2.13,S23 unacked messages of a cancelled consumer: they stay out, to be acked or nacked [kinds]
    queue q {kind}; consume A q prefetch=2; consume B q prefetch=2; send q 0 1 2; news = A:0 B:1 A:2; cancel A; news =
    ack A 1; nack A 2; news = B:2*
2.13,S23 unacked messages of a cancelled consumer: the end of the channel requeues them [kinds]
    queue q {kind}; consume A q prefetch=2; send q 0 1 2; cancel A; ready q = 2; count q = 1 2; ack A 1; close A
    drain q = 1* 2
2.13 unacked messages of a channel that an error closes: requeued [kinds]
    queue q {kind}; consume A q prefetch=2; send q 0 1 2; ack A 99 !406; drain q = 0* 1* 2
2.13 unacked messages of a connection: of all its channels [kinds]
    channel a one; channel b one; queue q {kind}; send q 0 1 2; get a q; get b q; recover a requeue=false !540
    drain q = 0* 1* 2
2.13,4.7 unacked are the answers that were not committed [kinds]
    channel tx confirms=false; queue q {kind}; send q 0 1; tx tx select; get tx q 2; ack tx 1; reject tx 2; close tx
    drain q = 0* 1*
2.13,8.2 unacked messages beside those of a stream: nacking the stream's closes the connection, which requeues the others [3.10 3.12.0]
    queue a-stream stream; queue q; send q 0; consume S a-stream channel=ch prefetch=5; consume A q channel=ch prefetch=5
    send a-stream 1; nack ch 0 multiple !540; drain q = 0*
2.13,8.2 unacked messages beside those of a stream: a nack gives the stream's credit, and the others back [>=3.13]
    queue a-stream stream; queue q; send q 0; consume S a-stream channel=ch prefetch=1; consume A q channel=ch prefetch=1
    send a-stream 1 2; news = A:0 S:1; cancel A channel=ch; nack ch 0 multiple; news = S:2; drain q = 0*
""")


@versions()
@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_2_2_a_requeue_restores_the_original_positions_in_whatever_order(version, order):
    """rules/queues#S2: from whatever channels."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 1, 2, 3, 4)
    holders = {1: ("x", 1), 2: ("y", 1), 3: ("x", 2)}
    for number in (1, 2, 3):
        b.get(holders[number][0], "q")
    for number in order:
        channel, tag = holders[number]
        b.nack(channel, tag)
    assert b.drain("q") == "1* 2* 3* 4"


@versions()
def test_2_4_a_stream_of_high_priorities_starves_the_low(version):
    b = Bench(version)
    b.queue("q", max_priority=2)
    b.send("q", "low", priority=0)
    for number in range(20):
        b.send("q", number, priority=2)
        assert b.get("ch", "q", auto_ack=True) == str(number)
    assert b.drain("q") == "low"
