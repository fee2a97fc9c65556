"""What the service is told by its environment, checked at its start.

A setting that is wrong ends the start with a sentence; it is never taken for one that is missing.
"""

import os
import re

_ORIGIN = re.compile(r"https?://[^/\s,]+|\*")


class SettingError(ValueError):
    """A variable of the environment that cannot be meant as it stands."""


def api_keys() -> tuple[str, ...]:
    """`DRIFTLINE_API_KEYS` by commas, without the blanks around them; none where it is not set."""
    name = "DRIFTLINE_API_KEYS"
    keys = _listed(name)
    if os.environ.get(name) and not keys:
        message = f"{name}: holds no key; wanted keys by commas, or the variable unset for no key"
        raise SettingError(message)
    return keys


def cors_origins() -> tuple[str, ...]:
    """`DRIFTLINE_CORS_ORIGINS` by commas: whose pages may read answers in a browser."""
    origins = tuple(each.rstrip("/") for each in _listed("DRIFTLINE_CORS_ORIGINS"))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            message = f"DRIFTLINE_CORS_ORIGINS: got {origin!r}, wanted https://host[:port] or *"
            raise SettingError(message)
    return origins


def check_settings() -> None:
    """Refuse to start with a setting that cannot be meant."""
    api_keys()
    cors_origins()


def _listed(name: str) -> tuple[str, ...]:
    parts = (part.strip() for part in os.environ.get(name, "").split(","))
    return tuple(part for part in parts if part)
