"""Why there is no verdict: what a real broker, or the way to it, did not allow."""


class BrokerProblem(Exception):
    """The text is one line for a person, without any password."""


class NotOnARealBroker(Exception):
    """The scenario asks for what cannot be done on a broker that others use; the text says what."""


class NoAccess(BrokerProblem):
    """The user is known, but may not enter that virtual host, or there is none of that name."""
