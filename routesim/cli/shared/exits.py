"""Exit statuses, the same for every command, and what ends a command early."""

from typing import Any

OK = 0  # the answer is yes
NO = 1  # the answer is no: an expectation or a step failed, a livelock, a difference, a finding
UNUSABLE = 2  # routesim did not understand: command line, unreadable or invalid scenario
NO_VERDICT = 3  # broker unreachable, a budget used up, an internal error
INTERRUPTED = 130


class UsageError(Exception):
    """The command line asks for something that there is not; the text says what there is."""


class FilesRefused(Exception):
    """Files cannot be used. `files`: the name of each, and its diagnostics, which stderr has been given already."""

    def __init__(self, files: list[tuple[str, list[Any]]]) -> None:
        super().__init__(", ".join(name for name, _ in files))
        self.files = files
