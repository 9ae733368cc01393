"""TLS for the server's sockets."""

import ssl


def context(certificate: str, key: str | None) -> ssl.SSLContext:
    """For a server with this certificate, and the key where that is not in the same file. Raises OSError."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate, key)
    return made
