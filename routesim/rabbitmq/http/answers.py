"""An HTTP answer within bounds: so many bytes, and so many seconds for all of it."""

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, Protocol

MOST_BYTES = 64 * 1024 * 1024  # the definitions of the largest brokers have a tenth of it
CHUNK = 65_536
PATIENCE = 6  # times the time for which the other side may be silent: for a whole answer


class TooMuch(Exception):
    """The body is larger than `MOST_BYTES`."""


class AnswerBody(Protocol):
    def read1(self, amount: int = ..., /) -> bytes: ...


def fetched(opener: urllib.request.OpenerDirector, request: urllib.request.Request, timeout: float) -> bytes:
    """The body of the answer. `timeout`: how long the other side may say nothing; the whole may take `PATIENCE` times as long.

    Raises `TimeoutError`, `TooMuch`, and what urllib raises; of an `HTTPError` the body is read already, as far as it may be.
    """
    ends = time.monotonic() + PATIENCE * timeout
    request.watched = watched = _Watched()  # type: ignore[attr-defined]
    timer = threading.Timer(PATIENCE * timeout, watched.give_up)
    timer.daemon = True
    timer.start()
    try:
        with opener.open(request, timeout=timeout) as answer:
            body = read(answer, ends)
        if watched.given_up:
            raise TimeoutError
        return body
    except urllib.error.HTTPError as error:
        with error:
            error.body = b""  # type: ignore[attr-defined]
            with suppress(TooMuch, OSError, http.client.HTTPException, ValueError):
                error.body = read(error, ends)  # type: ignore[attr-defined]
            raise
    except (OSError, http.client.HTTPException):
        if watched.given_up:
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def read(body: AnswerBody, ends: float) -> bytes:
    """The body to its end; `ends` is when its time is over."""
    parts, size = [], 0
    while part := body.read1(CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise TooMuch
        if time.monotonic() > ends:
            raise TimeoutError
    return b"".join(parts)


class _Watched:
    """The connection of one request: what is said of an answer's length, its head above all, nothing else limits in time."""

    def __init__(self) -> None:
        self.line: socket.socket | None = None
        self.given_up = False

    def give_up(self) -> None:
        self.given_up = True
        if self.line is not None:
            with suppress(OSError):
                self.line.shutdown(socket.SHUT_RDWR)


class PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_made_by(http.client.HTTPConnection, req), req)


class EncryptedHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_made_by(http.client.HTTPSConnection, req), req)


def _made_by(kind: Any, request: Any) -> Any:
    def make(*arguments: Any, **options: Any) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection = kind(*arguments, **options)
        connect = connection.connect

        def connected() -> None:
            connect()
            request.watched.line = connection.sock

        connection.connect = connected  # type: ignore[method-assign]
        return connection

    return make
