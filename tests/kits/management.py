"""RabbitMQ's management API, asked: of a real broker and of `routesim serve`."""

import base64
import contextlib
import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import quote

LIMIT_S = 30


class Answered(NamedTuple):
    """`body`: what the JSON says, text where it is none, None for nothing. `headers` by their names in small letters."""

    status: int
    body: Any
    headers: dict[str, str]


class AskedApi:
    """The API at a port of this machine, asked by guest unless `user` says otherwise (None: by nobody)."""

    def __init__(self, port: int, user: str | None = "guest:guest") -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.user = user

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """`body`: bytes as they are, anything else as JSON. A header's name with `_` for each `-`."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.user is not None:
            sent.setdefault("authorization", f"Basic {base64.b64encode(self.user.encode()).decode()}")
        if data is not None:
            sent.setdefault("content-type", "application/json")
        request = urllib.request.Request(f"{self.base}/api/{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return _answered(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as answer:
            with answer:
                return _answered(answer.code, answer.read(), answer.headers)


def _answered(status: int, data: bytes, headers: Any) -> Answered:
    text: Any = data.decode("utf-8", "backslashreplace")
    with contextlib.suppress(ValueError):
        text = json.loads(text)
    return Answered(status, text if data else None, {name.lower(): value for name, value in headers.items()})


def part(name: str) -> str:
    """A name as one segment of an address."""
    return quote(name, safe="")
