"""rules/queues#3: who gets which message."""

from kits.rules import queue_rules

test_consuming = queue_rules("""
3.1 consuming a missing or another connection's queue: 404, 405
    queue mine exclusive; consume A nope !404 no queue 'nope' in vhost '/'; consume A mine !405
3.1 a consumer tag in use comes before all else: 530 even where the queue does not exist
    queue q; consume A q; consume A nope !530
3.1,S22 a consumer tag in use is 530: another channel may have it; cancelling an unknown one is fine
    queue q; consume A q channel=x; consume A q channel=y; cancel nobody channel=x
    consume A q channel=x !530 attempt to reuse consumer tag 'A'; send q 0; number-of A = 1; ack y 1
3.1 x-priority is an integer [classic quorum]
    queue q {kind}; consume A q priority=true !406 x-priority; consume A q priority="5" !406 x-priority
    consume A q priority=1.5 !406 x-priority; consume A q priority=-5
3.1 x-stream-offset belongs to streams, x-priority does not: unknown arguments pass
    queue s stream; queue c; queue k quorum; consume A s prefetch=1 priority=5 !406; consume A c x-stream-offset=first !406
    consume A k x-stream-offset=first !406; consume A c x-nobody-knows=1
3.1 x-cancel-on-ha-failover is a bool until 3.13, and unknown from 4.0 on
    queue c; [<4.0] consume A c x-cancel-on-ha-failover=yes !406; [>=4.0] consume A c x-cancel-on-ha-failover=yes
3.1 delivery tags: one sequence a channel, from 1, for deliveries and gets, automatic ones included
    queue q; queue other; consume A q channel=ch auto-ack; send q 0; send other 1 2 3; get ch other auto-ack; get ch other
    send q 4; received = 1 2 3 4; close ch; get ch other; received = 1 2 3 4 1
""")

test_turns_of_a_classic_queue = queue_rules("""
3.2 without credit a consumer keeps its place until a message is offered to it
    queue q; consumers q A B prefetch=1; send q 0 1; ack A 1; ack B 1; send q 2 3; news = A:0 B:1 A:2 B:3
    send q 4; ack B 2; ack A 2; news = B:4; send q 5; news = A:5
3.2 who regains credit enters again at the tail: who was not offered anything stays where it is
    queue q; consumers q X Y channel=ch prefetch=1; consume Z q prefetch=1; send q 0..3
    news = X:0 Y:1 Z:2; ack ch 2; news = Y:3; ack ch 1; ack Z 1; ack ch 3; send q 4 5 6; news = Y:4 X:5 Z:6
3.2,3.3 credit of a cancelled consumer is forgotten: nobody else gets it [kinds]
    queue q {kind}; consumers q A B channel=ch prefetch=1; send q 0 1 2; cancel A channel=ch
    news = A:0 B:1; ack ch 1; news =; ack ch 2; news = B:2
3.2 credit goes by consumer tag: an ack frees credit of whoever has the tag now, also for an earlier holder's delivery
    queue q; consume A q prefetch=1; send q 0 1 2; cancel A; consume A q prefetch=1; news = A:0 A:1; ack A 1; news = A:2
3.2 the effect comes before the dispatch: a requeued message is back in its place before anybody is served
    queue q; send q 0 1 2; consume A q prefetch=1; nack A 1; news = A:0 A:0*; ack A 2; news = A:1
3.2 cancelling frees nothing for others
    queue q; consumers q A B prefetch=1; send q 0 1 2; cancel A; news = A:0 B:1; ack B 1; news = B:2
3.2 the end of a channel requeues, then dispatches
    queue q; consume A q prefetch=2; consume B q prefetch=3; send q 0 1 2; news = A:0 B:1 A:2; close A; news = B:0* B:2*
""")

test_turns_of_a_quorum_queue = queue_rules("""
3.3 without credit a consumer leaves the line at once: with credit again it is at the tail [quorum limited]
    queue q {kind}; consumers q A B C prefetch=1; send q 0 1 2; ack C 1; ack A 1; ack B 1; send q 3 4 5
    news = A:0 B:1 C:2 C:3 A:4 B:5
3.3 an ack does not move who is in the line [quorum limited]
    queue q {kind}; consumers q A B prefetch=5; send q 0 1; ack A 1; send q 2 3; news = A:0 B:1 A:2 B:3
3.3,2.8 without a delivery limit each message of a nack is a command: a dispatch runs between them [<4.3]
    queue q quorum; consume A q prefetch=2; send q 0..3; nack A 2 multiple; news = A:0 A:1 A:2 A:3
    broker; queue q quorum; consumers q A B prefetch=2; send q 0..3; news = A:0 B:1 A:2 B:3
    nack A 2 multiple; news = A:0* A:2*
3.3,2.8 where returns come first a nack is one command: there is no dispatch between its messages [quorum limited, 4.3]
    queue q {kind}; consume A q prefetch=2; send q 0..3; nack A 2 multiple; news = A:0 A:1 A:0* A:1*
    broker; queue q {kind}; consumers q A B prefetch=2; send q 0..3; news = A:0 B:1 A:2 B:3
    nack A 2 multiple; news = A:0* A:2*
3.3 tags of one channel's consumers come in batches: in 3.x by consumer tag, from 4.0 on by registration [quorum limited]
    queue q {kind}; consumers q Z A channel=ch prefetch=2; consume hold q prefetch=4 priority=9
    send q 0..3; close hold; tags ZA = 1:A1* 2:A3* 3:Z0* 4:Z2* | >=4.0: 1:Z0* 2:Z2* 3:A1* 4:A3*
3.3,3.6 automatic consumers have credit that comes back: no-ack deliveries are settled when they are sent [quorum limited]
    queue q {kind}; send q 0..6; consume A q prefetch=2 auto-ack; of A = 0 1 2 3 4 5 6; count q = 0 0
3.3 what a cancelled consumer gives back: acks give nobody credit, nacks requeue
    queue q limited; consume A q prefetch=2; send q 0 1 2; cancel A; ack A 1; nack A 2; ready q = 1* 2
""")

test_turns = queue_rules("""
3.4 idle consumers take turns [kinds]
    queue q {kind}; consumers q A B C; send q 0..6; of A = 0 3 6; of B = 1 4; of C = 2 5
3.4 busy consumers, with a message waiting: C acks, A acks, 4 is published [kinds]
    queue q {kind}; consumers q A B C prefetch=1; send q 0..3; news = A:0 B:1 C:2; ack C 1; ack A 1; send q 4; news = C:3 A:4
3.4,S5 busy consumers, with nothing waiting: nobody was offered anything [kinds]
    queue q {kind}; consumers q A B C prefetch=1; send q 0 1 2; news = A:0 B:1 C:2; ack B 1; ack A 1
    send q 3 4; news = B:3 A:4 | classic: A:3 B:4
3.5 a filled queue fills the first consumer first [kinds]
    queue q {kind}; send q 0..7; consumers q A B prefetch=3; of A = 0 1 2; of B = 3 4 5
3.5,S4 a filled queue gives the first consumer all, without a prefetch: of a quorum queue 2000 messages [classic quorum]
    queue q {kind}; send q 0..2099; consumers q A B; number-of A = 2100 | quorum: 2000; number-of B = 0 | quorum: 100
3.6 prefetch counts for later consumers of the channel [kinds]
    queue q {kind}; qos ch 1; consume A q channel=ch; qos ch 2; consume B q channel=ch; send q 0..5; number-of A = 1; number-of B = 2
3.6 prefetch is ignored without acknowledgements: on a classic queue
    queue q; send q 0..4; consume A q prefetch=1 auto-ack; of A = 0 1 2 3 4
3.6 prefetch neither stops basic.get nor is it used by it [kinds]
    queue q {kind}; qos ch 1; send q 0..3; get ch q 3 = 0 1 2; consume A q channel=ch; news = A:3
3.12 time alone pushes nothing: expiry removes messages, but nobody is sent anything by it [kinds]
    queue q {kind}; consume A q prefetch=1; send q 0; send q 1 expiration=100; send q 2; news = A:0; wait 1000; news =
    ready q = 2; ack A 1; news = A:2
3.11 x-priority is strict: the highest with credit get all, in turns; the others only while those have none [kinds]
    queue q {kind}; consume low q prefetch=2 priority=-1; consume A q prefetch=2 priority=5; consume mid q prefetch=1
    consume B q prefetch=1 priority=5; send q 0..6; news = A:0 B:1 A:2 mid:3 low:4 low:5; ack B 1; news = B:6
3.11 x-priority, the highest is first again once it has credit [kinds]
    queue q {kind}; consume low q prefetch=5; consume high q prefetch=1 priority=1; send q 0 1; news = high:0 low:1; ack high 1
    send q 2 3; news = high:2 low:3
""")

test_global_qos = queue_rules("""
3.7,11-12 global limit of two consumers: they take turns [<4.3]
    queue q; send q 0..11; qos ch 3 whole-channel; consumers q A B channel=ch; news = A:0 A:1 A:2
    ack ch 1..6; news = A:3 B:4 A:5 B:6 A:7 B:8
3.7 global limit counts the gets that are out when it is set, for ever: their acks do not lower it [<4.3]
    queue q; send q 0..4; get ch q 2; qos ch 3 whole-channel; consume A q channel=ch; news = A:2; ack ch 1 2; news =; ack ch 3
    news = A:3; qos ch 0 whole-channel; news = A:4
3.7 global limit does not count later gets: they neither use nor free it [<4.3]
    queue q; qos ch 1 whole-channel; send q 0 1 2; get ch q; consume A q channel=ch; news = A:1; ack ch 1; news =; ack ch 2
    news = A:2
3.7 global limit and prefetch are both asked for [<4.3]
    queue q; qos ch 1; qos ch 3 whole-channel; consumers q A B channel=ch; send q 0 1 2; news = A:0 B:1; ack ch 1; news = A:2
3.7,S6 global limit and prefetch, set in this order, both hold [<4.3]
    queue q; qos ch 2; qos ch 3 whole-channel; consumers q A B channel=ch; send q 0..4; news = A:0 B:1 A:2
3.7,S6 global limit is switched off by a later prefetch: by basic.qos(global=false) [<4.3]
    queue q; qos ch 1 whole-channel; consume A q channel=ch; send q 0 1 2; news = A:0; qos ch 5; news = A:1 A:2
3.7,S7 global limit stops automatic consumers too: which do not count towards it [<4.3]
    queue q; qos ch 1 whole-channel; consume auto q channel=ch auto-ack; consume A q channel=ch; send q 0..3; news = auto:0 A:1
    ack ch 2; news = auto:2 A:3
3.7 global limit of one channel does not hold up others [<4.3]
    queue q; qos ch 1 whole-channel; consume A q channel=ch; consume B q; send q 0..3; news = A:0 B:1 B:2 B:3
3.7 global limit raised or removed releases at once [<4.3]
    queue q; qos ch 1 whole-channel; consume A q channel=ch; send q 0..4; news = A:0; qos ch 3 whole-channel; news = A:1 A:2
    qos ch 0 whole-channel; news = A:3 A:4
3.7 global limit spans queues: one count a channel [<4.3]
    queue p; queue q; qos ch 1 whole-channel; consume P p channel=ch; consume Q q channel=ch; send p 0; send q 1; news = P:0
    ack ch 1; news = Q:1
3.7 global limit is for classic queues only: a consumer of another under it is 540 [quorum stream, <4.3]
    queue q {kind}; qos ch 5; qos ch 5 whole-channel; consume A q channel=ch !540
3.7,S34 global limit counts per consumer from 4.3 on [classic quorum, 4.3]
    queue q {kind}; channel planned prefetch=1; qos ch 1 whole-channel; consumers q A B channel=ch; consume C q channel=planned
    send q 0..3; news = A:0 B:1 C:2
""")

test_get = queue_rules("""
3.8 basic.get takes the head whoever consumes: a single active or exclusive consumer of a classic queue does not keep it away
    queue q single-active-consumer=true; queue p; consume A q prefetch=1; consume B p prefetch=1 exclusive
    send q 0 1; send p 0 1; get ch q = 1; get ch p = 1; get ch p = -
3.8 basic.get is refused: by a quorum queue with a single active consumer, a stream, and what is missing
    queue q quorum single-active-consumer=true; queue s stream; get ch q !405; get ch s !540; get ch nope !404
""")

test_exclusive_and_single_active = queue_rules("""
3.9 exclusive consumer: granted only without others; while it is there, others are 403
    queue q; consume A q exclusive; consume B q !403 queue 'q' in vhost '/' in exclusive use
    consume B q exclusive !403 queue 'q' in vhost '/' in exclusive use; cancel A; consume B q
    consume C q exclusive !403 queue 'q' in vhost '/' in exclusive use; close B; consume C q exclusive; close C; consume D q
3.9,S15 exclusive consumer of a quorum queue: the flag is ignored
    queue q quorum; consume A q exclusive; consume B q; consume C q exclusive; send q 0 1 2; news = A:0 B:1 C:2

3.10 single active consumer, only the first receives: others wait even while it has no credit [classic quorum]
    queue q {kind} single-active-consumer=true; consumers q A B prefetch=2
    send q 0 1 2; news = A:0 A:1; ack A 1; news = A:2; active = A
3.3 a cancelled consumer whose tag comes back still holds what it held: against its new prefetch [quorum limited, again=3 4]
    queue q {kind}; send q 0..5; consume A q prefetch=3; ack A 1; news = A:0 A:1 A:2 A:3; cancel A
    consume A q prefetch={again}; news = | 4: A:4
3.10 single active consumer, its channel ends: the next gets what it held, then the backlog [classic quorum]
    queue q {kind} single-active-consumer=true; consumers q A B C prefetch=2
    send q 0 1 2; news = A:0 A:1; close A; news = B:0* B:1*; close B; news = C:0* C:1*; active = A B C
3.10 single active consumer, the place is free after a restart [classic quorum]
    queue q {kind} single-active-consumer=true; consume A q prefetch=2; restart; consume B q prefetch=2; send q 0
    news = B:0
3.10 single active consumer, cancelled: what it holds stays out while the next one begins [classic quorum]
    queue q {kind} single-active-consumer=true; consumers q A B prefetch=2
    send q 0 1 2; news = A:0 A:1; cancel A; news = B:2; nack A 1; news = B:0*
3.10,S16 single active consumer, cancelled: the successor gets the backlog; 3.x crashes, which is not simulated
    queue q single-active-consumer=true; consumers q A B prefetch=1; send q 0 1; news = A:0; cancel A
    news = B:1; send q 2; ack B 1; news = B:2
3.10 single active consumer, one that waits may leave [classic quorum]
    queue q {kind} single-active-consumer=true; consumers q A B C prefetch=2; cancel B; send q 0; close A; news = A:0 C:0*
3.10 single active consumer, exclusive: 403 on a classic queue
    queue c single-active-consumer=true; queue k quorum single-active-consumer=true; consume A c exclusive !403
    consume A k exclusive
3.10,S17 single active consumer of a classic queue, succession: by priority, then age; a newcomer never preempts
    queue q classic single-active-consumer=true; consume A q prefetch=2; consume B q prefetch=2 priority=1
    consumers q C D prefetch=2 priority=5; send q 0; news = A:0; close A; news = C:0*; close C; close D; news = D:0* B:0*
3.10,S17 single active consumer of a quorum queue, succession: by age in 3.x, by priority from 4.0 on
    queue q quorum single-active-consumer=true; consume A q prefetch=2 priority=9; consume B q prefetch=2
    consume C q prefetch=2 priority=5; send q 0; close A; news = A:0 B:0* | >=4.0: A:0 C:0*
3.10,S17 single active consumer of a quorum queue, nobody is preempted in 3.x [<4.0]
    queue q quorum single-active-consumer=true; consumers q A B prefetch=2; consume C q prefetch=2 priority=5; send q 0
    close A; close B; news = A:0 B:0* C:0*
3.10,S17 single active consumer of a quorum queue, preemption waits for the unacked: then it waits itself [>=4.0]
    queue q quorum single-active-consumer=true; consume A q prefetch=2; send q 0; consume B q prefetch=2 priority=5
    send q 1; news = A:0; ack A 1; news = B:1; close B; news = A:1*
3.10 single active consumer of a quorum queue, preemption of an idle one is at once [>=4.0]
    queue q quorum single-active-consumer=true; consume A q prefetch=2; consume B q prefetch=2 priority=5; send q 0
    news = B:0; cancel B; nack B 1; news = A:0*
""")
