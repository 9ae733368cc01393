"""Secrets in a text that somebody else's code has written: masked as far as they show that they are some."""

import re

MASK = "***"
_NAME = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|passwd|pwd|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|authorization|dsn)[\w.-]*|\bpass"
)
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:(?:bearer|basic|token)\s+)?[^\s,;&"'(){}\[\]<>]+)"""
# password=…, 'api_key': '…', Authorization: Bearer …; not the name of an exception before its text.
NAMED = re.compile(
    rf"(?P<name>\b(?:{_NAME})(?<!error)(?<!exception)(?<!warning)[\"']?\s*(?:=>|={{1,2}}|:)\s*(?:[bru](?=[\"']))?){_VALUE}",
    re.IGNORECASE,
)
SAID = re.compile(r"\b(?P<name>(?:password|passwd|passphrase|token|secret|key)\s+)(?=[^\s,;]*[0-9])[^\s,;]{6,}", re.IGNORECASE)
CREDENTIALS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)\S*@", re.IGNORECASE)
BARE_CREDENTIALS = re.compile(r"\b[\w.+%-]+:[^\s:@/'\"]+@(?=[\w.-]+)")  # user:password@host, without a scheme
FORMS = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[opsur]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}"
    r"|\bsk[-_](?:live|test|proj|ant)?[-_]?[\w-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def masked(text: str) -> str:
    """The text with `***` in place of passwords, tokens and keys."""
    text = CREDENTIALS.sub(rf"\1{MASK}@", text)
    text = NAMED.sub(lambda found: f"{found['name']}{MASK}", text)
    text = SAID.sub(lambda found: f"{found['name']}{MASK}", text)
    text = BARE_CREDENTIALS.sub(f"{MASK}@", text)
    return FORMS.sub(MASK, text)
