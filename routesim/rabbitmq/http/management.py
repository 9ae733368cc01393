"""RabbitMQ's HTTP API: virtual hosts, policies, definitions."""

import base64
import copy
import html
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from routesim.model import Policy, policy_body
from routesim.rabbitmq.http.answers import MOST_BYTES, EncryptedHandler, PlainHandler, TooMuch, fetched
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.url import WebAddress, segment

DEFAULT_TYPE_KEYS = ("defaultqueuetype", "default_queue_type")  # of 3.10, and of later versions
LONGEST_REASON = 1_000  # characters of what the other side says
SECRET_SECTIONS = ("users", "permissions", "topic_permissions", "user_limits")
SECRET_COMPONENTS = {"shovel", "federation-upstream", "federation-upstream-set", "federation"}
SECRET_NAME = re.compile(r"passw|secret|token|credential|uri|url|api[-_]?key", re.IGNORECASE)
WITH_CREDENTIALS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s]*@", re.IGNORECASE)


class ManagementError(Exception):
    """The API answered with an error; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(text)


class Management:
    """One broker's HTTP API. Every call may raise `BrokerProblem`: not there, too slow, wrong credentials."""

    def __init__(self, address: WebAddress) -> None:
        self.address = address
        token = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json", "Accept": "application/json"}
        # No proxy from the environment: a password must not travel to one, nor a redirect take it elsewhere.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirect(), PlainHandler(), EncryptedHandler()
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The parsed answer, None for an empty one. Raises `ManagementError` for what the API turns down."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address.base}/api/{path}", data, self.headers, method=method)
        try:
            text = fetched(self.opener, request, self.address.timeout)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except TimeoutError:
            raise self._problem(f"did not answer within {self.address.timeout} s") from None
        except TooMuch:
            raise self._problem(f"answered more than {MOST_BYTES // 1024 // 1024} MiB") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._problem(f"did not answer within {self.address.timeout} s") from None
            raise self._problem(f"cannot be reached: {_reason(error.reason)}") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._problem(f"broke off: {_reason(error)}") from None
        try:
            return json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            raise self._problem("answered with what is no JSON; is that its address?") from None

    def _problem(self, what: str) -> BrokerProblem:
        return BrokerProblem(
            f"the management plugin at {self.address} {what} (rabbitmq-plugins enable rabbitmq_management; --management)"
        )

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        if error.code == 401:
            return BrokerProblem(f"the management plugin at {self.address} refuses the user name or password")
        if 300 <= error.code < 400:
            return self._problem("answered with a redirect")
        try:
            found = json.loads(getattr(error, "body", b""))
            text = str(found.get("reason") or found.get("error"))
        except (ValueError, AttributeError, RecursionError):
            text = str(error.reason)
        return ManagementError(error.code, _in_one_line(text)[:LONGEST_REASON])

    # Virtual hosts -----------------------------------------------------------------------------------------------------

    def vhosts(self) -> list[str]:
        return self._names("vhosts?columns=name", lambda found: found)

    def create_vhost(self, name: str, default_queue_type: str | None = None) -> None:
        settings = {} if default_queue_type is None else dict.fromkeys(DEFAULT_TYPE_KEYS, default_queue_type)
        try:
            self.call("PUT", f"vhosts/{segment(name)}", settings)
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            self.call("PUT", f"permissions/{segment(name)}/{segment(self.address.user)}", everything)
        except ManagementError as refusal:
            raise BrokerProblem(
                f"{self.address.user} may not create a virtual host at {self.address} (tag administrator): {refusal.text}"
            ) from None

    def in_use(self, name: str) -> bool:
        """Whether somebody is connected to the virtual host; one that has just gone is in nobody's use."""
        try:
            return bool(self.call("GET", f"vhosts/{segment(name)}/connections"))
        except ManagementError:
            return False

    def delete_vhost(self, name: str) -> None:
        """That it is not there is no error."""
        try:
            self.call("DELETE", f"vhosts/{segment(name)}")
        except ManagementError as refusal:
            if refusal.status != 404:
                raise BrokerProblem(f"virtual host {name} could not be removed: {refusal.text}") from None

    # Policies ----------------------------------------------------------------------------------------------------------

    def set_policy(self, vhost: str, policy: Policy) -> None:
        kind = "operator-policies" if policy.operator else "policies"
        self.call("PUT", f"{kind}/{segment(vhost)}/{segment(policy.name)}", policy_body(policy))

    def delete_policy(self, vhost: str, name: str, *, operator: bool) -> None:
        kind = "operator-policies" if operator else "policies"
        self.call("DELETE", f"{kind}/{segment(vhost)}/{segment(name)}")

    def exchange_types(self) -> frozenset[str]:
        return frozenset(self._names("overview?columns=exchange_types", lambda found: found["exchange_types"]))

    def _names(self, path: str, items: Callable[[Any], Any]) -> list[str]:
        """These are asked for first, so it is here that something else than RabbitMQ shows."""
        try:
            return [str(item["name"]) for item in items(self.call("GET", path))]
        except ManagementError as refusal:
            raise self._problem(f"answered {refusal.status} ({refusal.text}); is that its address?") from None
        except (TypeError, LookupError):
            raise self._problem("answered what RabbitMQ does not; is that its address?") from None

    # Definitions -------------------------------------------------------------------------------------------------------

    def definitions(self, vhost: str | None = None) -> dict[str, Any]:
        """What is declared in one vhost (None: in all), as a definitions document without users and secrets.

        Raises `BrokerProblem` when there is no such vhost or the user may not ask.
        """
        try:
            found = self.call("GET", "definitions" if vhost is None else f"definitions/{segment(vhost)}")
        except ManagementError as refusal:
            what = f"the definitions of vhost '{vhost}'" if vhost is not None else "the definitions"
            if vhost is not None and (refusal.status == 404 or refusal.text == "vhost_not_found"):
                raise BrokerProblem(f"there is no vhost '{vhost}' at {self.address}") from None
            raise BrokerProblem(f"{self.address.user} may not read {what} at {self.address}: {refusal.text}") from None
        sections = found.values() if isinstance(found, dict) else [None]
        lists = [part for part in sections if isinstance(part, list)]
        if not isinstance(found, dict) or not all(isinstance(item, dict) for part in lists for item in part):
            raise self._problem("answered with what is no definitions document")
        try:
            return without_secrets(found)
        except RecursionError:
            raise self._problem("answered with what is nested too deeply") from None


def without_secrets(definitions: dict[str, Any]) -> dict[str, Any]:
    """A definitions document without users, permissions, passwords, and addresses that carry credentials."""
    kept = {key: copy.deepcopy(value) for key, value in definitions.items() if key not in SECRET_SECTIONS}
    for section in ("parameters", "global_parameters"):
        items = kept.pop(section, None)
        if isinstance(items, list):  # what else there is may hold anything
            items = [item for item in items if isinstance(item, dict) and not _is_secret(item.get("component"))]
            kept[section] = [_harmless(item) for item in items]
    return kept


def _is_secret(component: Any) -> bool:
    return isinstance(component, str) and component in SECRET_COMPONENTS


def _harmless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _harmless(item) for key, item in value.items() if not SECRET_NAME.search(key)}
    if isinstance(value, list):
        return [_harmless(item) for item in value if not (isinstance(item, str) and WITH_CREDENTIALS.search(item))]
    return "" if isinstance(value, str) and WITH_CREDENTIALS.search(value) else value


def _in_one_line(reason: str) -> str:
    """Why something is refused, as `broker/policies.py` says it: Erlang breaks long terms into lines, and up to 4.2 the API
    writes them as HTML does."""
    return re.sub(r"\n\s*", "", html.unescape(reason).replace("Validation failed\n\n", "Validation failed: "))


def _reason(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:LONGEST_REASON]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None
