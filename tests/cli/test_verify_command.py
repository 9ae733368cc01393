"""What `routesim verify` refuses before it asks a broker for hours."""

from pathlib import Path

import pytest
from kits.cli import routesim, sane

from routesim.cli.handlers import verifying
from routesim.cli.handlers.running_on_broker import BrokerTarget
from routesim.cli.shared.exits import UsageError

BROKER = "amqp://127.0.0.1:1"


def asked(files: list[str], output: str | None) -> verifying.VerifyOptions:
    return verifying.VerifyOptions(files, BrokerTarget(BROKER, None, 1), 0 if files else 5, 0, ".", "plain", output)


def test_a_scenario_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("queues: {q: }\n")
    done = sane(routesim("verify", "a.yaml", "--broker", BROKER, "-o", "./a.yaml", cwd=tmp_path))
    assert (done.status, done.out) == (2, "")
    assert "would overwrite the scenario a.yaml" in done.err
    assert path.read_text() == "queues: {q: }\n"


@pytest.mark.parametrize("files", [["scenarios/hello.yaml"], []], ids=["files", "random"])
def test_what_cannot_be_written_is_told_before_the_work(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        profile, version, types, features = "3.10", "3.10.8", frozenset[str](), dict[str, bool]()

    monkeypatch.setattr(verifying, "session", lambda target: Found)
    monkeypatch.setattr(verifying, "verify", lambda *what, **named: pytest.fail("nothing was to be verified"))
    with pytest.raises(UsageError, match="cannot write"):
        verifying.verify_all(asked(files, "/no/such/folder/out.xml"))
