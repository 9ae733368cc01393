"""rules/queues#4: acknowledgements, transactions and confirms."""

from kits.broker import Bench, versions
from kits.rules import queue_rules

from routesim import events

test_tags = queue_rules("""
4.2 multiple takes all outstanding tags up to this one [kinds]
    queue q {kind}; send q 0..4; get ch q 5; ack ch 2; ack ch 3 multiple; count q = 0 2; close ch; drain q = 3* 4*
4.2 an unknown tag requeues the rest: the channel is closed
    queue q; send q 0 1 2; get ch q 3; ack ch 1; ack ch 1 !406 PRECONDITION_FAILED - unknown delivery tag 1; drain q = 1* 2*
4.1 automatic deliveries cannot be settled: they are never among the unacked [multiple=true false]
    queue q; consume A q auto-ack; send q 0; ack A 1 multiple={multiple} !406
4.2,S19 an unknown tag is 406: a future one, one that is settled, another channel's, one of no-ack [multiple=true false]
    queue q; send q 0..3; get ch q 3 = 0 1 2; ack ch 4 multiple={multiple} !406 unknown delivery tag
    broker; queue q; send q 0..3; get ch q 3 = 0 1 2; ack ch 2; ack ch 2 multiple={multiple} !406 unknown delivery tag
    broker; queue q; send q 0..3; get ch q 3 = 0 1 2; nack ch 2; nack ch 2 multiple={multiple} !406 unknown delivery tag
    broker; queue q; send q 0..3; get ch q 3 = 0 1 2; ack other 1 multiple={multiple} !406 unknown delivery tag
    broker; queue q; send q 0..3; get ch q 3 = 0 1 2; get ch q auto-ack; ack ch 4 multiple={multiple} !406 unknown delivery tag
    drain q = 0* 1* 2*
4.2,S20 tag zero with multiple is everything: also when that is nothing; without multiple it is 406
    queue q; send q 0 1 2; ack ch 0 multiple; get ch q 2; ack ch 0 multiple; count q = 1 0; ack ch 0 !406

4.3 without requeue a message is dead-lettered as rejected, or dropped [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; queue plain {kind}; send q 0 1; get q q 2; reject q 1; nack q 2 requeue=false
    send plain 0 1; get plain plain 2; reject plain 1; nack plain 2 requeue=false; deaths dlq = q:rejected:1
    deaths dlq = q:rejected:1; count plain = 0 0; dropped plain = 0:rejected 1:rejected
4.3 without requeue and with a missing dead letter exchange it is dropped silently
    queue q dead-letter-exchange=nowhere; send q 0; get ch q; reject ch 1; dropped q = 0:rejected

4.4 groups of one nack, by consumer tag: each is refilled by itself
    queue q; send q 0..5; consumers q Z A channel=ch prefetch=2; news = Z:0 Z:1 A:2 A:3
    nack ch 0 multiple; news = A:2* A:3* Z:0* Z:1*
4.4,11-6 groups of one nack, of two consumers: each of them gets its messages, or the next ones [kinds, <4.0]
    queue q {kind}; send q 1..6; consumers q B A channel=ch prefetch=2; tags AB = 1:B1 2:B2 3:A3 4:A4; nack ch 0 multiple
    tags AB = 1:B1 2:B2 3:A3 4:A4 5:A3* 6:A4* 7:B1* 8:B2* | quorum: 1:B1 2:B2 3:A3 4:A4 5:A5 6:A6 7:B3* 8:B4*
4.4,S3 groups of one nack, dead letters: in the byte order of consumer tags
    queue dlq; queue q dead-letter=dlq; send q 0..3; consumers q Z A channel=ch prefetch=2
    news = Z:0 Z:1 A:2 A:3; nack ch 0 multiple requeue=false; drain dlq = 2 3 0 1
4.4,S3 groups of one nack, gets come first
    queue dlq; queue q dead-letter=dlq; send q 0..3; consume A q channel=ch prefetch=2; get ch q 2
    nack ch 0 multiple requeue=false; drain dlq = 2 3 0 1
4.4 groups of one nack, gets by number: 2 before 10; then consumers by the bytes of their tags
    queue dlq; queue q dead-letter=dlq; send q 0..13; consumers q a B channel=ch prefetch=1
    get ch q 10; nack ch 0 multiple requeue=false; drain dlq = 2 3 4 5 6 7 8 9 10 11 1 0
4.4 groups of one nack, queues by name: whatever the tags
    queue dlq; queue z dead-letter=dlq; send z z; get ch z; queue a dead-letter=dlq; send a a; get ch a
    nack ch 0 multiple requeue=false; drain dlq = a z

4.5,routing#D22 order of dead letters: one nack by ascending tag, several as the client sends them; in 4.3 a reject counts [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; send q 0..5; consume A q prefetch=6; reject A 5 2
    nack A 0 multiple requeue=false; drain dlq = 4 1 0 2 3 5 | 4.3: 4* 1* 0 2 3 5
4.5 order of dead letters of a priority queue: the highest level first
    queue dlq; queue q max-priority=5 dead-letter=dlq; consume A q prefetch=4
    send-by-priority q 0:1 1:5 2:0 3:5; of A = 0 1 2 3; nack A 0 multiple requeue=false; drain dlq = 1 3 0 2

4.6 recover requeues all that is unacked on the channel: nothing is fine; the same consumer may get it [kinds]
    queue q {kind}; recover A; consume A q prefetch=2; send q 0 1; recover A; news = A:0 A:1 A:0* A:1*; ack A 1 !406
4.6,S21 recover without requeue is 540: what the connection held is requeued
    queue q; send q 0; get ch q; recover ch requeue=false !540; drain q = 0*
""")

test_transactions = queue_rules("""
4.7 transaction modes: none on a channel with confirms; no commit or rollback without a select, which may be repeated
    channel tx confirms=false; tx ch select !406 cannot switch from confirm to tx mode
    tx tx commit !406 channel is not transactional; tx tx rollback !406 channel is not transactional; tx tx select; tx tx select
    tx tx commit; tx tx rollback
4.7 transaction, publishes wait for the commit: rollback and the end of the channel drop them [kinds]
    transaction tx; queue q {kind}; send q 0 1 channel=tx; ready q =; tx tx commit; ready q = 0 1
    send q 2 channel=tx; tx tx rollback; send q 3 channel=tx; close tx; drain q = 0 1
4.7 transaction, acks wait for the commit: the tag is not outstanding any more, the credit comes with the commit [kinds]
    transaction A; queue q {kind}; consume A q prefetch=1; send q 0 1; ack A 1; news = A:0
    count q = 1 1; tx A commit; news = A:1; count q = 0 1
4.7 transaction, a recorded tag cannot be settled again: the end of the channel undoes what was recorded [again=ack nack reject]
    transaction tx; queue q; send q 0; get tx q; ack tx 1; {again} tx 1 !406; drain q = 0*
4.7 transaction, rollback makes tags outstanding again [kinds]
    transaction tx; queue q {kind}; send q 0 1; get tx q 2; ack tx 2; nack tx 1; tx tx rollback
    count q = 0 2; ack tx 1 2; tx tx commit; count q = 0 0
4.7 transaction, publishes come first: before a requeue of it
    transaction tx; queue q max-length=1; send q 0; get tx q; nack tx 1; send q 1 channel=tx
    tx tx commit; dropped q = 0:maxlen; drain q = 1
4.7,routing#D22 transaction, consecutive rejections are one operation: sorted by tag; nack and reject, where both count alike
    transaction tx; queue dlq; queue q dead-letter=dlq; send q 0..5; get tx q 6; reject tx 3
    reject tx 1; ack tx 2; reject tx 6; nack tx 4 requeue=false; tx tx commit; drain dlq = 0 2 3 5 | 4.3: 0* 2* 5* 3
4.7 transaction, nack and reject that requeue are one operation [<4.3]
    transaction tx; queue q limited; send q 0 1 2; get tx q 2; nack tx 2; reject tx 1 requeue; tx tx commit; drain q = 0* 1* 2
4.7 transaction, a refused publish fails the commit: what other queues took stays
    transaction tx; queue full max-length=0 overflow=reject-publish; queue q; send q 0 channel=tx
    send full 1 channel=tx; send q 2 channel=tx; tx tx commit !406 partial tx completion; drain q = 0 2
4.7 transaction, a missing exchange is 404 at the publish: it is undone
    transaction tx; queue q; send q 0 channel=tx; publish nope "" 1 channel=tx !404; drain q =
4.7 transaction, a consumer on its channel gets what is committed
    transaction A; queue q; consume A q; send q 0 channel=A; news =; tx A commit; news = A:0
routing#S28,routing#U9 transaction, returns come with the commit
    transaction tx; send nowhere m channel=tx mandatory; returned =; tx tx commit; returned = m
4.7,routing#S28,routing#R8 transaction, a queue that is deleted before the commit: up to 3.12 another of its name gets it [kinds, 3.10]
    transaction tx; queue gone {kind}; queue again {kind}; send gone 0 channel=tx mandatory; send again 1 channel=tx mandatory
    delete-queue gone; delete-queue again; queue again {kind}; tx tx commit; returned = 0; drain again = 1
4.7 transaction, a deleted classic queue from 3.13 on: 406, no other of its name is meant, no return [3.13 4.0 4.2]
    transaction tx; queue gone; queue again; queue rest; send gone 0 channel=tx mandatory; send again 1 channel=tx
    send rest 2 channel=tx; delete-queue gone; delete-queue again; queue again
    tx tx commit !406 partial tx completion; drain again =; drain rest = 2; returned =
4.7 transaction, a deleted quorum queue from 3.13 on: another of its name gets it, no return [quorum limited, 3.13 4.0 4.2]
    transaction tx; queue gone {kind}; queue again {kind}; send gone 0 channel=tx mandatory; send again 1 channel=tx
    delete-queue gone; delete-queue again; queue again {kind}; tx tx commit; returned =; drain again = 1
4.7 transaction, a deleted queue from 4.3 on: 506, and nothing more of the commit [kinds, 4.3]
    transaction tx; queue gone {kind}; queue rest; send rest 0 channel=tx; send gone 1 channel=tx; send rest 2 channel=tx
    delete-queue gone; tx tx commit !506 failed to deliver message; drain rest = 0
4.7 transaction, a classic queue declared anew from 4.3 on: it must be the very queue [4.3]
    transaction tx; queue again; send again 1 channel=tx; delete-queue again; queue again
    tx tx commit !406 partial tx completion; drain again =
4.7 transaction, a quorum queue declared anew from 4.3 on: it is found by its name [quorum limited, 4.3]
    transaction tx; queue again {kind}; send again 1 channel=tx; delete-queue again; queue again {kind}
    tx tx commit; drain again = 1
routing#S28 transaction, a queue declared after the publish gets nothing
    transaction tx; exchange x fanout; publish x "" 0 channel=tx; queue late; bind x late; tx tx commit; drain late =
4.7,1.13 transaction, acks of a deleted queue are ignored [kinds]
    transaction tx; queue q {kind}; send q 0 1; get tx q 2; ack tx 1; nack tx 2; delete-queue q; tx tx commit; queues =
4.7 transaction, undone by a restart
    transaction tx; queue q; send q 0; get tx q; ack tx 1; send q 1 channel=tx; restart; drain q = 0*
4.7,11-14,3.13 transaction, publishes and rejections: (the quorum queue of 3.10.8 had `new` last, as publishes travel at a low priority) [kinds]
    transaction tx; queue q {kind}; send q 0..4; get tx q 4 = 0 1 2 3; send q new channel=tx; reject tx 3 requeue
    reject tx 1 requeue; ack tx 2; tx tx commit; close tx; drain q = 0* 2* 3* 4 new | quorum <4.3: 3* 4 new 0* 2*
""")

test_confirms = queue_rules("""
4.8 confirms only where they are on
    channel ch confirms=false; queue q; send q 0 channel=ch; confirms =
4.8,4.9 confirms: one answer a publish, at once and in order [kinds]
    queue q {kind}; send q 0 1 2; confirms = 0:ack 1:ack 2:ack
4.9 confirms, mandatory and refused: a nack and no return, for a queue was found [classic quorum]
    queue q {kind} max-length=0 overflow=reject-publish; send q 0 mandatory; send q 1 mandatory
    confirms = 0:nack 1:nack | quorum: 0:ack 1:nack; returned =
4.9 confirms, an error is none: the channel is closed instead
    publish nope "" 0 !404 NOT_FOUND - no exchange 'nope' in vhost '/'; confirms =
4.9,S33,11-15 confirms, one of two queues refuses: nack; the other has it
    exchange x fanout; queue full max-length=1 overflow=reject-publish; queue ok; bind x full; bind x ok; publish x "" 1 2
    confirms = 1:ack 2:nack; drain ok = 1 2; drain full = 1
4.9,S33 confirms, what reaches nothing and what is dropped from the head is acked
    queue drops max-length=1; send nowhere lost; send drops 0 1; confirms = lost:ack 0:ack 1:ack
""")


@versions()
def test_confirms_4_9_return_before_ack(version):
    """rules/queues#4.9: a mandatory message that reaches nothing is returned, then acked."""
    b = Bench(version)
    b.send("nowhere", 0, mandatory=True)
    kinds = [type(event) for event in b.events if type(event) in (events.Returned, events.Confirmed)]
    assert kinds == [events.Returned, events.Confirmed]
    returned = b.last(events.Returned)
    assert (returned.code, returned.text, returned.exchange, returned.routing_key) == (312, "NO_ROUTE", "", "nowhere")
    assert b.confirms == {"0": "ack"}
