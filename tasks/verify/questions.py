"""What every environment is asked, and how its answers compare with the fitted pipeline's."""

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftline.agreement import (
    Agreement,
    Answers,
    Response,
    Wanted,
    compare,
    differing_parameters,
)
from driftline.answers import answers_of
from driftline.contract import Contract
from driftline.dataset import encode_target
from driftline.errors import DataError, DriftlineError, PackagingError
from driftline.export import classifier_of, edge_cases
from driftline.problem import Problem
from driftline.questions import (
    Request,
    bad_requests,
    edge_records,
    plain_records,
    records_of_vectors,
    resample_records,
)
from driftline.served import ServedModel
from tasks.decorators import work
from tasks.progress import tell
from tasks.verify.emulator import NotRunnableError
from tasks.verify.environments import Environment, in_process_asker
from tasks.verify.processes import HTTP_OK, Ask

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

SEED = 0
REFUSED, UNAVAILABLE = 400, 503
UNAVAILABLE_SECONDS = 10.0
RECORDS_PER_REQUEST = 500


@dataclass(frozen=True)
class Questions:
    """What every environment is sent, as bytes, and the same records encoded for the pipeline."""

    first: bytes
    batches: tuple[bytes, ...]
    matrix: np.ndarray
    wanted: Wanted


def _insist_on_whole_records(contract: Contract) -> None:
    """Environments are asked whole records, since not all of them have the tables of joins."""
    refusing = [join.name for join in contract.joins if join.given == "refuse"]
    if refusing:
        message = f"joins.{refusing[0]}.given: got 'refuse', so no environment takes whole records"
        raise DataError(f"{message}; wanted 'wins' of a problem whose environments are compared")


@work(name="collect questions")
def collect_questions(
    table: pd.DataFrame, problem: Problem, model: ServedModel, fitted: "Pipeline", *, rows: int
) -> Questions:
    """Rows of the snapshot, resampled ones up to `rows`, edge cases, and what must be refused."""
    contract = model.contract
    _insist_on_whole_records(contract)
    if len(table) > rows:
        table = table.sample(rows, random_state=SEED)
    real = plain_records(table, contract)
    made = resample_records(real, contract, count=rows - len(real), seed=SEED)
    typical = dict(contract.example) or real[0]
    vectors = edge_cases(fitted, contract.encode_table(real), contract)
    edges = edge_records(typical, contract) + records_of_vectors(vectors, contract)
    records = [*real, *made, *edges]
    matrix = contract.encode_table(records)
    ask = in_process_asker(model)
    requests = [
        (request, reply)
        for request in bad_requests(typical, contract)
        if (reply := ask(request.method, request.path, request.body)).status >= REFUSED
    ]
    wanted = Wanted(
        fitted=_answers_of(answers_of(fitted, matrix), contract),
        requests=tuple(request for request, _ in requests),
        errors=tuple(reply for _, reply in requests),
        about=ask("GET", "/model", b""),
        y=encode_target(table, problem),
    )
    starts = range(0, len(records), RECORDS_PER_REQUEST)
    return Questions(
        first=_json(typical),
        batches=tuple(_json({"records": records[i : i + RECORDS_PER_REQUEST]}) for i in starts),
        matrix=matrix,
        wanted=wanted,
    )


@work(name="check hyperparameters")
def check_parameters(
    fitted: "Pipeline", logged: Mapping[str, str], model: ServedModel, questions: Questions
) -> Agreement:
    """The fitted pipeline against what was logged of it: hyperparameters and threshold."""
    found = classifier_of(fitted).get_params()
    reasons = differing_parameters(logged, found)
    for name, value in model.contract.rule.items():
        if logged.get(name) != str(value):
            reasons.append(f"{name}: logged {logged.get(name)}, served another")
    wanted = questions.wanted
    agreement = compare("scikit-learn pipeline", wanted.fitted, wanted, model.contract)
    if not reasons:
        return agreement
    return replace(agreement, state="different", why="; ".join(reasons))


@work(name="try environment", run_name="try {name}")
def try_environment(
    name: str,
    environment: AbstractContextManager[Environment],
    questions: Questions,
    contract: Contract,
) -> Agreement:
    """Start an environment, ask it, and compare; one that lacks something is not run."""
    tell(f"{name} ...")
    try:
        with environment as running:
            answers, seconds = _ask_all(running, questions)
    except NotRunnableError as error:
        agreement = Agreement(name, "not run", str(error))
    except (DriftlineError, OSError, ValueError, KeyError) as error:
        agreement = Agreement(name, "different", f"{type(error).__name__}: {error}")
    else:
        agreement = compare(name, answers, questions.wanted, contract, seconds=seconds)
    tell(f"{name}: {agreement.state}{f' ({agreement.why})' if agreement.why else ''}")
    return agreement


def _ask_all(environment: Environment, questions: Questions) -> tuple[Answers, float]:
    """One record, whose answer is timed, then all in batches, then the requests that are wrong."""
    _expect_ok(environment.ask("POST", "/predict", questions.first))
    seconds = time.perf_counter() - environment.started_at
    predictions: list[dict[str, Any]] = []
    for body in questions.batches:
        reply = environment.ask("POST", "/predict_batch", body)
        predictions += _expect_ok(reply)["predictions"]
    answers = replace(
        _read_answers(predictions),
        errors=tuple(_ask_patiently(environment.ask, each) for each in questions.wanted.requests),
        about=environment.ask("GET", "/model", b""),
    )
    return answers, round(seconds, 2)


def _ask_patiently(ask: Ask, request: Request) -> Response:
    """Ask again while the answer is 503: a new database has its tables a moment after the start."""
    give_up = time.monotonic() + UNAVAILABLE_SECONDS
    while True:
        reply = ask(request.method, request.path, request.body)
        if reply.status != UNAVAILABLE or time.monotonic() > give_up:
            return reply
        time.sleep(0.2)


def _read_answers(predictions: list[dict[str, Any]]) -> Answers:
    """The bodies of answers; those of a number have no label."""
    return Answers(
        labels=tuple(one.get("label", "") for one in predictions),
        risks=tuple(one.get("risk_level") for one in predictions),
        probabilities=np.array([_figures_of(one) for one in predictions]),
    )


def _figures_of(answer: dict[str, Any]) -> list[float]:
    if "interval" in answer:
        return [answer["prediction"], *answer["interval"]]
    return list(answer["probability"].values())


def _answers_of(figures: np.ndarray, contract: Contract) -> Answers:
    """What the contract makes of a model's figures."""
    number = contract.number
    if number is not None:
        values = number.bound(figures[:, 0]).tolist()
        return Answers(
            labels=("",) * len(values),
            risks=tuple(contract.estimate_risk(value) for value in values),
            probabilities=np.array([[value, *number.interval(value)] for value in values]),
        )
    rows = figures.tolist()
    return Answers(
        labels=tuple(contract.classes[contract.decide(row)] for row in rows),
        risks=tuple(contract.risk(row) for row in rows),
        probabilities=figures,
    )


def _expect_ok(reply: Response) -> Any:
    if reply.status != HTTP_OK:
        message = f"got status {reply.status} for valid records: {reply.body[:300]!r}"
        raise PackagingError(message)
    return json.loads(reply.body)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
