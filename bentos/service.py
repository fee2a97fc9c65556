"""The BentoML service: `bentoml serve bentos.service:Service`, alone or inside a bento.

Serves the `contract.json` and `model.onnx` that lie beside the code, or in `DRIFTLINE_MODEL_DIR`.
"""

import contextlib
import logging
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import bentoml
import yaml
from _bentoml_sdk import Service as BentoService  # what `bentoml.service(service_class=...)` takes
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.metrics.prometheus import PrometheusClient
from sqlalchemy import Engine

from bentos import doorbell
from bentos.api import Api
from bentos.health.garbage import spare_loaded
from bentos.health.parent import end_with_parent
from bentos.health.parts import Parts
from bentos.health.start import check_spool, keep_temporary, protect_state
from bentos.http import openapi
from bentos.http.commit import GroupCommit
from bentos.http.hotpath import HotPath
from bentos.http.limits import limit_connections
from bentos.http.metrics import Gauge
from bentos.log import database
from bentos.log.spool import count_aside, measure_spool
from bentos.log.writers import SPOOL, SpoolLog
from bentos.predictor import Predictor, load_predictor
from bentos.settings import (
    SettingError,
    api_keys,
    check_settings,
    cors_origins,
    is_durable,
    lookup_folder,
    spool_folder,
    spool_setting,
    state_folder,
)
from bentos.tables.lookups import Lookups
from bentos.takeover.attempts import TABLES, Trouble, read_trouble
from bentos.takeover.courier import store_elsewhere
from bentos.takeover.follower import Follower
from bentos.takeover.shelf import bentoml_home
from bentos.takeover.trial import TrialFollower
from driftline.contract import Contract

HOT_PATH = HotPath()
VERDICT_SECONDS = 30.0
SILENCE_SECONDS = 15.0  # of a database, before a label or a scrape gives it up
TAKEOVER_MEANING = "Attempts in a row that could not take the newest champion over"
LOOKUP_MEANING = "Attempts in a row that could not bring a newer table of a join"


def model_folder() -> Path:
    """Where the model lies."""
    beside_code = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("DRIFTLINE_MODEL_DIR", beside_code))


def order_checks(contract: Contract) -> None:
    """Order a check where enough labels have come; what fails here the sweep makes up for."""
    with contextlib.suppress(database.DatabaseError):
        engine = _engine(database.database_url())
        every = contract.labels_per_check
        placed = database.order_checks(engine, contract.problem, every=every)
        oldest = database.oldest_open_check(engine, contract.problem) if placed else None
        doorbell.ring(
            [doorbell.counted(contract.problem, key, starts_run=key == oldest) for key in placed]
        )


@lru_cache(maxsize=2)
def _engine(url: str) -> Engine:
    return database.open_engine(url, silence_seconds=SILENCE_SECONDS)


def count_in_memory() -> None:
    """Let BentoML count in this process alone.

    By itself it counts in files that are mapped into memory: where their disk is full, the first
    request after the start would end the worker by a signal, over and over.
    """
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # before the library is imported
    import prometheus_client as library

    BentoMLContainer.metrics_client.set(PrometheusClient(multiproc=False))
    for each in (library.PROCESS_COLLECTOR, library.PLATFORM_COLLECTOR, library.GC_COLLECTOR):
        with contextlib.suppress(KeyError):  # told by ours, or not at all
            library.REGISTRY.unregister(each)


class Document(dict[str, Any]):
    """Our OpenAPI document, as BentoML's pages and its build want to be handed it."""

    def asdict(self) -> dict[str, Any]:
        """A plain mapping."""
        return dict(self)


yaml.add_representer(Document, lambda dumper, document: dumper.represent_dict(dict(document)))


class DriftlineService(BentoService):  # type: ignore[misc] # bentoml has no usable types
    """Puts the hot path outside of BentoML's own layers."""

    def to_asgi(self, is_main: bool = True) -> Any:
        """The application that the worker serves."""
        limit_connections()
        count_in_memory()
        keep_temporary(bentoml_home() / "tmp", "bentoml-client-")
        HOT_PATH.fallback = super().to_asgi(is_main=is_main)
        return HOT_PATH

    @property
    def openapi_spec(self) -> Document:
        """The contract's own description."""
        return Document(openapi.describe(load_predictor(model_folder()).contract))


def _missed_tables(problem: str) -> Trouble | None:
    """What keeps newer tables of joins away, where a courier brings them."""
    return read_trouble(problem + TABLES) if store_elsewhere() else None


def _gauges_of_tables(lookups: Lookups, contract: Contract) -> list[Gauge]:
    """How old the newest rows of the tables of joins are, and whether newer ones come."""
    if not contract.joins:
        return []
    missed, about = _missed_tables(contract.problem), {"problem": contract.problem}
    meaning = "Age of the newest row of a join's table"
    ages = [
        Gauge("lookup_age_seconds", meaning, about | {"join": name}, age)
        for name, age in lookups.ages(contract).items()
    ]
    failed = 0 if missed is None else missed.attempts
    return [*ages, Gauge("lookup_failed_attempts", LOOKUP_MEANING, about, failed)]


def _gauges_of(parts: Parts | None) -> list[Gauge]:
    """Whether each part works as it should."""
    meaning = "Whether a part of the service works as it should"
    return [
        Gauge("part_up", meaning, {"part": name}, int(part.health == "up"))
        for name, part in (parts.read() if parts is not None else {}).items()
    ]


@bentoml.service(
    service_class=DriftlineService,
    workers=1,
    logging={"access": {"enabled": False}},
    monitoring={"enabled": False},
    traffic={"timeout": 30},
)
class Service:
    """Answers for one model."""

    @bentoml.on_deployment  # type: ignore[untyped-decorator] # bentoml has no usable types
    def check_model() -> None:
        """Refuse to start with settings that cannot be meant, or files not of one model."""
        protect_state(state_folder())
        try:
            check_settings()
            check_spool(spool_folder(), spool_setting())
        except SettingError as error:
            raise SystemExit(f"error: {error}") from None
        load_predictor(model_folder())

    def __init__(self) -> None:
        """Load the model and open the log in the worker."""
        access = logging.getLogger("uvicorn.access")
        access.handlers.clear()
        access.propagate = False
        protect_state(state_folder())
        end_with_parent()
        parts, durable = Parts(vital=frozenset({SPOOL})), is_durable()
        self._log = SpoolLog(
            spool_folder(), database.database_url(), parts=parts, is_durable=durable
        )
        self._verdict: tuple[float, str | None] = (0.0, None)
        predictor = load_predictor(model_folder())
        keys, origins = api_keys(), cors_origins()
        problem = predictor.contract.problem

        def missed() -> str:
            trouble = _missed_tables(problem)
            return "" if trouble is None else trouble.why

        lookups = Lookups(lookup_folder(), parts=parts, missed=missed)
        lookups.look(predictor.contract)
        api = Api(
            predictor, self._log, keys=keys, origins=origins, on_label=order_checks, lookups=lookups
        )
        trial = TrialFollower(problem, lambda: api.predictor.contract, api.split, parts=parts)

        def take_over(newest: Predictor) -> None:
            lookups.look(newest.contract)
            api.take_over(newest)

        def look() -> None:
            trial.look()
            lookups.look(api.predictor.contract)

        self._follower = Follower(problem, model_folder(), take_over, parts=parts, then=look)
        self._follower.start()
        HOT_PATH.parts = parts
        HOT_PATH.commit = GroupCommit(self._log.sync) if durable else None
        HOT_PATH.api = api
        spare_loaded()

    def __is_ready__(self) -> bool:
        """Whether `/readyz` answers 200."""
        return HOT_PATH.api is not None

    def __metrics__(self, text: str) -> str:
        """BentoML's metrics, what the process takes of the machine, and ours."""
        api = HOT_PATH.api
        if api is None:
            return text
        from bentos.http.exposition import expose_process

        waiting, age = measure_spool(spool_folder(), time.time())
        aside = count_aside(spool_folder())
        trouble = self._follower.trouble
        failed = 0 if trouble is None else trouble.attempts
        contract = api.predictor.contract
        about, promoted = {"problem": contract.problem}, {"at": contract.promoted_at}
        gauges = [
            Gauge("spool_bytes", "Predictions that wait for the database", about, waiting),
            Gauge("spool_set_aside_lines", "Lines that could not be shipped", about, aside),
            Gauge("spool_age_seconds", "Age of the oldest of them", about, age),
            Gauge("takeover_failed_attempts", TAKEOVER_MEANING, about, failed),
            Gauge("promoted_info", "When the model was promoted", promoted, 1),
        ]
        verdict = self._last_verdict(contract.problem)
        if verdict is not None:
            labels = about | {"verdict": verdict}
            gauges.append(Gauge("drift_verdict_info", "The last verdict of monitoring", labels, 1))
        gauges += _gauges_of_tables(api.lookups, contract)
        ours = api.ledger.expose([*gauges, *_gauges_of(HOT_PATH.parts)])
        return text + expose_process() + ours

    def _last_verdict(self, problem: str) -> str | None:
        """The newest verdict, read at most every half minute; the last known one on an outage."""
        read_at, verdict = self._verdict
        if time.monotonic() - read_at > VERDICT_SECONDS:
            with contextlib.suppress(database.DatabaseError):
                verdict = database.last_verdict(_engine(database.database_url()), problem)
            self._verdict = (time.monotonic(), verdict)
        return verdict

    @bentoml.on_shutdown  # type: ignore[untyped-decorator] # bentoml has no usable types
    def close(self) -> None:
        """Stop answering, and let the shipper empty the spool."""
        HOT_PATH.api = None
        self._follower.stop()
        self._log.close()
