"""rules/queues#6: max-length, max-length-bytes and what overflow does."""

import pytest
from kits.broker import Bench, versions
from kits.rules import queue_rules

test_what_counts = queue_rules("""
6.1 limit, unacked messages do not count: neither towards the length nor towards the bytes [kinds]
    queue dlq; queue q {kind} max-length=2 dead-letter=dlq; consume A q prefetch=3; send q 0..4 body=xxx; ready q = 3 4
    drain dlq =
    broker; queue dlq; queue q {kind} max-length-bytes=25 dead-letter=dlq; consume A q prefetch=3; send q 0..4 body=xxxxxxxxx
    ready q = 3 4; drain dlq =
6.1,S8 limit, a requeue beyond it drops from the head: perhaps what just came back
    queue q max-length=2; send q 0 1; get ch q 2 = 0 1; send q 2 3; ready q = 2 3; nack ch 1; dropped q = 0:maxlen
    drain q = 2 3
6.1,2.8,11-7 limit, two requeues beyond it: where they go to the tail the head is another [kinds]
    queue q {kind} max-length=3; send q 0 1 2; get ch q 2; send q 3 4; nack ch 1 2
    dropped q = 0:maxlen 1:maxlen | quorum <4.3: 2:maxlen 3:maxlen; drain q = 2 3 4 | quorum <4.3: 4 0* 1*
6.1 limit of length and of bytes: either is enough [kinds]
    queue dlq; queue q {kind} max-length=3 max-length-bytes=108 dead-letter=dlq; send q 0..3 body="x"*10; ready q = 1 2 3
    send q 4 body="y"*90; ready q = 3 4
6.2 limit of bytes, an empty body weighs nothing: a limit of 0 bytes admits it, and nothing else [kinds, <4.3]
    queue dlq; queue q {kind} max-length-bytes=0 dead-letter=dlq; send q 0 1; send q 2 body=x; ready q =; send q 3; drain q = 3
6.2 limit of bytes, an empty body weighs nothing: but for the flags and the delivery mode, in a quorum queue of 4.3 [kinds, 4.3]
    queue q {kind} max-length-bytes=2; send q 0; drain q = | classic: 0; queue r {kind} max-length-bytes=3; send r 0; drain r = 0
6.2 limit of bytes, properties and headers weigh nothing in a classic queue: a character its UTF-8 bytes
    queue dlq; queue q max-length-bytes=4 dead-letter=dlq
    send q 0 1 body=é headers={"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"} properties={"reply_to":"yyyyyyyyyyyyyyyyyyyyyyyyyy"}
    ready q = 0 1; send q 2 body=x; drain q = 1 2
6.2 limit of bytes, headers weigh in a quorum queue from 4.3 on
    queue q quorum max-length-bytes=30; send q 0 1 body=xx headers={"long":"xxxxxxxxxxxxxxxxxxxx"}; ready q = 0 1 | 4.3:
6.2 limit of bytes, properties as AMQP encodes them: 3 and the body, 4 of the table, 5 of its key, 1 of the type, 4 and the text [4.3]
    queue q quorum max-length-bytes=29; send q 0 body=xx headers={"long":"xxxxxxxxxx"}; ready q = 0; send q 1 body=xxx headers={"long":"xxxxxxxxxx"}
    ready q =; send q 2 body="x"*19 properties={"reply_to":"12345"} priority=0; ready q = 2
    send q 3 body="x"*20 properties={"reply_to":"12345"} priority=0; ready q =
6.7 limit by policy counts at once: messages over it are dropped from the head [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; send q 0..3; policy short ^q$ max-length=2; ready q = 2 3
    drain dlq = 0 1 | quorum <4.2: 1 0 | limited <4.2: 1 0; delete-policy short; send q 4; drain q = 2 3 4
6.7 limit by policy, with reject-publish: a classic queue drops what is over it by its old overflow, a quorum queue keeps it [kinds]
    queue q {kind}; send q 0..3; policy short ^q$ max-length=2 overflow=reject-publish; ready q = 2 3 | quorum: 0 1 2 3 | limited: 0 1 2 3
    policy short ^q$ max-length=1 overflow=reject-publish; ready q = 2 3 | quorum: 0 1 2 3 | limited: 0 1 2 3
    policy short ^q$ max-length=1 overflow=drop-head; ready q = 3
""")

test_drop_head = queue_rules("""
6.3 drop-head, the oldest goes: dead-lettered as maxlen, confirmed with ack [kinds]
    queue dlq; queue q {kind} max-length=2 dead-letter=dlq; send q 0..3; confirms = 0:ack 1:ack 2:ack 3:ack
    ready dlq = 0 1; deaths dlq = q:maxlen:1; deaths dlq = q:maxlen:1; drain q = 2 3
6.3 drop-head, what is too big for the queue goes itself: after all before it [kinds]
    queue dlq; queue q {kind} max-length-bytes=5 dead-letter=dlq; send q 0 1 body=xx; send q 2 body=xxxxxx; ready q =
    drain dlq = 0 1 2 | quorum <4.2: 2 1 0 | limited <4.2: 2 1 0
6.3,11-8 drop-head, what is too big for the queue goes itself: of a quorum queue of 3.x the newest first [classic]
    queue dlq; queue q max-length-bytes=10 dead-letter=dlq; send q a body=aaaa; send q b body=bbbb; send q c body=cc
    send q d body=d; ready q = b c d; send q e body="e"*11; drain q =; drain dlq = a b c d e
6.3,11-8 drop-head, what is too big for the queue goes itself: of a quorum queue of 3.x the newest first [quorum, <4.0]
    queue dlq; queue q quorum max-length-bytes=10 dead-letter=dlq; send q a body=aaaa; send q b body=bbbb; send q c body=cc
    send q d body=d; send q e body="e"*11; drain q =; drain dlq = a e d c b
6.3,S31 drop-head, several victims of one publish: a quorum queue has the newest first until 4.2.0 [3.10 3.13 4.0 4.2.0 4.2.4 4.3]
    queue dlq; queue q quorum max-length-bytes=100 dead-letter=dlq; send q 0 1 2 body="x"*30; send q 3 body="y"*90
    drain dlq = 2 1 0 | >=4.2.4: 0 1 2 | 4.3: 0 1 2
6.3 drop-head of max-length 0 delivers only directly [kinds]
    queue dlq; queue q {kind} max-length=0 dead-letter=dlq; send q 0; consume A q prefetch=1; send q 1 2; news = A:1
    drain dlq = 0 2
6.3,2.8 drop-head, a requeued message and the head: it is the head itself, but where a quorum queue has it at its tail [kinds]
    queue dlq; queue q {kind} max-length=2 dead-letter=dlq; send q 0 1; get ch q; send q 2; nack ch 1
    drain dlq = 0 | quorum <4.3: 1; drain q = 1 2 | quorum <4.3: 2 0*
6.6,S9 drop-head of a priority queue: the highest level first, perhaps what was just published
    queue q max-priority=5 max-length=2; send q 0 1 priority=1; send q 2 priority=5; dropped q = 2:maxlen; drain q = 0 1
6.6,11-9 drop-head of a priority queue: of three levels the highest
    queue dlq; queue q max-priority=5 max-length=3 dead-letter=dlq; send-by-priority q p5:5 p0:0 p3:3 p4:4
    drain dlq = p5; drain q = p4 p3 p0
6.6 drop-head of a priority queue, the oldest of the highest level
    queue dlq; queue q max-priority=5 max-length=3 dead-letter=dlq; send-by-priority q 0:1 1:5 2:5 3:0; drain dlq = 1; drain q = 2 0 3
6.6 drop-head of a quorum queue with priorities: what would be delivered next, the returned first [>=4.0]
    queue dlq; queue q limited max-length=2 dead-letter=dlq; send q 0 priority=0; get ch q; send-by-priority q 1:9 2:0
    nack ch 1; drain dlq = 0; send q 3 priority=0; drain dlq = 1
""")

test_reject_publish = queue_rules("""
6.4 reject-publish, the limit is exact: the next is refused until one has gone
    queue dlq; queue q max-length=2 overflow=reject-publish dead-letter=dlq; send q 0 1 2; confirms = 0:ack 1:ack 2:nack
    get ch q; send q 3; confirm-of 3 = ack; drain q = 1 3; drain dlq =
6.4 reject-publish without confirms: nobody is told
    queue dlq; queue q max-length=1 overflow=reject-publish dead-letter=dlq; channel quiet confirms=false
    send q 0 1 channel=quiet; confirms =; drain q = 0
6.4 reject-publish by bytes: a smaller one may still fit
    queue dlq; queue q max-length-bytes=5 overflow=reject-publish dead-letter=dlq; send q 0 1 body=xxx
    send q 2 body=xx; send q 3; confirms = 0:ack 1:nack 2:ack 3:ack; drain q = 0 2 3
6.4 reject-publish, requeues are always taken
    queue dlq; queue q max-length=1 overflow=reject-publish dead-letter=dlq; send q 0; get ch q; send q 1; nack ch 1
    drain q = 0* 1
6.4 reject-publish, consumers with credit keep it open
    queue dlq; queue q max-length=1 overflow=reject-publish dead-letter=dlq; consume A q; send q 0 1 2
    confirms = 0:ack 1:ack 2:ack; of A = 0 1 2
6.4,S10 reject-publish of max-length 0 refuses before it looks at the consumers: drop-head delivers first [overflow=reject-publish drop-head]
    queue q max-length=0 overflow={overflow}; consume A q; send q 0; news = | drop-head: A:0
    confirms = 0:nack | drop-head: 0:ack
6.4 reject-publish-dlx, the refused message is dead-lettered: as maxlen, with a nack
    queue dlq; queue q max-length=1 overflow=reject-publish-dlx dead-letter=dlq; send q 0 1; confirms = 0:ack 1:nack
    ready dlq = 1; deaths dlq = q:maxlen:1; drain q = 0
6.4 reject-publish-dlx without an exchange: refused and gone
    queue q max-length=0 overflow=reject-publish-dlx; send q 0; confirms = 0:nack; drain q =
6.6 reject-publish, whatever the priority
    queue dlq; queue q max-priority=5 max-length=1 overflow=reject-publish dead-letter=dlq
    send-by-priority q 0:0 1:5; confirms = 0:ack 1:nack

6.5 reject-publish of a quorum queue, tested after the dispatch: with a limit of 0 and a consumer everything passes
    queue q quorum max-length=0 overflow=reject-publish; consume A q; send q 0..3; confirms = 0:ack 1:ack 2:ack 3:ack
6.5 reject-publish of a quorum queue, a new publisher: its first passes at N ready, not above
    queue q quorum max-length=2 overflow=reject-publish; send q 0 1 channel=x; send q 2 channel=y; confirm-of 2 = ack
    send q 3 channel=z; send q 4 channel=x; confirm-of 3 = nack; confirm-of 4 = nack
6.5 reject-publish of a quorum queue, by bytes
    queue q quorum max-length-bytes=75 overflow=reject-publish; send q 0 1 body="x"*30; send q 2 3 body="x"*20
    confirms = 0:ack 1:ack 2:ack 3:nack; take q = 0; send q 4 body="x"*20; confirm-of 4 = ack
6.5 reject-publish of a quorum queue, requeues block it too
    queue q limited max-length=1 overflow=reject-publish; send q 0 1; get ch q 2; send q 2; confirm-of 2 = ack
    nack ch 1; send q 3; confirm-of 3 = nack
6.5 reject-publish of a quorum queue, whatever makes room: purge, expiry, a new limit, a consumer [how=purge expiry policy consumer]
    queue q quorum overflow=reject-publish message-ttl=1000; policy short q max-length=2; send q 0..3
    confirms = 0:ack 1:ack 2:ack 3:nack; [purge] purge q; [expiry] wait 1000; [policy] policy short q max-length=5
    [consumer] consume A q; send q 4; confirm-of 4 = ack
6.5 reject-publish of a quorum queue, all limits taken away: who was stopped goes on from 4.0 on; a new channel always
    queue q quorum; policy short q max-length=1 overflow=reject-publish; send q 0 1 2; confirm-of 2 = nack; delete-policy short
    send q 3; confirm-of 3 = nack | >=4.0: ack; send q 4 channel=new; confirm-of 4 = ack
6.5 reject-publish of a quorum queue, drop-head in its place: who was stopped stays so, also under a wider limit
    queue q quorum; policy short q max-length=1 overflow=reject-publish; send q 0 1 2; confirm-of 2 = nack
    policy short q max-length=5 overflow=drop-head; send q 3; confirm-of 3 = nack; send q 4 channel=new; confirm-of 4 = ack
    policy short q max-length=50 overflow=reject-publish; send q 5; confirm-of 5 = nack; purge q; send q 6; confirm-of 6 = nack
6.5,6.8 reject-publish of a quorum queue, a dead letter at least once counts until its target has it: its own queue is full for it
    queue q quorum max-length=2 overflow=reject-publish dead-letter=q dead-letter-strategy=at-least-once; send q 0 1 2
    get ch q; reject ch 1; ready q = 1 2; send q 3; confirm-of 3 = nack
6.5,6.8 reject-publish of a quorum queue, a dead letter at least once that is taken at once: it has stopped the publishers
    queue dlq; queue q quorum max-length=2 overflow=reject-publish dead-letter=dlq dead-letter-strategy=at-least-once
    send q 0 1; get ch q; send q 2; confirm-of 2 = ack; reject ch 1; ready dlq = 0 | 4.3: 0*
    send q 3; confirm-of 3 = nack
6.1,6.5 what waits aside counts by its bytes, at-least-once dead letters: kept back, until a queue takes them
    queue q quorum max-length-bytes=150 overflow=reject-publish dead-letter=none dead-letter-strategy=at-least-once
    send q 0 body="x"*100; get ch q; reject ch 1; send q 1 body="x"*100; send q 2 body="x"*100; confirms = 0:ack 1:ack 2:nack
    queue none; wait 200000; get ch q = 1; ack ch 2; send q 3 body="x"*100; confirm-of 3 = ack
6.1,2.11 what waits aside counts by its bytes, delayed retries: until they are back [4.3]
    queue q quorum max-length-bytes=150 overflow=reject-publish delayed-retry-type=all delayed-retry-min=1000
    send q 0 body="x"*100; get ch q; nack ch 1; send q 1 body="x"*100; send q 2 body="x"*100; confirms = 0:ack 1:ack 2:nack
    wait 1000; get ch q 2 = 0* 1; send q 3 body="x"*100; confirm-of 3 = ack
6.5,S12 reject-publish-dlx of a quorum queue is drop-head
    queue dlq; queue q quorum max-length=1 overflow=reject-publish-dlx dead-letter=dlq; send q 0 1; confirms = 0:ack 1:ack
    drain q = 1; drain dlq = 0
""")

test_dead_letters_that_arrive = queue_rules("""
6.8,routing#D22 dead letter for a full queue, drop-head: as any publish [kinds]
    queue last; queue full {kind} max-length=1 dead-letter=last; queue q dead-letter=full; send full 0; send q d; get ch q
    reject ch 1; drain full = d | 4.3: d*; drain last = 0
6.8,S13,routing#D22 dead letter for a full queue, reject-publish: it vanishes; a quorum queue takes it [classic quorum]
    queue last; queue full {kind} max-length=1 overflow=reject-publish dead-letter=last; queue q dead-letter=full; send full 0
    [quorum] send full 1; send q d e; get ch q 2; reject ch 1; reject ch 2; drain full = 0 | quorum: 0 1 d e | quorum 4.3: 0 1 d* e*; drain last =
    dropped q = d:rejected e:rejected | quorum:
6.8,routing#D22 dead letter for a full queue, reject-publish, a quorum queue that is just full: takes all
    queue last; queue full quorum max-length=1 overflow=reject-publish dead-letter=last; queue q dead-letter=full; send full 0
    send q d; get ch q; reject ch 1; send q e; get ch q; reject ch 2; drain full = 0 d e | 4.3: 0 d* e*
6.8,routing#D22 dead letter for a full queue, reject-publish-dlx: goes on to the full queue's own exchange
    queue last; queue full max-length=1 overflow=reject-publish-dlx dead-letter=last; queue q dead-letter=full
    send full 0; send q d; get ch q; reject ch 1; drain full = 0; ready last = d | 4.3: d*; deaths last = full:maxlen:1 q:rejected:1
6.8,routing#D22 dead letter for a full queue, at least once: tried again until there is room [classic quorum]
    queue full {kind} max-length=1 overflow=reject-publish
    queue q quorum overflow=reject-publish dead-letter-strategy=at-least-once dead-letter=full; send full 0; [quorum] send full 1
    send q d; get ch q; reject ch 1; ready full = 0 | quorum: 0 1; purge full; wait 200000
    drain full = d | quorum >=4.0: d* | 4.3: d*
""")


@versions()
@pytest.mark.parametrize(("limit", "resumes_at"), [(1, 0), (2, 1), (3, 2), (5, 4), (10, 8), (0, 0)])
def test_6_5_reject_publish_of_a_quorum_queue_takes_one_more_and_resumes_at_80_percent(version, limit, resumes_at):
    """rules/queues#6.5, rules/queues#S11: N+1 fit; publishing resumes when no more than floor(0.8 N) are ready."""
    b = Bench(version)
    b.queue("q", "quorum", max_length=limit, overflow="reject-publish")
    b.send("q", *range(limit + 2))
    assert list(b.confirms.values()) == ["ack"] * (limit + 1) + ["nack"]
    for _ in range(limit + 1 - resumes_at):
        b.send("q", "still")
        assert b.confirms["still"] == "nack"
        b.take("q")
    b.send("q", "again")
    assert b.confirms["again"] == "ack"
