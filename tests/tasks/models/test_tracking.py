import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from driftline.candidates import CANDIDATES, build_calibrated
from driftline.dataset import Dataset, Plan
from driftline.digests import digest_rows
from driftline.errors import LostModelError
from driftline.evaluation import keep_groups
from driftline.export import Exported
from driftline.problem import Problem
from driftline.training import Trained
from tasks.models.tracking import (
    REVIEWED_TYPES,
    Inputs,
    Logged,
    _experiment,
    log_documents,
    log_training,
    read_fitted,
    restore_experiment,
)
from tasks.models.training import choose_winner, export_model, split_rows, train_candidate
from tasks.settings import get_settings
from tests.support import make_problem, tiny_rows

PLAN = Plan(folds=3, repeats=1, trials=0, test_size=0.25, seed=0, is_smoke=False)
SNAPSHOT = "ab" * 32


class Training:
    """A whole training of the tiny problem, logged once."""

    problem: Problem
    dataset: Dataset
    trained: list[Trained]
    winner: Trained
    exported: Exported
    logged: Logged


@pytest.fixture(scope="module")
def training(mlflow_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Training]:
    """Trains, exports and logs the tiny problem to an MLflow of the module's own."""
    import shutil

    import mlflow

    home = tmp_path_factory.mktemp("home")
    shutil.copyfile(mlflow_template, home / "mlflow.db")
    address = f"sqlite:///{home / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTLINE_HOME", str(home))
        patch.setenv("MLFLOW_TRACKING_URI", address)
        mlflow.set_tracking_uri(address)
        get_settings.cache_clear()
        yield log_tiny()
    get_settings.cache_clear()


def log_tiny() -> Training:
    made = Training()
    made.problem = make_problem()
    table = tiny_rows()
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    made.dataset = split_rows.fn(table, digest_rows(table), made.problem, PLAN)
    made.trained = [
        train_candidate.fn(name, made.problem, made.dataset, PLAN)
        for name in made.problem.candidates
    ]
    made.winner = choose_winner.fn(made.trained, made.problem, made.dataset, PLAN)
    made.exported = export_model.fn(
        made.winner, made.problem, made.dataset, SNAPSHOT, searched_rows=240, seed=0
    )
    made.logged = log_training.fn(
        made.problem,
        made.trained,
        made.winner,
        inputs=Inputs(
            snapshot=SNAPSHOT,
            rows=240,
            source="rows.csv",
            trained_by="a run",
            parameters={"seed": 0},
            read_as="semicolon, decimal comma",
        ),
        feature_names=made.exported.contract.feature_names,
        X_test=made.dataset.data.X_test,
        train_digests=made.dataset.train_digests,
        exported=made.exported,
    )
    return made


def artifacts(run_id: str, folder: str | None = None) -> set[str]:
    return {file.path for file in MlflowClient().list_artifacts(run_id, folder)}


def test_each_candidate_has_a_nested_run_under_the_trainings_own(training: Training) -> None:
    client = MlflowClient()
    parent = client.get_run(training.logged.run_id)

    nested = client.search_runs(
        [parent.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{training.logged.run_id}'",
    )

    assert client.get_experiment(parent.info.experiment_id).name == "tiny"
    assert {run.data.params["candidate"] for run in nested} == set(training.problem.candidates)
    assert {run.info.status for run in [parent, *nested]} == {"FINISHED"}


def test_the_winners_figures_come_with_their_intervals(training: Training) -> None:
    data = MlflowClient().get_run(training.logged.run_id).data

    figures = training.winner.flat_metrics()
    assert {name: data.metrics[name] for name in figures} == pytest.approx(figures)
    for name, bounds in training.winner.intervals.items():
        assert (data.metrics[f"test_{name}_low"], data.metrics[f"test_{name}_high"]) == bounds
    assert data.params["candidate"] == training.winner.name
    assert data.params["seed"] == "0"


def test_the_contract_tells_how_good_the_winner_is_and_what_is_typical(training: Training) -> None:
    contract = training.exported.contract

    told = {name: (low, high) for name, low, high in contract.intervals}
    assert told == training.winner.intervals
    assert [name for name, _ in contract.typical] == ["age", "level", "sex"]
    contract.encode(contract.typical_record)


def test_the_snapshot_is_the_runs_dataset_with_its_whole_digest(training: Training) -> None:
    run = MlflowClient().get_run(training.logged.run_id)

    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "tiny"
    assert json.loads(used.dataset.source)["sha256"] == SNAPSHOT
    assert json.loads(used.dataset.profile)["num_rows"] == 240
    assert run.data.params["snapshot_sha256"] == SNAPSHOT
    assert run.data.params["read_as"] == "semicolon, decimal comma"


def test_pictures_and_reports_stand_beside_the_figures(training: Training) -> None:
    found = artifacts(training.logged.run_id)

    assert {
        "confusion_matrix.png",
        "roc.png",
        "precision_recall.png",
        "calibration.png",
        "permutation_importance.png",
        "permutation_importance.json",
        "classification_report.txt",
    } <= found


def test_what_serving_needs_holds_no_pickle(training: Training) -> None:
    found = artifacts(training.logged.run_id, "serving")

    assert found == {
        "serving/SHA256SUMS",
        "serving/model.onnx",
        "serving/out_of_fold.npz",
        "serving/promise.json",
        "serving/train_rows.txt.gz",
    }


def test_the_model_loads_without_pickle_and_answers_as_it_did(training: Training) -> None:
    import mlflow

    loaded = mlflow.sklearn.load_model(training.logged.model_uri)

    data = training.dataset.data
    np.testing.assert_allclose(
        loaded.predict_proba(data.X_test), training.winner.test.probabilities, atol=1e-12
    )
    flavour = mlflow.models.get_model_info(training.logged.model_uri).flavors["sklearn"]
    assert flavour["serialization_format"] == "skops"


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_is_restored_from_reviewed_types(name: str, is_calibrated: bool) -> None:
    from skops.io import dumps, loads

    candidate = CANDIDATES[name]
    build = build_calibrated if is_calibrated else lambda one, *rest: one.build(*rest)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2)).astype(np.float32)  # noqa: N806
    model = build(candidate, candidate.defaults, 0).fit(X, X[:, 0] > 0)

    restored = loads(dumps(model), trusted=REVIEWED_TYPES)

    np.testing.assert_allclose(restored.predict_proba(X), model.predict_proba(X), atol=1e-12)


def test_a_calibration_by_groups_is_restored_from_reviewed_types() -> None:
    from skops.io import dumps, loads

    candidate = CANDIDATES["logistic_regression"]
    X = np.random.default_rng(0).normal(size=(90, 2)).astype(np.float32)  # noqa: N806
    y = (X[:, 0] > 0).astype(np.int64)
    folds = keep_groups(y, [str(row // 3) for row in range(90)], folds=3, seed=0)
    model = build_calibrated(candidate, candidate.defaults, 0, folds).fit(X, y)

    restored = loads(dumps(model), trusted=REVIEWED_TYPES)

    np.testing.assert_allclose(restored.predict_proba(X), model.predict_proba(X), atol=1e-12)


def test_the_model_says_what_goes_in_and_what_comes_out(training: Training) -> None:
    import mlflow

    signature = mlflow.models.get_model_info(training.logged.model_uri).signature

    assert signature is not None
    (features,) = signature.inputs.inputs
    (probabilities,) = signature.outputs.inputs
    assert (features.type, features.shape) == (np.dtype("float32"), (-1, 4))
    assert probabilities.shape == (-1, 2)


def test_the_run_summary_is_added_to_its_run(training: Training) -> None:
    run_id = training.logged.run_id

    log_documents.fn(run_id, {"run_summary.json": "{}"}, {"verdict": "promoted"})

    assert "run_summary.json" in artifacts(run_id)
    assert MlflowClient().get_run(run_id).data.tags["verdict"] == "promoted"


def test_a_pipeline_that_is_damaged_in_the_store_is_named(training: Training) -> None:
    from mlflow import register_model

    version = str(register_model(training.logged.model_uri, training.problem.name).version)
    [path] = get_settings().home.rglob("model.skops")
    whole = path.read_bytes()

    for damaged in (b"", whole[: len(whole) // 2], whole.replace(b"schema.json", b"_chema.json")):
        path.write_bytes(damaged)
        with pytest.raises(LostModelError, match=rf"^tiny v{version}: its pipeline cannot be read"):
            read_fitted.fn(training.problem, version)
    path.write_bytes(whole)
    pipeline, _ = read_fitted.fn(training.problem, version)

    assert len(pipeline.predict_proba(training.dataset.data.X_test)) == len(
        training.dataset.data.X_test
    )


def test_a_deleted_experiment_is_restored(mlflow_home: Path) -> None:
    del mlflow_home
    client, problem = MlflowClient(), make_problem()
    experiment = client.create_experiment(problem.name)
    client.delete_experiment(experiment)

    restore_experiment.fn(problem)
    restore_experiment.fn(problem)  # nothing is wrong any more

    assert client.get_experiment(experiment).lifecycle_stage == "active"


@pytest.mark.parametrize("name", ["churn 50%20test", "a #1", "K\u00fcndigung"])
def test_artifacts_lie_in_the_store_whatever_its_folder_is_called(
    mlflow_home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = mlflow_home / name
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(store))
    get_settings.cache_clear()
    client = MlflowClient()

    run = client.create_run(_experiment(client, "tiny"))
    client.log_text(run.info.run_id, "here", "note.txt")

    assert [path.read_text("utf-8") for path in store.rglob("note.txt")] == ["here"]
    assert [path.name for path in mlflow_home.iterdir() if path.is_dir()] == [name]
