"""A SQLite file that is damaged: how it shows, and what to do about it."""

import sqlite3

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_damage(error: BaseException | None) -> bool:
    """Whether it was raised, by whomever in between, since SQLite found its file broken."""
    while error is not None:
        code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
        if code in DAMAGED:
            return True
        error = error.__cause__
    return False


def describe_damage(url: str) -> str:
    """The file of a database's URL, and the ways out."""
    path = url.partition("://")[2].removeprefix("/")
    return (
        f"{path}: is damaged; bring it back from a copy, or move it away with its -wal and -shm, "
        "and a new one is begun"
    )
