"""Where the management plugin of a broker is that only its AMQP address was said of."""

import socket

from routesim.rabbitmq.url import AMQP_PORT, AMQPS_PORT, MANAGEMENT_PORT, Address, WebAddress, management_of

APART = MANAGEMENT_PORT - AMQP_PORT  # how far the two ports of a second broker on one machine mostly are from each other
PATIENCE_S = 2
LAST_PORT = 65_535


def management_beside(amqp: Address) -> WebAddress:
    """At the same host, with the same credentials: for an AMQP port of one's own at that many ports above it, if somebody listens
    there, else at the usual port."""
    if amqp.port not in (AMQP_PORT, AMQPS_PORT) and amqp.port + APART <= LAST_PORT and _listens(amqp.host, amqp.port + APART):
        return management_of(amqp, amqp.port + APART)
    return management_of(amqp)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except (OSError, UnicodeError):
        return False
    return True
