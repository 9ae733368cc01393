"""rules/queues#8: streams as AMQP 0-9-1 shows them."""

from kits.broker import Bench, versions
from kits.rules import queue_rules

from routesim.values import Typed

test_streams = queue_rules("""
8.1 stream, everybody reads for himself: acks remove nothing, nothing is redelivered
    queue s stream; send s 0 1 2; consumers s A B prefetch=10 x-stream-offset=first; of A = 0 1 2; of B = 0 1 2
    header x-stream-offset = 0 1 2 0 1 2; ack A 3 multiple; close A; consume A s prefetch=10 x-stream-offset=first
    of A = 0 1 2 0 1 2
8.1,3.1 stream, several consumers on one channel: the tags are the channel's, the credit each consumer's own
    queue s stream; send s 0..3; consume A s channel=ch prefetch=1 x-stream-offset=first
    consume B s channel=ch prefetch=1 x-stream-offset=2; tags AB = 1:A0 2:B2; ack ch 2; tags AB = 1:A0 2:B2 3:B3; ack ch 1
    of A = 0 1
8.2,8.4 stream, acks return credit: the prefetch is exact, as from 4.0 on
    queue s stream; send s 0..4; consume A s prefetch=2 x-stream-offset=first; news = A:0 A:1; ack A 1; news = A:2
    ack A 3 multiple; news = A:3 A:4
8.2 stream, texts: 4.x says stream where 3.x says stream queues
    queue s stream
    [<4.0] consume A s !406 consumer prefetch count is not set for 'queue 's' in vhost '/''
    [>=4.0] consume A s !406 consumer prefetch count is not set for stream queue 's' in vhost '/'
    [<4.0] consume A s prefetch=5 auto-ack !540 automatic acknowledgement not supported by stream queues queue 's' in vhost '/'
    [>=4.0] consume A s prefetch=5 auto-ack !540 automatic acknowledgement not supported by stream queue 's' in vhost '/'
8.2 stream, what it refuses [what=no-ack get purge unlimited]
    queue s stream; send s 0..4; [no-ack] consume A s prefetch=5 auto-ack !540; [get] get ch s !540; [purge] purge s !540
    [unlimited] consume A s !406
8.2 stream, without a prefetch it is 406 whatever else is wrong
    queue s stream; send s 0..4; consume A s auto-ack !406
    broker; queue s stream; send s 0..4; [<4.3] qos ch 5 whole-channel; consume A s channel=ch !406
8.2 stream, nack and reject close the connection: until 3.12 [3.10 3.12.0, how=nack reject, requeue=true false]
    queue s stream; send s 0..4; consume A s prefetch=5 x-stream-offset=first; {how} A 1 requeue={requeue} !540
    consume A s prefetch=5 x-stream-offset=first; of A = 0 1 2 3 4 0 1 2 3 4
8.2 stream, nack and reject give credit as an ack does: from 3.13 on [>=3.13, how=nack reject, requeue=true false]
    queue s stream; send s 0..4; consume A s prefetch=2 x-stream-offset=first; news = A:0 A:1; {how} A 1 requeue={requeue}
    news = A:2; count s = 5 0
8.3 stream offset: negative ones are at the start [offset=next first 3 0 -7 last]
    queue s stream; send s 0..4; consume A s prefetch=100 x-stream-offset={offset}; send s 5
    of A = 0 1 2 3 4 5 | next: 5 | 3: 3 4 5 | last: 4 5
8.3 stream offset that is absent is next
    queue s stream; send s 0..4; consume A s prefetch=100; send s 5; of A = 5
8.3 stream offset beyond the end: what comes below it is passed over
    queue s stream; send s 0 1; consume A s prefetch=100 x-stream-offset=4; send s 2..5; of A = 4 5
8.3 stream offset that is wrong: 406; a boolean closes the connection
    queue s stream; send s 0..4
    consume A s prefetch=5 x-stream-offset=7x !406 invalid arg 'x-stream-offset' for queue 's' in vhost '/': {invalid_stream_offset_arg,{longstr,<<"7x">>}}
    consume A s prefetch=5 x-stream-offset=true !541
8.3 stream offset of no age at all: 406 [offset=0h 00s 1 1hh]
    queue s stream; consume A s prefetch=5 x-stream-offset="{offset}" !406 invalid_stream_offset_arg,{longstr,<<"{offset}">>}
8.3 stream offset of another type: closes the connection
    queue s stream; consume A s prefetch=5 x-stream-offset=[1] !541; consume B s prefetch=5 x-stream-offset={"a":1} !541
8.3 stream offset that begins with no digit: 541 until 4.2.6 and in 4.3.0, then 406 [3.10 3.13 4.0 4.2.6 4.2.7 4.3.0 4.3.1 4.3]
    queue s stream; [<4.2.7] consume A s prefetch=5 x-stream-offset=bogus !541; [4.3.0] consume A s prefetch=5 x-stream-offset=bogus !541
    [>=4.2.7 <4.3.0] consume A s prefetch=5 x-stream-offset=bogus !406; [>=4.3.1] consume A s prefetch=5 x-stream-offset=bogus !406
8.4 stream, no TTL: the expiration of a message means nothing
    queue s stream; send s 0 expiration=100; wait 10000; consume A s prefetch=10 x-stream-offset=first; news = A:0
""")


@versions()
def test_stream_offset_8_3_by_time(version):
    """rules/queues#8.3: a timestamp in seconds, or an age such as 10s."""
    b = Bench(version)
    b.queue("s", "stream")
    for number in range(5):
        b.send("s", number)
        b.wait(10_000)
    b.consume("A", "s", prefetch=100, args={"x-stream-offset": Typed("timestamp", 30)})
    b.consume("B", "s", prefetch=100, args={"x-stream-offset": "20s"})
    b.consume("C", "s", prefetch=100, args={"x-stream-offset": "1h"})
    assert (b.of("A"), b.of("B"), b.of("C")) == ("3 4", "3 4", "0 1 2 3 4")


@versions()
def test_stream_offset_8_3_of_a_real_date(version):
    """rules/queues#8.3: virtual time begins on the first of January 2026; of the past all, of the future what comes next."""
    b = Bench(version)
    b.queue("s", "stream")
    for number in range(3):
        b.send("s", number)
        b.wait(10_000)
    for name, date in {"A": 1_700_000_000, "B": 1_767_225_610, "C": 1_900_000_000}.items():
        b.consume(name, "s", prefetch=100, args={"x-stream-offset": Typed("timestamp", date)})
    b.send("s", 3)
    assert (b.of("A"), b.of("B"), b.of("C")) == ("0 1 2 3", "1 2 3", "3")


@versions()
def test_stream_dead_letters_8_7_come_in_from_3_12_on(version):
    """rules/queues#8.7: an ordinary dead letter is lost before; another queue of the exchange gets its copy all the same."""
    b = Bench(version)
    b.exchange("dx", "fanout")
    b.queue("s", "stream")
    b.queue("rest")
    b.queue("q", args={"x-dead-letter-exchange": "dx", "x-max-length": 1})
    for queue in ("s", "rest"):
        b.bind("dx", queue)
    b.consume("A", "s", prefetch=10, args={"x-stream-offset": "first"})
    b.send("q", 0)
    b.send("q", 1)
    assert (b.of("A"), b.ready("rest")) == ("0" if version not in ("3.10", "3.11") else "", "0")
