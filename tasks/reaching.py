"""Reaching stores, databases and MLflow: how long to wait, and one error for the many they have."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from driftline.errors import DriftlineError, SourceError, UnavailableError

S3_OPTIONS: Final[dict[str, Any]] = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}},
}
_STORE_LIBRARIES = frozenset({"botocore", "aiobotocore", "aiohttp", "boto3", "urllib3"})
_MLFLOW_OUTAGES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")


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


@contextmanager
def naming_outages() -> Iterator[None]:
    """Turn what a database, MLflow or its store raise while they are away to `UnavailableError`."""
    try:
        yield
    except Exception as error:
        away = _who_is_away(error)
        if away is None:
            raise
        message = f"{away}: did not answer ({type(error).__name__}); wanted it reachable"
        raise UnavailableError(message) from None


def _who_is_away(error: Exception) -> str | None:
    kind = type(error)
    library = kind.__module__.split(".")[0]
    if library == "sqlalchemy" and kind.__name__ in {"OperationalError", "InterfaceError"}:
        return "the database (DRIFTLINE_DATABASE_URL)"
    if library == "mlflow" and getattr(error, "error_code", "") in _MLFLOW_OUTAGES:
        return "MLflow (MLFLOW_TRACKING_URI)"
    return "the store of MLflow's artifacts" if library in _STORE_LIBRARIES else None
