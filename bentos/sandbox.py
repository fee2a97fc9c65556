"""The API in a sandbox of a cloud: one model, loaded when the first request comes.

AWS, Google and Azure share it, so they cannot differ: what carries their requests only takes them
apart and puts answers together. Requests are answered one at a time, as by a Lambda. Predictions
are in the database before they are answered, since a sandbox's disk may be gone afterwards.
"""

import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

from bentos.api import Api
from bentos.http.door import HEALTH, Headers, find_coding, find_key
from bentos.http.emf import MetricLedger
from bentos.log.direct import DirectLog
from bentos.log.writers import LogUnavailableError
from bentos.predictor import ModelRefusedError, load_predictor
from bentos.replies import FAILED, NOT_READY, Reply, error_reply
from bentos.settings import SettingError, api_keys, cors_origins
from bentos.tables.bringing import Bringer
from bentos.tables.stocking import stock
from driftline.contract import Contract

_API: Api | None = None
_TABLES: Bringer | None = None
_ONE_AT_A_TIME = Lock()  # a cloud's server has threads; model, log and counts are for one


def answer(method: str, path: str, body: bytes, headers: Headers) -> Reply:
    """Answer one request; the answer to a `HEAD` has no body."""
    try:
        with _ONE_AT_A_TIME:
            reply = _respond(_open(), method, path, body, headers)
    except (ModelRefusedError, SettingError) as error:
        sys.stderr.write(f"not ready: {error}\n")
        reply = error_reply(NOT_READY)
    except Exception as error:  # noqa: BLE001 - a request must never end in a trace
        sys.stderr.write(f"a request failed: {type(error).__name__}\n")
        reply = error_reply(FAILED)
    return replace(reply, body=b"") if method == "HEAD" else reply


def raw_headers(given: Iterable[tuple[str, str]], encoding: str = "utf-8") -> Headers:
    """Headers as they came over the wire, their names in lower case."""
    return [(name.lower().encode(encoding), value.encode(encoding)) for name, value in given]


def all_headers(reply: Reply) -> dict[str, str]:
    """The headers of an answer, its content type among them."""
    return {"content-type": reply.content_type, **dict(reply.headers)}


def _respond(api: Api, method: str, path: str, body: bytes, headers: Headers) -> Reply:
    key, coding = find_key(headers), find_coding(headers)
    if path in HEALTH and method in {"GET", "HEAD"}:
        reply = Reply(200, b'{"status":"ok"}')
    elif method == "OPTIONS" and path in api.routes:
        reply = api.door.options(path, headers)
    else:
        _refresh_tables(api)
        reply = api.respond(method, path, body, key, coding)
    return reply.having(api.door.cors(headers))


def _open() -> Api:
    global _API, _TABLES  # noqa: PLW0603 - one model per sandbox
    if _API is None:
        beside_code = Path(__file__).resolve().parent.parent
        folder = Path(os.environ.get("DRIFTLINE_MODEL_DIR", beside_code))
        keys, origins = api_keys(), cors_origins()
        log = DirectLog(_database_url())
        on_label = partial(_order_checks, log)
        predictor = load_predictor(folder)
        lookups, _TABLES = stock(folder, predictor.listed, predictor.contract)
        api = Api(predictor, log, keys=keys, origins=origins, on_label=on_label, lookups=lookups)
        if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
            api.ledger = MetricLedger(api.predictor.contract, _print)
        _API = api
    return _API


def _refresh_tables(api: Api) -> None:
    """Bring what is due of the tables of joins, and take what has changed."""
    contract = api.predictor.contract
    if _TABLES is not None:
        before = _TABLES.failures
        _TABLES.look(contract)
        if _TABLES.failures > before and isinstance(api.ledger, MetricLedger):
            api.ledger.miss(contract)
    api.lookups.look(contract)


def _print(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _order_checks(log: DirectLog, contract: Contract) -> None:
    """Order a check where enough labels have come; what fails here the sweep makes up for."""
    with suppress(LogUnavailableError):
        placed = log.order_checks(contract.problem, every=contract.labels_per_check)
        if placed and os.environ.get("PREFECT_API_URL"):
            from bentos import doorbell  # its imports are not for the first answer

            oldest = log.oldest_open_check(contract.problem)
            doorbell.ring_and_wait(
                [
                    doorbell.counted(contract.problem, key, starts_run=key == oldest)
                    for key in placed
                ]
            )


def _database_url() -> str:
    """The configured database; without one a file that lives as long as the sandbox."""
    scratch = Path(tempfile.gettempdir()) / "driftline-predictions.db"
    return os.environ.get("DRIFTLINE_DATABASE_URL") or f"sqlite:///{scratch}"
