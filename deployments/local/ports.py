"""Ports of this machine: whether a part can listen there."""

from bentos.health.start import what_keeps_from
from driftline.errors import SettingsError


def refuse_taken(port: int, name: str, option: str, host: str = "127.0.0.1") -> None:
    """`SettingsError` where another program listens on this port already."""
    why = what_keeps_from(host, port)
    if why is not None:
        message = (
            f"port {port} ({name}): {why}; "
            f"stop what listens there, or give another one with {option}"
        )
        raise SettingsError(message)
