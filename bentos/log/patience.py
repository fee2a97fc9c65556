"""Connections to PostgreSQL that give up a server which has gone silent.

Its library waits for an answer without end: a host that hangs, or a proxy that holds the
connection and passes nothing on, would stop whoever asks for good.
"""

from typing import Any

import psycopg
from psycopg import errors


class PatientConnection(psycopg.Connection[Any]):
    """Each statement has so many seconds; then the connection is closed and the statement fails."""

    silence_seconds: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, but not for ever."""
        try:
            return super().wait(gen, interval, timeout or self.silence_seconds)
        except errors._WaitTimeout:  # noqa: SLF001 - psycopg has no public name for it
            self.pgconn.finish()
            message = "the server gave no answer in time"
            raise psycopg.OperationalError(message) from None


def connect_patiently(seconds: float, *words: Any, **arguments: Any) -> PatientConnection:
    """Connect, and wait so long for each answer from then on."""
    connection = PatientConnection.connect(*words, **arguments)
    connection.silence_seconds = seconds
    return connection
