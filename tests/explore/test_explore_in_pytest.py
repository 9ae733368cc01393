"""Sections `explore` are tests of the pytest plugin."""

import pytest

pytest_plugins = ("pytester",)

HOLDS = "explore: {failures: 1}\nqueues: {q: }\nconsumers: {w: {queue: q}}\nsteps: [publish: {routing_key: q, id: m}]\n"
LOSES = HOLDS.replace("{queue: q}", "{queue: q, auto_ack: true}")


def ran(pytester: pytest.Pytester, **files: str) -> pytest.RunResult:
    for name, text in files.items():
        (pytester.path / f"{name}.scenario.yaml").write_text(text, encoding="utf-8")
    return pytester.runpytest_subprocess("-v", "-p", "no:xdist", "-p", "no:cacheprovider")


def test_what_holds_passes_and_what_does_not_fails(pytester: pytest.Pytester) -> None:
    result = ran(pytester, holds=HOLDS, loses=LOSES)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "holds.scenario.yaml::explore PASSED*",
            "loses.scenario.yaml::explore FAILED*",
            "*m is lost: the connection of w is lost*",
        ]
    )


def test_what_the_scenario_says_is_broken_is_to_be(pytester: pytest.Pytester) -> None:
    says = "{failures: 1, breaks: lost}"
    ran(
        pytester, holds=HOLDS.replace("{failures: 1}", says), loses=LOSES.replace("{failures: 1}", says)
    ).assert_outcomes(passed=3, failed=1)  # fmt: skip


def test_not_complete_fails(pytester: pytest.Pytester) -> None:
    result = ran(pytester, holds=HOLDS.replace("failures: 1", "failures: 1, max_states: 2"))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*NOT COMPLETE*"])
