"""What `routesim verify` refuses before it asks a broker for hours."""

from pathlib import Path

import pytest
from kits.cli import routesim, sane

from routesim.cli.handlers import verifying
from routesim.cli.handlers.running_on_broker import BrokerTarget
from routesim.cli.shared.exits import UsageError
from routesim.scenario import Scenario
from routesim.verify import VerifyVerdict
from routesim.verify.comparing import EngineDifference

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


class FakeSession:
    restart_command = None
    features: dict[str, bool] = {}
    profile, version, types = "4.3", "4.3.6", frozenset({"direct", "topic", "fanout", "headers"})


def difference(what: str) -> EngineDifference:
    return EngineDifference(what, "q", "this", "that", f"the rule of {what}")


def test_an_invalid_file_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("a", "queues: {q: }\n"), ("bad", "queues: [\n"), ("z", "queues: {z: }\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.setattr(verifying, "session", lambda target: FakeSession)
    monkeypatch.setattr(verifying, "verify", lambda scenario, *_: VerifyVerdict(scenario.file, scenario.name, tries=1))
    paths = [str(tmp_path / f"{name}.yaml") for name in ("a", "bad", "z")]
    assert verifying.verify_all(asked(paths, None)) == 2
    found = capsys.readouterr()
    assert [line for line in found.out.splitlines() if line.startswith("✔")] == [f"✔  {paths[0]}", f"✔  {paths[2]}"]
    assert "bad.yaml:2:1" in found.err


def test_random_collects_all_that_differs_by_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    differ = {"random-0-1": "ready", "random-0-2": "error", "random-0-4": "ready"}

    def verify(scenario: Scenario, *_: object, **named: object) -> VerifyVerdict:
        what = differ.get(scenario.name)
        return VerifyVerdict(scenario.file, scenario.name, difference=difference(what) if what else None, tries=1)

    monkeypatch.setattr(verifying, "session", lambda target: FakeSession)
    monkeypatch.setattr(verifying, "verify", verify)
    assert verifying.verify_all(asked([], None)._replace(keep=str(tmp_path))) == 1
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(differ)
    found = capsys.readouterr()
    assert "✘  2 differ in: ready (the rule of ready)" in found.out
    assert "2 agree, 3 differ" in found.out
    for path in tmp_path.iterdir():
        assert len(path.read_text().splitlines()) < 12  # made smaller
