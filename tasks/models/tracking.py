"""MLflow runs: a parent run per training, a nested run per candidate, and what each holds."""

import gzip
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bentos.takeover.content import write_sums
from driftline.errors import LostModelError
from driftline.export import Exported
from driftline.figures import draw_importance
from driftline.outcome import outcome_of
from driftline.problem import Problem
from driftline.training import Trained
from tasks.decorators import io
from tasks.models.serving_files import UNREADABLE
from tasks.models.unfinished import ending_broken, marks_of
from tasks.progress import tell
from tasks.reaching import another_may_be_faster, open_client, reading_artifacts
from tasks.settings import get_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from sklearn.pipeline import Pipeline

# What skops may restore, each read in its library's source: arrays and settings, no code. A forged
# Tree could still crash the process that loads it; only our own runs are loaded, never in serving.
REVIEWED_TYPES = [
    "collections.OrderedDict",
    "driftline.lightgbm.LightGBM",
    "lightgbm.basic.Booster",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.PredefinedSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
]
_DIGEST_CHARACTERS = 36  # MLflow's column for a dataset's digest; the whole one is in its source


@dataclass(frozen=True)
class Logged:
    """A training's parent run and the model in it."""

    run_id: str
    model_uri: str


@dataclass(frozen=True)
class Inputs:
    """What a training started from, and the id of the flow run that it is."""

    snapshot: str
    rows: int
    source: str
    trained_by: str
    parameters: Mapping[str, Any]
    read_as: str = ""


@io(name="log to MLflow")
def log_training(
    problem: Problem,
    trained: Sequence[Trained],
    winner: Trained,
    *,
    inputs: Inputs,
    feature_names: tuple[str, ...],
    X_test: np.ndarray,  # noqa: N803
    train_digests: Sequence[str],
    exported: Exported,
) -> Logged:
    """Write the parent run with the winner's model, and a nested run per candidate."""
    client = open_client()
    experiment = _experiment(client, problem.name)
    mine = marks_of(inputs.trained_by)
    with ending_broken(client, experiment, inputs.trained_by):
        parent = client.create_run(
            experiment, run_name=f"train {problem.name}", tags=mine
        ).info.run_id
        _log_inputs(client, parent, problem, inputs)
        for one in trained:
            tags = mine | {"mlflow.parentRunId": parent}
            nested = client.create_run(experiment, run_name=one.name, tags=tags).info.run_id
            _log_inputs(client, nested, problem, inputs)
            _log_candidate(client, nested, one, problem)
            client.set_terminated(nested)
        _log_candidate(client, parent, winner, problem)
        tell(f"{winner.name}: measuring how much each of {len(feature_names)} columns tells it")
        _log_winner(
            client,
            parent,
            winner,
            problem,
            feature_names=feature_names,
            X_test=X_test,
            train_digests=train_digests,
            exported=exported,
        )
        uri = _log_model(parent, winner, problem, feature_names)
        client.set_terminated(parent)
    return Logged(run_id=parent, model_uri=uri)


@io(name="log run summary")
def log_documents(run_id: str, documents: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Add text files and tags to a run."""
    client = open_client()
    for name, text in documents.items():
        client.log_text(run_id, text, name)
    for key, value in tags.items():
        client.set_tag(run_id, key, value)


@io(name="read fitted pipeline")
def read_fitted(problem: Problem, version: str) -> tuple["Pipeline", dict[str, str]]:
    """The pipeline of a registered version, restored without pickle, and what was logged of it."""
    from mlflow.artifacts import download_artifacts
    from skops.io import load

    client = open_client()
    found = client.get_model_version(problem.name, version)
    with tempfile.TemporaryDirectory() as folder:
        with reading_artifacts(f"{problem.name} v{version}"):
            path = Path(download_artifacts(found.source, dst_path=folder)) / "model.skops"
        try:
            pipeline = load(path, trusted=REVIEWED_TYPES)
        except UNREADABLE as error:
            why = f"its pipeline cannot be read from MLflow's store ({type(error).__name__})"
            raise LostModelError(f"{problem.name} v{version}: {why}", problem.name) from None
    return pipeline, dict(client.get_run(str(found.run_id)).data.params)


@io(name="look for a deleted experiment")
def restore_experiment(problem: Problem) -> None:
    """Restore the problem's experiment where somebody deleted it; no run could be logged else."""
    client = open_client()
    found = client.get_experiment_by_name(problem.name)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
        tell(f"MLflow's experiment {problem.name!r} had been deleted; it is restored")


def _experiment(client: "MlflowClient", name: str) -> str:
    if client.get_experiment_by_name(name) is None:
        with another_may_be_faster():
            client.create_experiment(name, artifact_location=get_settings().artifacts)
    return str(cast("Experiment", client.get_experiment_by_name(name)).experiment_id)


def _log_inputs(client: "MlflowClient", run_id: str, problem: Problem, inputs: Inputs) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=problem.name,
        digest=inputs.snapshot[:_DIGEST_CHARACTERS],
        source_type="snapshot",
        source=json.dumps(
            {"sha256": inputs.snapshot, "source": inputs.source, "read_as": inputs.read_as}
        ),
        profile=json.dumps({"num_rows": inputs.rows, "sha256": inputs.snapshot}),
    )
    tagged = DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
    client.log_inputs(run_id, datasets=[tagged])
    params = {**inputs.parameters, "snapshot_sha256": inputs.snapshot}
    if inputs.read_as:
        params["read_as"] = inputs.read_as
    _log_batch(client, run_id, params=params)


def _log_batch(
    client: "MlflowClient",
    run_id: str,
    *,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
) -> None:
    import time

    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        params=[Param(key, str(value)) for key, value in (params or {}).items()],
        metrics=[Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
    )


def _log_candidate(client: "MlflowClient", run_id: str, one: Trained, problem: Problem) -> None:
    outcome = outcome_of(problem)
    params = {
        "candidate": one.name,
        **outcome.describe_rule(one.rule),
        "calibrated": one.is_calibrated,
        **{f"model__{key}": value for key, value in one.params.items()},
    }
    bounds: dict[str, float] = {}
    for name, (low, high) in one.intervals.items():
        bounds |= {f"test_{name}_low": low, f"test_{name}_high": high}
    _log_batch(client, run_id, params=params, metrics={**one.flat_metrics(), **bounds})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for name, figure in outcome.draw(one.test).items():
            figure.savefig(path / f"{name}.png")
        for name, text in outcome.report(one.test).items():
            (path / name).write_text(text)
        client.log_artifacts(run_id, folder)


def _log_winner(
    client: "MlflowClient",
    run_id: str,
    winner: Trained,
    problem: Problem,
    *,
    feature_names: tuple[str, ...],
    X_test: np.ndarray,  # noqa: N803
    train_digests: Sequence[str],
    exported: Exported,
) -> None:
    from sklearn.inspection import permutation_importance

    measured = permutation_importance(
        winner.model,
        X_test,
        winner.test.y,
        scoring=outcome_of(problem).scoring,
        n_repeats=5,
        random_state=0,
    )
    means, stds = measured.importances_mean, measured.importances_std
    ranked = {feature_names[i]: [means[i], stds[i]] for i in np.argsort(-means)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        draw_importance(feature_names, means, stds).savefig(path / "permutation_importance.png")
        (path / "permutation_importance.json").write_text(json.dumps(ranked, indent=2))
        serving = path / "serving"
        serving.mkdir()
        (serving / "model.onnx").write_bytes(exported.onnx)
        (serving / "promise.json").write_text(json.dumps(exported.promise.to_document(), indent=2))
        np.savez_compressed(
            serving / "out_of_fold.npz",
            probabilities=exported.out_of_fold.probabilities.astype(np.float32),
            y=exported.out_of_fold.y,
        )
        (serving / "train_rows.txt.gz").write_bytes(
            gzip.compress("\n".join(train_digests).encode(), mtime=0)
        )
        write_sums(serving)
        client.log_artifacts(run_id, folder)


def _log_model(
    run_id: str, winner: Trained, problem: Problem, feature_names: tuple[str, ...]
) -> str:
    import logging

    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype("float32"), (-1, len(feature_names)), "features")]),
        outputs=Schema([TensorSpec(np.dtype("float64"), (-1, problem.width), "answers")]),
    )
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with mlflow.start_run(run_id=run_id):
        info = mlflow.sklearn.log_model(
            winner.model,
            name="model",
            signature=signature,
            serialization_format="skops",
            skops_trusted_types=REVIEWED_TYPES,
            pip_requirements=["scikit-learn", "skops", "numpy"],
            pyfunc_predict_fn=outcome_of(problem).answers_by,
        )
    return str(info.model_uri)
