"""Policies and operator policies, and the parameters as which the latter appear too."""

import html
from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import (
    CREATED,
    DONE,
    FOUR_THREE,
    Managed,
    body_of,
    missing,
    reason_of,
    required,
    text_of,
    vhost_named,
    vhost_to_change,
)
from routesim.control.management.listing import listed, with_columns
from routesim.control.router import Answers, Route
from routesim.model import Policy, policy_body
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.serve.vhosts import Vhost
from routesim.values import erlang_term

OPERATOR = "operator_policy"
Item = dict[str, Any]


def policies_of(vhost: Vhost, *, operator: bool) -> list[Policy]:
    return [policy for (is_operator, _), policy in vhost.broker.policies.items() if is_operator == operator]


def policy_form(vhost: Vhost, policy: Policy) -> Item:
    return {"vhost": vhost.name, "name": policy.name, **policy_body(policy)}


def refused_for(context: Managed, text: str, *, operator: bool) -> HttpError:
    """Before 4.3 the reason of a policy is written as HTML has it."""
    reason = f"Validation failed\n\n{text}\n"
    return HttpError(400, reason if operator or context.at_least(FOUR_THREE) else html.escape(reason, quote=False))


def read_policy(context: Managed, name: str, body: Item, *, operator: bool) -> Policy:
    """Raises `HttpError`."""

    def refuse(text: str) -> HttpError:
        return refused_for(context, text, operator=operator)

    pattern, definition = required(body, "pattern", "definition")
    priority = body.get("priority", 0)
    if not isinstance(pattern, str):
        raise refuse(f"pattern should be a binary but was {erlang_term(pattern)}")
    if isinstance(priority, bool) or not isinstance(priority, (int, float)):
        raise refuse(f"priority should be a number, actually was {erlang_term(priority)}")
    if not isinstance(definition, dict):
        raise HttpError(400, "definition is an object")
    return Policy(name, pattern, definition, text_of(body, "apply-to", "all"), priority, operator)


def set_policy(context: Managed, vhost: Vhost, policy: Policy) -> None:
    """Raises `HttpError` where the engine refuses, or cannot follow the pattern."""
    try:
        compiled(policy.pattern)
    except InvalidPattern:
        pass  # the engine says it
    except UnreadablePattern as problem:
        raise refused_for(context, f"pattern: {problem}", operator=policy.operator) from None
    refused = vhost.command(steps.SetPolicy(policy))
    if refused is not None:
        raise refused_for(context, reason_of(refused).removeprefix("Validation failed: "), operator=policy.operator)


def routes_of(path: str, *, operator: bool) -> list[Route]:
    """For one of the two kinds."""

    def all_of(vhosts: list[Vhost]) -> Iterator[Item]:
        return (policy_form(vhost, policy) for vhost in vhosts for policy in policies_of(vhost, operator=operator))

    def policies(context: Managed, request: HttpRequest) -> Any:
        return listed(request, all_of(list(context.server.vhosts.values())), "vhost", "name")

    def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
        return listed(request, all_of([vhost_named(context, vhost)]), "name")

    def policy(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
        where = vhost_named(context, vhost)
        return with_columns(request, policy_form(where, one(where, name)))

    def one(vhost: Vhost, name: str) -> Policy:
        found = vhost.broker.policies.get((operator, name))
        if found is None:
            raise missing()
        return found

    def put(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
        where = vhost_to_change(context, vhost)
        there = (operator, name) in where.broker.policies
        set_policy(context, where, read_policy(context, name, body_of(request), operator=operator))
        return DONE if there else CREATED

    def delete(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
        where = vhost_named(context, vhost)
        one(where, name)
        where.command(steps.DeletePolicy(name, operator))
        return DONE

    answers: list[tuple[str, str, Answers]] = [
        ("GET", path, policies), ("GET", f"{path}/{{vhost}}", in_vhost), ("GET", f"{path}/{{vhost}}/{{name}}", policy),
        ("PUT", f"{path}/{{vhost}}/{{name}}", put), ("DELETE", f"{path}/{{vhost}}/{{name}}", delete),
    ]  # fmt: skip
    return [Route(*each) for each in answers]


# Parameters ----------------------------------------------------------------------------------------------------------


def parameters_of(vhosts: list[Vhost], *, named: bool = True) -> Iterator[Item]:
    """`named`: with the name of the virtual host."""
    for vhost in vhosts:
        for policy in policies_of(vhost, operator=True):
            own = {"vhost": vhost.name} if named else {}
            yield {"component": OPERATOR, "name": policy.name, "value": policy_body(policy), **own}


def _parameters(context: Managed, component: str | None, vhost: str | None) -> list[Item]:
    vhosts = list(context.server.vhosts.values()) if vhost is None else [vhost_named(context, vhost)]
    return [item for item in parameters_of(vhosts) if component in (None, item["component"])]


def parameters(context: Managed, request: HttpRequest, component: str | None = None, vhost: str | None = None) -> Any:
    return listed(request, _parameters(context, component, vhost), "component", "vhost", "name")


def parameter(context: Managed, request: HttpRequest, component: str, vhost: str, name: str) -> Any:
    for item in parameters_of([vhost_named(context, vhost)]):
        if (item["component"], item["name"]) == (component, name):
            return item
    raise missing()


def put_parameter(context: Managed, request: HttpRequest, component: str, vhost: str, name: str) -> Response:
    """No component that takes parameters is there, as without the plugins that bring them along."""
    vhost_to_change(context, vhost)
    required(body_of(request), "value")
    raise HttpError(400, f"Validation failed\n\ncomponent {component} not found\n")


ROUTES = [
    *routes_of("policies", operator=False),
    *routes_of("operator-policies", operator=True),
    Route("GET", "parameters", parameters),
    Route("GET", "parameters/{component}", parameters),
    Route("GET", "parameters/{component}/{vhost}", parameters),
    Route("GET", "parameters/{component}/{vhost}/{name}", parameter),
    Route("PUT", "parameters/{component}/{vhost}/{name}", put_parameter),
]
