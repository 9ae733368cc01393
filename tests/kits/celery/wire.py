"""A proxy before a broker that reads along: what a worker says and hears, as tokens of the notation."""

import contextlib
import socket
import threading
import time

import pika.frame
import pika.spec


class Wire:
    """Every connection to `port` goes on to the broker. `heard`: what went over them, in the order in which it was seen."""

    def __init__(self, host: str, port: int) -> None:
        self.broker = (host, port)
        self.heard: list[str] = []
        self.at = time.monotonic()
        self.consuming = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.open: list[socket.socket] = [self.server]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self.open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def quiet(self, tokens: int, seconds: float) -> list[str]:
        """What is heard from now on, once it is so much and nothing more comes; whatever there is after 10 s."""
        until = time.monotonic() + 10
        while time.monotonic() < until and (len(self.heard) < tokens or time.monotonic() - self.at < seconds):
            time.sleep(0.02)
        return self.heard

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            broker = socket.create_connection(self.broker)
            self.open += [client, broker]
            no_ack: set[str] = set()
            for source, target, sent in ((client, broker, True), (broker, client, False)):
                threading.Thread(target=self._pass_on, args=(source, target, no_ack, sent), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, no_ack: set[str], sent: bool) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                rest = self._read(rest + data, no_ack, sent)
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _read(self, data: bytes, no_ack: set[str], sent: bool) -> bytes:
        while data:
            size, frame = pika.frame.decode_frame(data)
            if frame is None:
                break
            data = data[size:]
            token = self._token(frame, no_ack, sent)
            if token:
                self.heard.append(token)
                self.at = time.monotonic()
        return data

    def _token(self, frame: object, no_ack: set[str], sent: bool) -> str:
        if isinstance(frame, pika.frame.Header):
            retries = (frame.properties.headers or {}).get("retries")
            return f"P(retries={retries})" if retries and sent else ""
        method = getattr(frame, "method", None)
        if isinstance(method, pika.spec.Basic.Consume):
            self.consuming += not method.no_ack
            if method.no_ack:
                no_ack.add(method.consumer_tag)
        elif isinstance(method, pika.spec.Basic.Deliver) and method.consumer_tag not in no_ack:
            return f"D({method.delivery_tag}{',r' if method.redelivered else ''})"
        elif isinstance(method, pika.spec.Basic.Ack):
            return f"A({method.delivery_tag})"
        elif isinstance(method, pika.spec.Basic.Reject):
            return f"RJ({method.delivery_tag},{'req' if method.requeue else 'drop'})"
        elif isinstance(method, pika.spec.Basic.Qos):
            return f"Q({method.prefetch_count},{'g' if method.global_qos else 'c'})"
        return ""
