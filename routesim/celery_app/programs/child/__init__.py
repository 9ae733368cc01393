"""What runs in the interpreter that has FastStream or kombu: imports a module, and lets the library declare what is in it.

What the library asks of its channel is written down instead of sent; nothing is connected. As the other `child`, with parts of
which it runs, it needs the standard library and the one library that it is about. Of the broker's address only the virtual host
leaves it.
"""

from pathlib import Path

from routesim.celery_app import child


def files(library: str) -> list[Path]:
    """The parts that read a program of that library, in the order in which they are needed."""
    own = ("declaration_log", "choosing", f"{library}_program")
    return [*child.files(child.SHARED), *(Path(__file__).with_name(f"{part}.py") for part in own)]
