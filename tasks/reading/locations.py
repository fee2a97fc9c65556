"""Opens the places that rows are read from, and keeps what their URLs give away to this process.

Flows, and all that they tell, know a place by its redacted name alone.
"""

from typing import Any, Final

from driftline.errors import SourceError
from driftline.locations import is_readable, redact, scheme_of
from tasks.reaching import options_for
from tasks.settings import get_settings

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

    location, told = _WHOLE.get(name, name), redact(name)
    scheme = scheme_of(location)
    if not is_readable(location, get_settings().allowed_sources):
        message = (
            f"{told}: not one of the allowed places; wanted a path, or an s3:// URL, or one below "
            "an entry of DRIFTLINE_SOURCES"
        )
        raise SourceError(message)
    try:
        options = options_for(scheme) | _OPTIONS.get(scheme, {})
        filesystem, path = fsspec.core.url_to_fs(location, **options)
    except (ValueError, ImportError) as error:
        message = (
            f"{told}: cannot be opened ({type(error).__name__}); wanted a path, or an s3:// URL"
        )
        raise SourceError(message) from None
    return filesystem, path
