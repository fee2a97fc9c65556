"""Fields that the service fills in itself, as training joins them; no value of them is told."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.api import Api
from bentos.http.openapi import describe
from bentos.predictor import Predictor
from bentos.tables.lookups import LOOKUP_UNAVAILABLE, Lookups, table_path
from driftline.contract import parse_contract
from driftline.dataset import draft_contract
from driftline.filling import fill_in
from driftline.joining import join_rows, read_timeline
from driftline.problem import Problem
from driftline.timelines import JoinSpec
from tests.bentos.asking import ask, code, fields_at_fault, read
from tests.bentos.models import KeptLog, tiny_problem
from tests.support import make_problem
from tests.unit import joined

NOW = datetime(2024, 3, 20, tzinfo=UTC).timestamp()
LABS = JoinSpec("labs", "patient", "visited", ("level", "sex"), 90 * 86_400)


def joining() -> Problem:
    return make_problem(ignored=["patient", "visited"], joins={"labs": joined.LABS})


def labs(*rows: tuple[str, str, str, str]) -> bytes:
    table = pd.DataFrame(list(rows), columns=["patient", "taken", "level", "sex"])
    return read_timeline(table, joining(), "labs", source="labs.csv").to_bytes()


def put(folder: Path, content: bytes) -> None:
    path = table_path(folder, "tiny", "labs")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)


def make_api(predictor: Predictor, log: KeptLog, folder: Path, **changes: Any) -> Api:
    """The tiny model, of which two fields are looked up."""
    contract = replace(predictor.contract, joins=(replace(LABS, **changes),))
    lookups = Lookups(folder, clock=lambda: NOW)
    lookups.look(contract)
    api = Api(predictor, log, lookups=lookups)
    api.predictor = predictor_of(predictor, contract)
    return api


def predictor_of(predictor: Predictor, contract: Any) -> Predictor:
    """The same session under another contract."""
    other = object.__new__(Predictor)
    other.__dict__.update(predictor.__dict__ | {"contract": contract})
    return other


@pytest.fixture
def api(predictor: Predictor, log: KeptLog, folder: Path) -> Api:
    return make_api(predictor, log, folder)


@pytest.mark.parametrize(
    ("sent", "filled"),
    [
        ({"patient": "7"}, {"level": 2.5, "sex": "M"}),
        ({"patient": 7}, {"level": 2.5, "sex": "M"}),
        ({"patient": 7.0, "visited": None}, {"level": 2.5, "sex": "M"}),
        ({"patient": "7", "visited": "2024-03-14"}, {"level": 1.5, "sex": "F"}),
        ({"patient": "7", "level": -3, "sex": None}, {"level": -3, "sex": "M"}),
        ({"patient": "7", "level": "NA", "sex": " n/a "}, {"level": 2.5, "sex": "M"}),
        ({"level": "NA", "sex": "F"}, {"level": None, "sex": "F"}),
        ({"level": 1, "sex": "F"}, {"level": 1, "sex": "F"}),
        ({"patient": "nobody", "sex": "F"}, {"level": None, "sex": "F"}),
    ],
)
def test_what_a_record_lacks_is_looked_up_as_of_its_moment_and_logged(
    api: Api, log: KeptLog, sent: dict[str, Any], filled: dict[str, Any]
) -> None:
    reply = ask(api, "/predict", {"age": 40} | sent)
    (batch,) = read(ask(api, "/predict_batch", {"records": [{"age": 40} | sent]}))["predictions"]
    whole = ask(api, "/predict", {"age": 40} | filled)

    assert reply.status == 200
    assert read(reply)["probability"] == batch["probability"] == read(whole)["probability"]
    assert [one["inputs"] for one in log.predictions] == [{"age": 40} | filled] * 3


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"patient": "8"}, {"sex": "is required"}),
        ({"patient": "7", "visited": "2024-02-01"}, {"sex": "is required"}),
        ({"patient": "9"}, {"level": "must be between -10 and 10"}),
        ({"patient": ["7"]}, {"patient": "must be text or a number"}),
        ({"patient": True}, {"patient": "must be text or a number"}),
        ({"patient": "7", "visited": "soon"}, {"visited": "must be an ISO date in quotes"}),
        ({"patient": "7", "doctor": 1}, {"doctor": "is not a field of this problem"}),
    ],
)
def test_what_cannot_be_filled_in_is_refused_by_its_field(
    api: Api, log: KeptLog, sent: dict[str, Any], fields: dict[str, str]
) -> None:
    reply = ask(api, "/predict", {"age": 40} | sent)

    assert reply.status == 422
    told = {one["field"]: one["problem"] for one in read(reply)["error"]["fields"]}
    assert told.keys() == fields.keys()
    assert all(told[name].startswith(why) for name, why in fields.items())
    assert not log.entries


def test_what_is_sent_all_the_same_may_be_refused(
    predictor: Predictor, log: KeptLog, folder: Path
) -> None:
    api = make_api(predictor, log, folder, given="refuse")

    refused = ask(api, "/predict", {"age": 40, "patient": "7", "level": 1})
    taken = ask(api, "/predict", {"age": 40, "patient": "7"})

    assert list(fields_at_fault(refused)) == ["level"]
    assert taken.status == 200
    record = describe(api.predictor.contract)["components"]["schemas"]["Record"]
    assert set(record["properties"]) == {"age", "ward", "patient", "visited"}
    assert record["required"] == ["age"]


def test_without_its_table_only_whole_records_are_answered(
    predictor: Predictor, log: KeptLog, tmp_path: Path
) -> None:
    api = make_api(predictor, log, tmp_path / "nowhere")

    lacking = ask(api, "/predict", {"age": 40, "patient": "7"})
    whole = ask(api, "/predict", {"age": 40, "patient": "7", "level": 1, "sex": "F"})

    assert code(lacking) == (503, "lookup_unavailable")
    assert whole.status == 200


def test_an_error_that_is_raised_again_keeps_nothing_of_the_requests_that_met_it(
    predictor: Predictor, log: KeptLog, tmp_path: Path
) -> None:
    api = make_api(predictor, log, tmp_path / "nowhere")

    for _ in range(3):
        assert ask(api, "/predict", {"age": 40, "patient": "7"}).status == 503
        assert LOOKUP_UNAVAILABLE.__traceback__ is None
        assert LOOKUP_UNAVAILABLE.__context__ is None


def test_one_request_is_filled_in_from_one_table_as_of_one_moment(
    predictor: Predictor, folder: Path
) -> None:
    contract = replace(predictor.contract, joins=(LABS,))
    ticks = iter((NOW, NOW + 365 * 86_400))
    lookups = Lookups(folder, clock=lambda: next(ticks))
    lookups.look(contract)
    complete = lookups.begin(contract)
    before = complete({"age": 40, "patient": "7"})

    put(folder, labs(("7", "2024-03-16", "9.5", "F")))
    lookups.look(contract)

    assert complete({"age": 40, "patient": "7"}) == before
    assert lookups.begin(contract)({"age": 40, "patient": "7"})["level"] is None


def test_a_contract_keeps_its_joins_and_one_without_any_its_digest(predictor: Predictor) -> None:
    contract = replace(predictor.contract, joins=(LABS,))

    assert parse_contract(contract.to_json()) == contract
    assert "joins" not in json.loads(predictor.contract.to_json())


levels = st.sampled_from(["1", "", "-9", "99", "word", "2.5"])
sexes = st.sampled_from(["F", "M", "", "X"])
days = st.integers(1, 28).map(lambda day: f"2024-03-{day:02}")
patients = st.sampled_from(["7", "8.0", "007", "", "a"])


@given(
    st.lists(st.tuples(patients, days, levels, sexes), min_size=1, max_size=12),
    st.tuples(patients, days),
)
def test_a_record_is_filled_in_as_a_row_is_joined(
    theirs: list[tuple[str, str, str, str]], asked: tuple[str, str]
) -> None:
    problem = joining()
    theirs = [*theirs, ("z", "2024-03-01", "1", "F")]
    table = pd.DataFrame(theirs, columns=["patient", "taken", "level", "sex"])
    timeline = read_timeline(table, problem, "labs", source="labs.csv")
    key, day = asked
    row = pd.DataFrame({"patient": [key], "visited": [day], "age": ["40"]})

    joined, _ = join_rows(row, problem, {"labs": timeline}, source="rows.csv")
    record = {"patient": key, "visited": day, "age": 40}
    fields = draft_contract(tiny_problem()).field_by_name
    filled = fill_in(record, (LABS,), fields, lambda _: timeline, now=NOW)

    for name in LABS.fields:
        cell = joined[name].astype(object).where(joined[name].notna(), None)[0]
        assert filled.get(name) == cell
