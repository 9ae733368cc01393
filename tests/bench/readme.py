"""The table in the README."""

import re

BLOCK = re.compile(r"(?<=^<!-- bench -->\n```text\n\$ python tests/bench\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def renewed(text: str, table: str) -> str:
    """The README with this table in place of the one that it has."""
    found, count = BLOCK.subn(lambda _: f"{table}\n", text)
    assert count == 1, "the README has one place for the table"
    return found
