"""What a declared flow does when its story ends badly, on a real Prefect server."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State, StateType
from prefect.flow_engine import run_flow
from prefect.runtime import flow_run

from bentos.log.database import place_order
from driftline.errors import DataError, SettingsError
from flows.shared import running
from flows.shared.parameters import refuse_unwritable
from flows.shared.running import Sections, UnwantedOutcomeError, driftline_flow
from tasks.log import attempts
from tasks.log.attempts import ATTEMPTS
from tasks.log.orders import claim_due_orders, claim_orders, finish_orders
from tasks.log.records import open_records
from tasks.server.heartbeat import record_sweep
from tests.receivers import HttpReceiver, http_receiver

VALUE = "Jane-Doe-1234"


@driftline_flow("mistaken", run_name="mistaken {problem}")
def mistaken(problem: str) -> Sections:
    message = f"{problem}.csv: no such file"
    raise DataError(message)


@driftline_flow("broken", run_name="broken {problem}")
def broken(problem: str) -> Sections:
    del problem
    return {"number": float(VALUE)}


@driftline_flow("in_the_way", run_name="in the way {problem}")
def in_the_way(problem: str) -> Sections:
    return {"size": len(Path(problem).read_bytes())}


@driftline_flow("interrupted", run_name="interrupted {problem}")
def interrupted(problem: str) -> Sections:
    raise KeyboardInterrupt(problem)


@driftline_flow("unwanted", run_name="unwanted {problem}")
def unwanted(problem: str) -> Sections:
    raise UnwantedOutcomeError("not promoted", {"problem": problem})


@driftline_flow("nested", run_name="nested {problem}")
def nested(problem: str, inner: str) -> Sections:
    return {"mistaken": mistaken, "broken": broken}[inner](problem)


@driftline_flow("ordered", run_name="ordered {problem}")
def ordered(problem: str, only_ordered: bool = False) -> Sections:
    claim = claim_due_orders if only_ordered else claim_orders
    claim.fn(problem, "train", str(flow_run.id))
    finish_orders.fn(str(flow_run.id), is_done=False)
    message = f"{problem}.csv: no such file"
    raise DataError(message)


@driftline_flow("quiet", run_name="quiet {problem}")
def quiet(problem: str) -> Sections:
    return {"problem": problem}


@driftline_flow("idle", run_name="idle {problem}")
def idle(problem: str) -> Sections:
    del problem
    return {}


CUT_OFF: list[str] = []


@driftline_flow("cut off", run_name="cut off {problem}")
def cut_off(problem: str) -> Sections:
    CUT_OFF.append(problem)
    raise httpx.ConnectError("All connection attempts failed")


@driftline_flow("around", run_name="around {problem}")
def around(problem: str, inner: str) -> Sections:
    return {"quiet": quiet, "cut off": cut_off}[inner](problem)


@pytest.fixture(autouse=True)
def told(prefect_api: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """What people are told of the flows of one test."""
    del prefect_api, home
    with http_receiver() as receiver:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", receiver.url)
        yield receiver


def end_of(flow: object, *words: str) -> State[object]:
    return flow(*words, return_state=True)  # type: ignore[operator]


def test_a_mistake_is_told_once_in_its_own_words(told: HttpReceiver) -> None:
    state = end_of(mistaken, "ward-seven")

    assert (state.type, state.message) == (StateType.FAILED, "ward-seven.csv: no such file")
    [text] = told.texts
    assert text.startswith("*Driftline, ward_seven: a run failed*\n- ward-seven.csv: no such file")
    assert "flow: mistaken" in text
    assert str(state.state_details.flow_run_id) in text


def test_what_is_in_the_way_of_a_run_is_told_in_words(told: HttpReceiver, tmp_path: Path) -> None:
    state = end_of(in_the_way, str(tmp_path))

    message = f"{tmp_path}: is a folder, wanted a file"
    assert (state.type, state.message) == (StateType.FAILED, message)
    assert message in told.texts[0]


def test_a_summary_that_cannot_be_written_is_told_in_words(home: Path) -> None:
    latest = home / "runs" / "latest.json"
    latest.mkdir(parents=True)

    state = end_of(quiet, "tiny")

    message = f"{latest}: is a folder, wanted a file"
    assert (state.type, state.message) == (StateType.FAILED, message)


@pytest.mark.parametrize("name", ["a\0b", "caf\udce9"])
def test_a_parameter_that_nothing_can_hold_is_told_in_words(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        refuse_unwritable({"problem": "tiny", "rows": 3, "output": name})

    assert str(raised.value) == (
        f"output: got {name!a}, wanted text in UTF-8 without NUL characters"
    )


def test_a_run_does_nothing_with_such_a_parameter() -> None:
    state = end_of(quiet, "a\0b")

    assert state.type == StateType.FAILED
    assert str(state.message).startswith("problem: got 'a\\x00b', wanted text")


def test_an_unforeseen_error_is_told_by_its_kind_only(told: HttpReceiver) -> None:
    state = end_of(broken, "tiny")

    assert state.type == StateType.FAILED
    [text] = told.texts
    assert "- ValueError\n" in text
    assert VALUE not in text


@pytest.mark.parametrize(
    ("inner", "why"), [("mistaken", "tiny.csv: no such file"), ("broken", "ValueError")]
)
def test_a_failure_in_an_inner_flow_is_told_once_of_the_outer(
    inner: str, why: str, told: HttpReceiver
) -> None:
    end_of(nested, "tiny", inner)

    [text] = told.texts
    assert f"- {why}\nflow: nested\n" in text


def test_what_was_ordered_is_told_once_when_it_is_given_up(
    told: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "PAUSES", (timedelta(0),))
    place_order(open_records(), "tiny", "train", "verdict:a")

    for _ in range(ATTEMPTS - 1):
        ordered("tiny", only_ordered=True, return_state=True)  # type: ignore[call-arg]
    before = list(told.texts)
    for _ in range(2):
        ordered("tiny", only_ordered=True, return_state=True)  # type: ignore[call-arg]

    [text] = told.texts
    assert before == []
    assert f"- tiny.csv: no such file\n- tried {ATTEMPTS} times and given up; wanted" in text


def test_an_ordered_flow_that_a_person_runs_is_told_each_time(told: HttpReceiver) -> None:
    for _ in range(2):
        end_of(ordered, "tiny")

    assert len(told.texts) == 2


def test_an_interrupted_run_is_told(told: HttpReceiver) -> None:
    with pytest.raises(KeyboardInterrupt):
        end_of(interrupted, "tiny")

    [text] = told.texts
    assert "- Execution was aborted by an interrupt signal." in text


def test_an_outcome_that_was_ruled_out_is_told(told: HttpReceiver, home: Path) -> None:
    end_of(unwanted, "tiny")

    [text] = told.texts
    assert "- not promoted\nflow: unwanted" in text
    assert (home / "runs" / "latest.json").is_file()


def test_a_parameter_that_is_refused_is_told(told: HttpReceiver) -> None:
    state = mistaken(problem=["not", "a", "name"], return_state=True)  # type: ignore[call-arg, arg-type]

    assert state.type == StateType.FAILED
    assert "- ParameterTypeError\n" in told.texts[0]


def test_a_setting_that_cannot_work_ends_a_run_before_it_does_anything(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", f"ftp://hooks.example/{VALUE}")

    state = end_of(quiet, "tiny")

    assert state.type == StateType.FAILED
    assert "DRIFTLINE_NOTIFY_WEBHOOK" in str(state.message)
    assert VALUE not in str(state.message)
    assert not (home / "runs").exists()


def test_a_run_that_came_to_an_outcome_is_not_told_as_failed(told: HttpReceiver) -> None:
    state = end_of(quiet, "tiny")

    assert state.type == StateType.COMPLETED
    assert told.posted == []


def test_a_run_that_did_nothing_shows_nothing(prefect_api: str) -> None:
    del prefect_api
    state = end_of(idle, "tiny")

    with get_client(sync_client=True) as client:
        run = ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
        assert client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=run)) == []


def test_a_run_of_a_deployment_tells_that_sweeps_have_stopped(told: HttpReceiver) -> None:
    record_sweep({}, next_within=timedelta(seconds=-1))
    with get_client(sync_client=True) as client:
        made = client.create_deployment(client.create_flow_from_name("quiet"), name=uuid4().hex)
        run = client.create_flow_run_from_deployment(made, parameters={"problem": "tiny"})
    end_of(quiet, "tiny")
    told_by_hand = len(told.texts)

    run_flow(cast("Flow[..., object]", quiet), flow_run=run, parameters={"problem": "tiny"})

    assert told_by_hand == 0
    [text] = told.texts
    assert text.startswith("*Driftline, all problems: nobody looks any more for what was lost")


@pytest.mark.parametrize(("failures", "is_over"), [(2, True), (3, False)])
def test_a_flow_inside_another_waits_for_a_server_that_is_away_at_its_start(
    monkeypatch: pytest.MonkeyPatch, failures: int, is_over: bool
) -> None:
    call, refused = Flow.__call__, []

    def refuse(flow: Flow[..., object], *args: object, **kwargs: object) -> object:
        if flow.name == "quiet" and len(refused) < failures:
            refused.append(flow.name)
            raise httpx.ConnectError("All connection attempts failed")
        return call(flow, *args, **kwargs)

    monkeypatch.setattr(Flow, "__call__", refuse)
    monkeypatch.setattr(running, "RETRY_DELAYS_SECONDS", [0.0, 0.0])

    state = end_of(around, "tiny", "quiet")

    assert (len(refused), state.is_completed()) == (failures, is_over)


def test_a_flow_inside_another_that_has_begun_is_not_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "RETRY_DELAYS_SECONDS", [0.0, 0.0])
    CUT_OFF.clear()

    state = end_of(around, "tiny", "cut off")

    assert (len(CUT_OFF), state.is_completed()) == (1, False)
