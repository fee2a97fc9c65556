import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from bentos.takeover.content import SUMS, write_sums
from driftline.contract import Contract
from driftline.dataset import draft_contract
from driftline.digests import digest_bytes
from driftline.errors import LostModelError, NotFoundError, UnavailableError
from driftline.problem import Problem
from driftline.promotion import Decision
from tasks.models import registry, serving_files, tracking
from tasks.models.registry import (
    bind_contract,
    move_alias,
    read_champion,
    read_holders,
    read_model,
    register_model,
    tag_decision,
)
from tests.ports import free_ports

ONNX = b"an ONNX file, for all that the registry knows"
TRAIN_ROWS = {"aa" * 32, f"{'bb' * 32}:1"}
PROMOTED = Decision("promoted", ("better",))
REJECTED = Decision("rejected", ("not better", "too few rows"))

pytestmark = pytest.mark.usefixtures("mlflow_home")


def contract_of(problem: Problem) -> Contract:
    return replace(draft_contract(problem, snapshot="ab" * 32), onnx_sha256=digest_bytes(ONNX))


def log_run(folder: Path, onnx: bytes = ONNX) -> tuple[str, str]:
    """A finished run with what serving needs, and where its model would be."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name("tiny")
    name = experiment.experiment_id if experiment else client.create_experiment("tiny", str(folder))
    run = client.create_run(name)
    serving = folder / "serving"
    serving.mkdir(parents=True, exist_ok=True)
    (serving / "model.onnx").write_bytes(onnx)
    (serving / "train_rows.txt.gz").write_bytes(gzip.compress("\n".join(TRAIN_ROWS).encode()))
    write_sums(serving)
    client.log_artifacts(run.info.run_id, str(serving), "serving")
    return run.info.run_id, f"{run.info.artifact_uri}/model"


def register(problem: Problem, folder: Path, decision: Decision, onnx: bytes = ONNX) -> str:
    run_id, uri = log_run(folder, onnx)
    version = register_model.fn(problem, run_id=run_id, model_uri=uri, snapshot="ab" * 32)
    bind_contract.fn(run_id, contract_of(problem), version, is_promoted=decision.is_promoted)
    tag_decision.fn(problem, version, decision)
    move_alias.fn("tiny", "champion" if decision.is_promoted else "challenger", version)
    return version


def test_before_any_model_there_is_no_champion(problem: Problem) -> None:
    assert read_champion.fn(problem) is None


def test_asking_for_a_model_that_is_not_there_says_how_to_get_one(problem: Problem) -> None:
    with pytest.raises(NotFoundError) as raised:
        read_model.fn(problem, "champion")

    assert str(raised.value) == (
        "tiny: no model holds the alias 'champion'; train one first (python -m flows.train tiny)"
    )


def test_asking_for_an_alias_that_nobody_holds_names_those_that_are_held(
    problem: Problem, tmp_path: Path
) -> None:
    """To train would not help who has mistyped one."""
    register(problem, tmp_path, PROMOTED)

    with pytest.raises(NotFoundError) as raised:
        read_model.fn(problem, "champoin")

    wanted = "tiny: no model holds the alias 'champoin'; wanted one that a model holds: champion"
    assert str(raised.value) == wanted


def test_a_promoted_model_is_champion_and_read_back_as_it_serves(
    problem: Problem, tmp_path: Path
) -> None:
    version = register(problem, tmp_path, PROMOTED)

    champion = read_champion.fn(problem)

    assert champion is not None
    assert champion.version == version
    assert champion.onnx == ONNX
    assert champion.contract.promoted_at
    assert champion.contract == contract_of(problem).for_version(
        version, promoted_at=champion.contract.promoted_at
    )
    assert champion.train_digests == TRAIN_ROWS


def test_a_rejected_model_is_challenger_and_goes_no_further(
    problem: Problem, tmp_path: Path
) -> None:
    first = register(problem, tmp_path, PROMOTED)

    second = register(problem, tmp_path, REJECTED)

    assert read_holders.fn("tiny") == {"champion": first, "challenger": second, "contender": None}
    tags = MlflowClient().get_model_version("tiny", second).tags
    assert (tags["verdict"], tags["reasons"]) == ("rejected", "not better; too few rows")


def test_an_alias_moves_to_another_version_and_is_taken_away(
    problem: Problem, tmp_path: Path
) -> None:
    first = register(problem, tmp_path, PROMOTED)
    second = register(problem, tmp_path, PROMOTED)
    before = read_holders.fn("tiny")

    move_alias.fn("tiny", "champion", first)
    move_alias.fn("tiny", "challenger", None)

    assert before["champion"] == second
    assert read_holders.fn("tiny") == {"champion": first, "challenger": None, "contender": None}


def test_registering_a_run_twice_gives_its_one_version(problem: Problem, tmp_path: Path) -> None:
    """A task that reaches outside may be repeated."""
    run_id, uri = log_run(tmp_path)

    first = register_model.fn(problem, run_id=run_id, model_uri=uri, snapshot="ab" * 32)
    again = register_model.fn(problem, run_id=run_id, model_uri=uri, snapshot="ab" * 32)

    assert first == again
    assert len(MlflowClient().search_model_versions("name='tiny'")) == 1


def test_moving_an_alias_twice_changes_nothing(problem: Problem, tmp_path: Path) -> None:
    first = register(problem, tmp_path, PROMOTED)

    move_alias.fn("tiny", "champion", first)

    assert read_holders.fn("tiny") == {"champion": first, "challenger": None, "contender": None}


def test_an_onnx_file_that_its_contract_does_not_know_is_refused(
    problem: Problem, tmp_path: Path
) -> None:
    register(problem, tmp_path, PROMOTED, onnx=b"another file")

    with pytest.raises(LostModelError, match="does not have the digest in its contract"):
        read_champion.fn(problem)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def empty_within(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def leave_out_a_row(path: Path) -> None:
    path.write_bytes(gzip.compress(min(TRAIN_ROWS).encode()))


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [empty, empty_within, cut, leave_out_a_row, remove])
def test_damaged_digests_of_the_rows_that_it_learnt_from_are_refused(
    problem: Problem, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """Without them rows that the champion has seen would count as unseen."""
    register(problem, tmp_path, PROMOTED)
    (path,) = (tmp_path).glob("*/artifacts/serving/train_rows.txt.gz")
    harm(path)

    with pytest.raises(LostModelError, match=r"tiny v1: its files cannot be used"):
        read_champion.fn(problem)


def test_a_damaged_list_of_rows_of_a_model_without_a_list_of_files_is_refused(
    problem: Problem, tmp_path: Path
) -> None:
    register(problem, tmp_path, PROMOTED)
    (path,) = tmp_path.glob("*/artifacts/serving/train_rows.txt.gz")
    (path.parent / SUMS).unlink()
    read_champion.fn(problem)
    empty_within(path)

    with pytest.raises(LostModelError, match="wanted a digest in each line"):
        read_champion.fn(problem)


def test_what_was_read_in_part_is_read_again(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may give a part for the whole, once; the champion is not lost because of that."""
    register(problem, tmp_path, PROMOTED)
    download, reads = serving_files._download, iter([ONNX[:-1], ONNX])

    def in_part(client: MlflowClient, name: str, version: str, folder: str) -> Path:
        serving = download(client, name, version, folder)
        (serving / "model.onnx").write_bytes(next(reads))
        return serving

    monkeypatch.setattr(serving_files, "_download", in_part)

    assert read_model.fn(problem, "champion").onnx == ONNX


@pytest.mark.parametrize("gone", ["serving", "the run", "the store"])
def test_a_champion_whose_files_are_gone_is_told_with_the_ways_out(
    problem: Problem, tmp_path: Path, gone: str
) -> None:
    register(problem, tmp_path / "store", PROMOTED)
    (serving,) = (tmp_path / "store").glob("*/artifacts/serving")
    shutil.rmtree({"serving": serving, "the run": serving.parents[1]}.get(gone, tmp_path / "store"))

    with pytest.raises(LostModelError) as raised:
        read_model.fn(problem, "champion")

    assert str(raised.value) == (
        "tiny v1: its files are not in MLflow's store; bring MLflow's store back as it was, go "
        "back to the champion before (python -m flows.rollback tiny), or train anew "
        "(python -m flows.train tiny)"
    )


def test_a_contract_of_a_rejected_model_names_no_promotion(
    problem: Problem, tmp_path: Path
) -> None:
    version = register(problem, tmp_path, REJECTED)

    challenger = read_model.fn(problem, "challenger")

    assert challenger.contract.model_version == version
    assert challenger.contract.promoted_at == ""


def test_a_registry_that_does_not_answer_is_not_one_without_a_champion(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(registry, "open_client", lambda: MlflowClient(f"http://127.0.0.1:{port}"))

    for ask in (read_champion.fn, lambda one: read_holders.fn(one.name)):
        with pytest.raises(UnavailableError, match=r"MLflow .*did not answer"):
            ask(problem)


def test_two_trainings_may_make_the_model_and_its_experiment_at_once(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found neither; the other was faster."""
    client = MlflowClient()
    client.create_registered_model("tiny")
    client.create_experiment("tiny")
    sought = client.get_experiment_by_name
    looks: list[str] = []

    def not_there(_name: str) -> None:
        raise MlflowException("not found", RESOURCE_DOES_NOT_EXIST)

    monkeypatch.setattr(client, "get_registered_model", not_there)

    def seek(name: str) -> object:
        looks.append(name)
        return sought(name) if len(looks) > 1 else None

    monkeypatch.setattr(client, "get_experiment_by_name", seek)

    registry._ensure_model(client, problem)
    assert tracking._experiment(client, "tiny") == sought("tiny").experiment_id
