"""Opens the places that rows are read from, and lists their tables.

Keeps what their URLs give away to this process.

Flows, and all that they tell, know a place by its redacted name alone.
"""

import errno
import os
from collections.abc import Sequence
from typing import Any, Final

from driftline.errors import SourceError
from driftline.locations import (
    NO_BUCKET,
    is_path,
    is_readable,
    lacks_bucket,
    path_of,
    redact,
    scheme_of,
    spell_scheme,
)
from tasks.progress import tell
from tasks.reaching import options_for
from tasks.reading.parsing import READERS, SHOWN, has_ending
from tasks.settings import get_settings

SKIPPED_SHOWN: Final = 5
NEVER: Final = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR}  # no waiting mends such a path
_WHOLE: Final[dict[str, str]] = {}  # the URL behind a redacted name
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    scheme: {"allow_redirects": False}  # or an allowed host could name another one
    for scheme in ("http", "https")
}


def conceal(location: str) -> str:
    """The name under which this process may tell of a location, and open it."""
    name = redact(location)
    if name != location:
        _WHOLE[name] = location
    return name


def open_location(name: str) -> tuple[Any, str]:
    """The file system of a place and the path in it; `SourceError` where it may not be read."""
    import fsspec

    if not name.strip():
        message = "source: got an empty name; wanted a path, or an s3:// URL"
        raise SourceError(message)
    if "\x00" in name or not _is_encodable(name):
        message = (
            f"source: got {redact(name)!a}, which no file can be called; wanted a path, or a URL"
        )
        raise SourceError(message)
    location, told = _WHOLE.get(name, name), redact(name)
    scheme = scheme_of(location)
    if not is_readable(location, get_settings().allowed_sources):
        message = (
            f"{told}: not one of the allowed places; wanted a path, or an s3:// URL, or one below "
            "an entry of DRIFTLINE_SOURCES"
        )
        raise SourceError(message)
    if lacks_bucket(location):
        raise SourceError(f"{told}: {NO_BUCKET}")
    if is_path(location):
        filesystem = fsspec.filesystem("file")
        # as it spells its own paths, so that what it lists can be held against this one
        return filesystem, str(filesystem._strip_protocol(path_of(location)))  # noqa: SLF001 - as said
    location = spell_scheme(location)
    try:
        options = options_for(scheme) | _OPTIONS.get(scheme, {})
        filesystem, path = fsspec.core.url_to_fs(location, **options)
    except (ValueError, ImportError) as error:
        message = (
            f"{told}: cannot be opened ({type(error).__name__}); wanted a path, or an s3:// URL"
        )
        raise SourceError(message) from None
    return filesystem, path


def _is_encodable(name: str) -> bool:
    """Whether a file can be called so: half a surrogate pair cannot be written as UTF-8."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def list_files(filesystem: Any, path: str, location: str) -> list[str]:
    """The path of a file, or of all tables of a folder; links are what they lead to."""
    kind = _kind_of(filesystem, path, location)
    if kind == "file":
        return [path]
    if kind != "directory":
        message = f"{location}: neither a file nor a folder; wanted a table that can be read twice"
        raise SourceError(message)
    entries = filesystem.ls(path, detail=True)
    listed = sorted((_follow(filesystem, one) for one in entries), key=lambda one: str(one["name"]))
    found = _drop_twins([one for one in listed if _is_read(one)])
    names, read = [str(one["name"]) for one in listed], set(found)
    skipped = [name.rstrip("/").rsplit("/", 1)[-1] for name in names if name not in read]
    if skipped:
        shown = ", ".join(skipped[:SKIPPED_SHOWN]) + (", ..." if skipped[SKIPPED_SHOWN:] else "")
        tell(f"{location}: not read: {shown}")
    if not found:
        hint = "; tables in folders below it are not read" if _has_folders(listed) else ""
        message = f"{location}: a folder without tables; wanted at least one of {SHOWN}{hint}"
        raise SourceError(message)
    return found


def _drop_twins(tables: Sequence[dict[str, Any]]) -> list[str]:
    """The names of tables; a link to one that is read already, as `latest.csv` is, is none."""
    own = {os.path.realpath(one["name"]) for one in tables if not one.get("islink")}
    found = []
    for one in tables:
        if one.get("islink"):
            place = os.path.realpath(one["name"])
            if place in own:
                continue
            own.add(place)
        found.append(one["name"])
    return found


def _kind_of(filesystem: Any, path: str, location: str) -> str:
    """`file`, `directory`, or another word; `SourceError` where waiting brings nothing."""
    try:
        return str(filesystem.info(path)["type"])
    except FileNotFoundError:
        why = "no such file"
    except OSError as error:
        if error.errno not in NEVER:
            raise
        why = f"no such file ({error.strerror})"
    message = f"{location}: {why}; wanted a table or a folder of them"
    raise SourceError(message)


def _follow(filesystem: Any, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of a folder; a link in it is what it leads to."""
    if not entry.get("islink"):
        return entry
    name = str(entry["name"])
    if not _is_tables(name):
        return entry
    return entry | {"type": _kind_of(filesystem, name, f"{name} -> {entry['destination']}")}


def _is_read(entry: dict[str, Any]) -> bool:
    """Whether it is a table: hidden files, such as macOS leaves beside others, are none."""
    return entry["type"] == "file" and _is_tables(str(entry["name"]))


def _has_folders(entries: Sequence[dict[str, Any]]) -> bool:
    return any(one["type"] == "directory" for one in entries)


def _is_tables(path: str) -> bool:
    """Whether a table is called so."""
    name = path.rsplit("/", 1)[-1]
    return not name.startswith((".", "_")) and has_ending(name, *READERS)
