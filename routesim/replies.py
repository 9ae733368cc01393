"""What a broker answers when it refuses: AMQP's reply codes and their names."""

REPLY_NAMES = {
    400: "BAD_REQUEST",  # the management API's answer to a policy that it does not take
    311: "CONTENT_TOO_LARGE",
    312: "NO_ROUTE",
    313: "NO_CONSUMERS",
    320: "CONNECTION_FORCED",
    402: "INVALID_PATH",
    403: "ACCESS_REFUSED",
    404: "NOT_FOUND",
    405: "RESOURCE_LOCKED",
    406: "PRECONDITION_FAILED",
    501: "FRAME_ERROR",
    502: "SYNTAX_ERROR",
    503: "COMMAND_INVALID",
    504: "CHANNEL_ERROR",
    505: "UNEXPECTED_FRAME",
    506: "RESOURCE_ERROR",
    530: "NOT_ALLOWED",
    540: "NOT_IMPLEMENTED",
    541: "INTERNAL_ERROR",
}
REPLY_SUCCESS = 200
CLOSED_BY_CLIENT = "closed by the client"
CHANNEL_CODES = frozenset({311, 313, 400, 403, 404, 405, 406})


class AmqpError(Exception):
    """The broker closes the channel, or for a hard error the whole connection, with this code and text.

    `text` is complete (`NOT_FOUND - no queue 'q' in vhost '/'`). `argument` names the queue or exchange argument at
    fault, for callers that know where it was written.
    """

    def __init__(self, code: int, text: str, *, argument: str | None = None) -> None:
        self.code = code
        # A crash inside the broker has no words of its own.
        self.text = text if text == REPLY_NAMES[code] else f"{REPLY_NAMES[code]} - {text}"
        self.argument = argument
        super().__init__(self.text)

    @property
    def closes_connection(self) -> bool:
        return self.code not in CHANNEL_CODES
