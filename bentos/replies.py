"""What is answered: a status, a JSON body, headers; and the errors that become one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import orjson

from bentos.log.refusals import Counts
from driftline.contract import Contract

MAX_FIELDS_NAMED = 50

HeaderPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """A status, a body (JSON unless its type says otherwise), and headers beyond those of both."""

    status: int
    body: bytes
    headers: HeaderPairs = field(default=())
    content_type: str = "application/json"

    def having(self, headers: HeaderPairs) -> "Reply":
        """The same with more headers."""
        return replace(self, headers=(*self.headers, *headers)) if headers else self


class RequestError(Exception):
    """A request that cannot be answered, as status, code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Iterable[tuple[str, str]] = (),
        headers: HeaderPairs = (),
    ) -> None:
        """Keep what the error body says."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields, self.headers = tuple(fields)[:MAX_FIELDS_NAMED], headers


class InvalidError(RequestError):
    """Fields that are not as they should be; the first of them are named."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        """Keep each field and its problem."""
        message = "some fields are not as the contract wants them"
        super().__init__(422, "invalid", message, fields=fields)


class RefusedError(InvalidError):
    """Records that a contract refuses, and how many of them at which field for which kind of fault.

    Each bad record of a batch counts, though the batch is refused as a whole; its good ones do not.
    """

    def __init__(
        self, fields: Iterable[tuple[str, str]], contract: Contract, counts: Counts
    ) -> None:
        """Keep the counts beside the fields at fault."""
        super().__init__(fields)
        self.contract, self.counts = contract, counts


LOG_UNAVAILABLE = RequestError(
    503, "log_unavailable", "what is answered must be logged, and that is not possible now"
)
NOT_YET = RequestError(
    503,
    "not_yet",
    "this prediction is not in the log yet; try again",
    headers=(("retry-after", "1"),),
)
NOT_READY = RequestError(503, "not_ready", "there is no model that may serve yet; try again")
FAILED = RequestError(500, "internal", "the request could not be answered")


def error_reply(error: RequestError) -> Reply:
    """The body that every error has."""
    fields = [{"field": name, "problem": problem} for name, problem in error.fields]
    document = {"error": {"code": error.code, "message": error.message, "fields": fields}}
    return Reply(error.status, orjson.dumps(document), error.headers)
