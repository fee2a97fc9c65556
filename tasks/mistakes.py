"""What of the outside world's errors no waiting mends, and what a person is told of it."""

import os
import socket
from collections.abc import Iterator
from typing import Final

from bentos.log import mistakes
from tasks.settings import get_settings

MLFLOW: Final = "MLflow (MLFLOW_TRACKING_URI)"
DATABASE: Final = "the database (DRIFTLINE_DATABASE_URL)"
_DATABASES = frozenset({"sqlalchemy", "psycopg", "pymysql", "sqlite3"})
_UNKNOWN_HOSTS = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_OF_STORES = {
    "NoCredentialsError": "no credentials were found; wanted them in AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or a profile",
    "PartialCredentialsError": "half of the credentials is missing; wanted AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY",
    "ParamValidationError": "not a name that a bucket can have; wanted s3://bucket/prefix",
    "InvalidEndpoint": "AWS_ENDPOINT_URL is no URL; wanted one such as https://host:port",
}
_REFUSALS = frozenset({"UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED"})
_WORDS_OF_REFUSAL = ("unauthorized", "unauthenticated", "forbidden", "permission denied")
NO_ROOM_LEFT: Final = mistakes.NO_ROOM_LEFT
_LOGIN = (
    "it refuses this user; wanted MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
    "MLFLOW_TRACKING_TOKEN, of one who may write there"
)


def advice_on(error: BaseException) -> str | None:
    """What is wrong and what is wanted instead; None where the error may pass by itself."""
    for cause in _causes(error):
        kind = type(cause)
        if is_mlflows_refusal(cause):
            return _LOGIN
        if isinstance(cause, socket.gaierror) and cause.errno in _UNKNOWN_HOSTS:
            return mistakes.UNKNOWN_HOST
        if kind.__module__.split(".")[0] in _DATABASES and (advice := mistakes.advice_on(cause)):
            return advice
        if kind.__module__.startswith("botocore.") and kind.__name__ in _OF_STORES:
            return _OF_STORES[kind.__name__]
        if isinstance(cause, ValueError) and str(cause).startswith("Invalid endpoint"):
            return _OF_STORES["InvalidEndpoint"]
    return None


def is_disk_full(error: BaseException) -> bool:
    """Whether a database says that its disk has no room; it may have some by and by."""
    return any(map(mistakes.is_full, _causes(error)))


def is_mlflows_refusal(error: BaseException) -> bool:
    """Whether an MLflow server, or what stands before it, does not let this user do this.

    What stands before it may answer JSON of its own, in which MLflow's client finds no code.
    """
    if type(error).__module__.split(".")[0] != "mlflow":
        return False
    answer = getattr(error, "json", None)
    if isinstance(answer, dict) and not answer.get("error_code"):
        return any(word in str(answer).lower() for word in _WORDS_OF_REFUSAL)
    return getattr(error, "error_code", "") in _REFUSALS


def name_of(system: str) -> str:
    """A system as messages name it: by its file, where it is one."""
    addresses = {MLFLOW: os.environ.get("MLFLOW_TRACKING_URI"), DATABASE: get_settings().database}
    url = addresses.get(system)
    if url is not None and url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    return system


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__ or error
