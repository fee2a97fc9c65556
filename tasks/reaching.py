"""Reaching files and buckets: how long to wait, and one error for the many that stores have."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from driftline.errors import DriftlineError, SourceError, UnavailableError

S3_OPTIONS: Final[dict[str, Any]] = {
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}}
}
_STORE_LIBRARIES = frozenset({"botocore", "aiobotocore", "aiohttp"})


def options_for(protocol: str) -> dict[str, Any]:
    """What fsspec is told when it opens a file system of this kind."""
    return S3_OPTIONS if protocol == "s3" else {}


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn what a store raises into `SourceError`, or `UnavailableError` where it may pass."""
    try:
        yield
    except DriftlineError:
        raise
    except (FileNotFoundError, IsADirectoryError):
        message = f"{address}: no such file or bucket; wanted an existing one"
        raise SourceError(message) from None
    except PermissionError:
        message = f"{address}: access denied; check the file's permissions or the AWS_* variables"
        raise SourceError(message) from None
    except Exception as error:
        if not isinstance(error, OSError) and (
            type(error).__module__.split(".")[0] not in _STORE_LIBRARIES
        ):
            raise
        why = getattr(error, "strerror", None) or type(error).__name__
        message = f"{address}: did not answer ({why}); wanted a reachable store"
        raise UnavailableError(message) from None
