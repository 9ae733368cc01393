"""What `check` finds in a text, and whether its witness shows it."""

from pathlib import Path

from routesim.check import check_file
from routesim.diagnostics import Diagnostic
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source


def found(tmp_path: Path, text: str, **options: str | list[str]) -> dict[str, Diagnostic]:
    path = tmp_path / "topology.yaml"
    path.write_text(text, encoding="utf-8")
    return {finding.code: finding for finding in check_file(str(path), **options)}  # type: ignore[arg-type]


def runs(finding: Diagnostic) -> bool:
    assert finding.witness is not None
    result = Runner(load_source(Source("witness", finding.witness.scenario), ""), max_events=200_000).run()
    return result.ok


def all_found(tmp_path: Path, text: str) -> list[Diagnostic]:
    path = tmp_path / "all.yaml"
    path.write_text(text, encoding="utf-8")
    return check_file(str(path))
