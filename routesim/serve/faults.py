"""What clients say wrongly, in AMQP: the error that RabbitMQ answers, and the method that is to blame."""

from routesim.amqp.methods import BadMethod, Method, UnknownMethod, id_of, parsed
from routesim.replies import AmqpError

NOBODY = (0, 0)


class Fault(AmqpError):
    """An error with the class and number of the method at fault."""

    def __init__(self, code: int, text: str, at: tuple[int, int] = NOBODY) -> None:
        super().__init__(code, text)
        self.at = at


def method_of(payload: bytes) -> Method:
    """The method in a frame. Raises `Fault`."""
    try:
        return parsed(payload)
    except UnknownMethod:
        raise Fault(541, "INTERNAL_ERROR") from None
    except BadMethod as bad:
        raise Fault(501, f"cannot decode <<{','.join(map(str, payload[4:]))}>>", bad.id) from None


def fault_of(name: str, code: int, text: str) -> Fault:
    """An error of a method that is understood and not carried out."""
    return Fault(code, text, id_of(name))


def limited(text: str) -> str:
    """A reply text, which is a short string: RabbitMQ cuts what is longer."""
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= 255 else data[:252].decode("utf-8", "surrogateescape") + "..."
