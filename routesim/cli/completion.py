"""`routesim completion`: the script by which a shell completes routesim's command lines."""

from pathlib import Path
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.parameters import Positional

SCRIPTS = Path(__file__).parent / "completions"
SHELLS = {"bash": "routesim.bash", "zsh": "_routesim", "fish": "routesim.fish"}  # the names that their folders want
INSTALLING = {
    "bash": "routesim completion bash >> ~/.bash_completion",
    "zsh": "routesim completion zsh > ~/.zsh/completions/_routesim",
    "fish": "routesim completion fish > ~/.config/fish/completions/routesim.fish",
}
EXAMPLES = examples(*INSTALLING.values())


def script(shell: str) -> str:
    return (SCRIPTS / SHELLS[shell]).read_text(encoding="utf-8")


def completion(shell: Annotated[str, Positional(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the script by which bash, zsh or fish completes commands, files and the names in them.

    In zsh the folder has to be one of $fpath. For this shell alone: source <(routesim completion bash).
    """
    from routesim.cli.shared.exits import UsageError
    from routesim.cli.shared.output import opened
    from routesim.diagnostics import did_you_mean

    if shell not in SHELLS:
        hint = did_you_mean(shell, SHELLS)
        raise UsageError(f"completion is for {', '.join(SHELLS)}, not '{shell}'" + (f"; {hint}" if hint else ""))
    with opened(None) as out:
        out.write(script(shell))


COMMAND = CliCommand(completion, EXAMPLES)
