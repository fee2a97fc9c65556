"""Where rows may be read from, and how a place is told without what it gives away.

A URL may hold a password, and its query a signature that opens the file to whoever has it.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, unquote, urlsplit

HIDDEN = "***"
OF_THIS_MACHINE = ("", "file", "local")
FREE_SCHEMES = (*OF_THIS_MACHINE, "s3")
NO_BUCKET = "names no bucket; wanted s3://bucket/path"
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_VALUE = re.compile(r"(?<==)[^&#\s]*")


def redact(location: str) -> str:
    """A location as it may be told: without user, password and the values of its query."""
    if "://" not in location:
        return location
    place, mark, query = location.partition("?")
    return _USERINFO.sub(f"{HIDDEN}@", place) + mark + _VALUE.sub(HIDDEN, query)


def is_readable(location: str, allowed: Collection[str]) -> bool:
    """Whether rows may be read there: from files and S3, else below an allowed URL.

    User, password and query count for neither; a name of a host has to be allowed as a whole.
    """
    if scheme_of(location) in FREE_SCHEMES and "::" not in location:
        return True
    return any(_is_below(urlsplit(location), urlsplit(each)) for each in allowed)


def scheme_of(location: str) -> str:
    """The scheme of a URL, in small letters; none of a path."""
    return location.partition("://")[0].lower() if "://" in location else ""


def is_path(location: str) -> bool:
    """Whether it names a place of this machine, by its path or by a `file://` URL."""
    return scheme_of(location) in OF_THIS_MACHINE


def spell_scheme(location: str) -> str:
    """A URL with its scheme in small letters; paths stay."""
    scheme, mark, rest = location.partition("://")
    return f"{scheme.lower()}{mark}{rest}" if mark else location


def path_of(location: str) -> str:
    """The path of a place of this machine; the host of a `file://` URL may be `localhost`."""
    if "://" not in location:
        return location
    rest = location.partition("://")[2]
    return rest.removeprefix("localhost") if rest.startswith("localhost/") else rest


def lacks_bucket(location: str) -> bool:
    """Whether it is an `s3://` URL without a bucket, as where a variable in it is not set."""
    rest = location.partition("://")[2]
    return scheme_of(location) == "s3" and (not rest or rest.startswith(("/", "?")))


def _is_below(place: SplitResult, allowed: SplitResult) -> bool:
    folder = allowed.path.rstrip("/")
    steps = unquote(place.path)
    return (
        (place.scheme.lower(), _host(place)) == (allowed.scheme.lower(), _host(allowed))
        and ".." not in re.split(r"[/\\]", steps)
        and (steps == unquote(folder) or steps.startswith(f"{unquote(folder)}/"))
    )


def _host(place: SplitResult) -> str:
    return place.netloc.rpartition("@")[2].lower()
