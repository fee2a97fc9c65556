"""Ports of this machine: whether a part can listen there."""

import socket

from driftline.errors import SettingsError


def refuse_taken(port: int, name: str, option: str) -> None:
    """`SettingsError` where another program listens on this port already."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or "not a port"
            message = (
                f"port {port} ({name}): {why}; "
                f"stop what listens there, or give another one with {option}"
            )
            raise SettingsError(message) from None
