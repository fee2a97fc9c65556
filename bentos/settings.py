"""What the service is told by its environment, checked at its start.

A setting that is wrong ends the start with a sentence; it is never taken for one that is missing.
"""

import math
import os
import re
from pathlib import Path

from bentos.takeover.curves import KEY_WANTED, PublicKey, parse_public_key

DATABASES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "postgres": "postgresql",  # what many tools write
    "mysql": "mysql",
    "mysql+pymysql": "mysql",
    "mariadb": "mysql",
    "mariadb+pymysql": "mysql",
}
LEAST_KEY_LENGTH = 32
SWITCH = {"true": True, "1": True, "false": False, "0": False}
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


def retention_days() -> float:
    """`DRIFTLINE_RETENTION_DAYS`: the age at which inputs are forgotten; 0 keeps them."""
    return _number("DRIFTLINE_RETENTION_DAYS", "0", least=0, wanted="a number of days, such as 30")


def _number(name: str, default: str, *, least: float, wanted: str) -> float:
    text = os.environ.get(name) or default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        message = f"{name}: got {text!r}, wanted {wanted}"
        raise SettingError(message)
    return number


def signing_key() -> str:
    """`DRIFTLINE_SIGNING_KEY`, which signs bentos and tells those that are signed; "" for none."""
    key = os.environ.get("DRIFTLINE_SIGNING_KEY", "").strip()
    if key and len(key) < LEAST_KEY_LENGTH:
        message = (
            f"DRIFTLINE_SIGNING_KEY: got {len(key)} characters, wanted at least "
            f"{LEAST_KEY_LENGTH}, such as those of: openssl rand -hex 32"
        )
        raise SettingError(message)
    return key


def evidence_public_key() -> PublicKey | None:
    """`DRIFTLINE_EVIDENCE_PUBLIC_KEY`, whose owner has to have signed what is loaded.

    The path of a PEM file, or the PEM itself, whose lines may be one; None for no such key.
    """
    name = "DRIFTLINE_EVIDENCE_PUBLIC_KEY"
    told = os.environ.get(name, "").strip()
    if not told:
        return None
    try:
        # whatever is a key, a private one too, is no path: an error would print it
        pem = told if "-----BEGIN" in told else Path(told).read_text(encoding="ascii")
        return parse_public_key(pem)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingError(f"{name}: cannot read {told} ({why}); {KEY_WANTED}") from None
    except ValueError:
        raise SettingError(f"{name}: got something else; {KEY_WANTED}, or its path") from None


def state_folder() -> Path:
    """`DRIFTLINE_HOME`: where all state lies."""
    return expand(Path(os.environ.get("DRIFTLINE_HOME") or ".driftline")).absolute()


def spool_folder() -> Path:
    """`DRIFTLINE_SPOOL_DIR`: where predictions wait for the database."""
    return expand(
        Path(os.environ.get("DRIFTLINE_SPOOL_DIR") or state_folder() / "spool")
    ).absolute()


def spool_setting() -> str:
    """The variable by which another folder for waiting predictions is had."""
    return "DRIFTLINE_SPOOL_DIR" if os.environ.get("DRIFTLINE_SPOOL_DIR") else "DRIFTLINE_HOME"


def expand(path: Path) -> Path:
    """A path whose `~` no shell has seen, as where it comes from a file of variables."""
    try:
        return path.expanduser()
    except RuntimeError:  # of a user that there is not
        return path


def lookup_folder() -> Path:
    """`DRIFTLINE_LOOKUP_DIR`: where the tables lie from which fields are filled in."""
    told = os.environ.get("DRIFTLINE_LOOKUP_DIR")
    return expand(Path(told or state_folder() / "lookups")).absolute()


def lookup_seconds() -> float:
    """`DRIFTLINE_LOOKUP_SECONDS`: how long what was read of a table's pointer is good."""
    return _number("DRIFTLINE_LOOKUP_SECONDS", "30", least=1, wanted="seconds, such as 30")


def is_durable() -> bool:
    """`DRIFTLINE_DURABLE`: whether an answer waits until its log is on the disk."""
    text = os.environ.get("DRIFTLINE_DURABLE") or "false"
    if text.lower() not in SWITCH:
        raise SettingError(f"DRIFTLINE_DURABLE: got {text!r}, wanted true or false")
    return SWITCH[text.lower()]


def database_kind(url: str) -> str:
    """`sqlite`, `postgresql` or `mysql`, by a URL's scheme; the rest may hold a password."""
    scheme = url.partition("://")[0]
    kind = DATABASES.get(scheme)
    if kind is None or "://" not in url:
        told = f"the scheme {scheme!r}" if "://" in url else "no scheme"
        message = (
            f"DRIFTLINE_DATABASE_URL: got {told}, wanted sqlite:///, postgresql://, mysql:// "
            "or mariadb://"
        )
        raise SettingError(message)
    return kind


def check_settings() -> None:
    """Refuse to start with a setting that cannot be meant."""
    api_keys()
    cors_origins()
    retention_days()
    lookup_seconds()
    signing_key()
    evidence_public_key()
    is_durable()
    url = os.environ.get("DRIFTLINE_DATABASE_URL")
    if url:
        database_kind(url)


def _listed(name: str) -> tuple[str, ...]:
    parts = (part.strip() for part in os.environ.get(name, "").split(","))
    return tuple(part for part in parts if part)
