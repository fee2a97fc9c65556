"""What of a database's errors no waiting mends: a refused login, a damaged file.

Drivers tell most of it in words alone; these are those of libpq, MySQL's protocol and SQLite.
"""

import re
from typing import Final

UNKNOWN_HOST: Final = "its host is unknown; wanted one whose name can be resolved"
_LOGIN = "the login was refused; wanted a user and a password that it knows"
_NO_DATABASE = "it has no database of that name; wanted one that was created"
_DAMAGED = (
    "is damaged, or no SQLite database; bring it back from a copy, or move it away with its -wal "
    "and -shm, and a new one is begun"
)
_READ_ONLY = "cannot be written or opened; wanted a file and a folder with write access"
NO_ROOM_LEFT: Final = "no room is left on its disk; wanted some"
# of SQLite, PostgreSQL and MySQL
_OF_FULL = ("database or disk is full", "No space left on device", "is full (28)")
_WORDS: Final = (
    (r"password authentication failed|no password supplied|authentication failed", _LOGIN),
    (r'role ".*" does not exist|no pg_hba\.conf entry|permission denied for database', _LOGIN),
    (r"\((1044|1045|1698), ", _LOGIN),
    (r'database ".*" does not exist|\(1049, ', _NO_DATABASE),
    (r"Name or service not known|No address associated|nodename nor servname", UNKNOWN_HOST),
    (r"file is not a database|disk image is malformed|malformed database schema", _DAMAGED),
    (r"readonly database|unable to open database file", _READ_ONLY),
)


def advice_on(error: BaseException) -> str | None:
    """What is wrong and wanted, in words that hold nothing of the URL; None where it may pass."""
    said = str(getattr(error, "orig", None) or error)
    found = (advice for words, advice in _WORDS if re.search(words, said))
    return next(found, None)


def is_full(error: BaseException) -> bool:
    """Whether a database says that its disk has no room; it may have some by and by."""
    return any(words in str(error) for words in _OF_FULL)
