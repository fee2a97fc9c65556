"""Reaching stores, databases, MLflow and Prefect: how long to wait, and one error for many."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

from bentos.health.paths import NO_ROOM, explain_path
from driftline.errors import DriftlineError, SettingsError, SourceError, UnavailableError
from tasks.mistakes import (
    DATABASE,
    MLFLOW,
    NO_ROOM_LEFT,
    advice_on,
    is_disk_full,
    is_mlflows_refusal,
    name_of,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

S3_OPTIONS: Final[dict[str, Any]] = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}},
}
PREFECT_IS_AWAY = frozenset({502, 503, 504})  # its database is busy, or its proxy is alone
_STORE_LIBRARIES = frozenset({"botocore", "aiobotocore", "aiohttp", "boto3", "urllib3"})
_DATABASE_ERRORS = frozenset({"OperationalError", "InterfaceError", "DatabaseError"})
_MLFLOW_OUTAGES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")


def options_for(protocol: str) -> dict[str, Any]:
    """What fsspec is told when it opens a file system of this kind."""
    return S3_OPTIONS if protocol == "s3" else {}


def open_client() -> "MlflowClient":
    """A client of the configured tracking server, or of its database.

    How long to wait for that, and what to say of it, is for our tasks: MLflow itself would wait for
    100 s at each attempt, and print a stack trace.
    """
    from mlflow import MlflowClient
    from mlflow.store.db import utils

    utils.MAX_RETRY_COUNT = 1
    logging.getLogger(utils.__name__).setLevel(logging.CRITICAL)
    return MlflowClient()


def is_of_store(error: Exception) -> bool:
    """Whether a store or a disk raised it, whatever the content of the file is."""
    library = type(error).__module__.split(".")[0]
    return library in _STORE_LIBRARIES or (isinstance(error, OSError) and error.errno is not None)


def of_path(error: BaseException, unnamed: str = "a file of this run") -> DriftlineError | None:
    """What an error of this machine's files comes to for a person; None where it is another."""
    told = explain_path(error, unnamed)
    if told is None:
        return None
    is_full = isinstance(error, OSError) and error.errno in NO_ROOM
    return UnavailableError(told) if is_full else SourceError(told)


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn what a store raises into `SourceError`, or `UnavailableError` where it may pass."""
    try:
        yield
    except DriftlineError:
        raise
    except Exception as error:
        if (wrong_path := of_path(error, address)) is not None:
            raise wrong_path from None
        if isinstance(error, PermissionError):  # of a bucket
            message = (
                f"{address}: access denied; check its permissions, the AWS_* variables, this clock"
            )
            raise SourceError(message) from None
        if isinstance(error, FileNotFoundError):
            message = f"{address}: no such file or bucket; wanted an existing one"
            raise SourceError(message) from None
        if (advice := advice_on(error)) is not None:
            message = f"{address}: {advice}"
            raise SourceError(message) from None
        if not isinstance(error, OSError) and (
            type(error).__module__.split(".")[0] not in _STORE_LIBRARIES
        ):
            raise
        why = getattr(error, "strerror", None) or type(error).__name__
        message = f"{address}: did not answer ({why}); wanted a reachable store"
        raise UnavailableError(message) from None


def read_whole(filesystem: Any, path: str) -> bytes:
    """All bytes of a file; `UnavailableError` where fewer came than it has."""
    content: bytes = filesystem.cat_file(path)
    size = filesystem.size(path)
    if size is not None and len(content) != size:
        message = f"{path}: got {len(content)} of {size} bytes; wanted the whole file"
        raise UnavailableError(message)
    return content


@contextmanager
def another_may_be_faster() -> Iterator[None]:
    """Let pass that MLflow has by now what is being created."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def reading_artifacts(owner: str) -> Iterator[None]:
    """What MLflow says where its store is away: that the artifacts do not exist."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.split(".")[0] not in {"mlflow", *_STORE_LIBRARIES}:
            raise
        if (advice := advice_on(error)) is not None:
            message = f"artifacts of {owner}: {advice}"
            raise SourceError(message) from None
        message = f"artifacts of {owner}: cannot be read from MLflow's store; wanted it reachable"
        raise UnavailableError(message) from None


@contextmanager
def naming_outages() -> Iterator[None]:
    """Turn what a database, MLflow or its store raise while they are away to `UnavailableError`.

    What no waiting mends becomes a `SettingsError`.
    """
    try:
        yield
    except DriftlineError:
        raise
    except Exception as error:
        if (wrong_path := of_path(error)) is not None:
            raise wrong_path from None
        away = _who_is_away(error)
        if away is None:
            raise
        if (advice := advice_on(error)) is not None:
            message = f"{name_of(away)}: {advice}"
            raise SettingsError(message) from None
        if is_disk_full(error):
            raise UnavailableError(f"{name_of(away)}: {NO_ROOM_LEFT}") from None
        message = f"{away}: did not answer ({type(error).__name__}); wanted it reachable"
        raise UnavailableError(message) from None


def is_prefect_away(error: Exception) -> bool:
    """Whether Prefect's client gave up on its server, at the begin of a run or in its midst."""
    kinds = {f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__}
    is_at_begin = isinstance(error, RuntimeError) and "Failed to reach API" in str(error)
    status = getattr(getattr(error, "response", None), "status_code", 0)
    is_overwhelmed = "httpx.HTTPStatusError" in kinds and status in PREFECT_IS_AWAY
    return is_at_begin or is_overwhelmed or "httpx.TransportError" in kinds


def _who_is_away(error: Exception) -> str | None:
    kind = type(error)
    library = kind.__module__.split(".")[0]
    is_away = library == "mlflow" and getattr(error, "error_code", "") in _MLFLOW_OUTAGES
    if is_away or is_mlflows_refusal(error):
        return MLFLOW
    if _is_of_database(error) or (library == "mlflow" and _is_of_database(error.__cause__)):
        return MLFLOW if _is_mlflows(error) else DATABASE
    return "the store of MLflow's artifacts" if library in _STORE_LIBRARIES else None


def _is_mlflows(error: BaseException) -> bool:
    """Whether it was raised on behalf of MLflow, which has a database of its own."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return any(name.startswith("mlflow.") for name in names)


def _is_of_database(error: BaseException | None) -> bool:
    kind = type(error)
    return kind.__module__.startswith("sqlalchemy.") and kind.__name__ in _DATABASE_ERRORS
