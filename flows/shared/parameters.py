"""What a flow is asked, before anything is done with it: text that can be written anywhere."""

from collections.abc import Mapping
from typing import Any

from driftline.errors import SettingsError
from driftline.locations import redact

NUL = "\0"  # which no path, no command and no column of PostgreSQL takes


def refuse_unwritable(parameters: Mapping[str, Any]) -> None:
    """`SettingsError` names a parameter whose text no file and no database can hold.

    Half a surrogate pair is what Python makes of a name of bytes that are not UTF-8.
    """
    for name, value in parameters.items():
        if isinstance(value, str) and not _is_writable(value):
            message = f"{name}: got {redact(value)!a}, wanted text in UTF-8 without NUL characters"
            raise SettingsError(message)


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return NUL not in text
