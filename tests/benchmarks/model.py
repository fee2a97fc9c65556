"""One random forest of 100 trees on breast cancer, in the form that each contender serves."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np

from driftline.dataset import draft_contract
from driftline.digests import digest_bytes
from driftline.export import export_onnx
from driftline.problem import parse_problem

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Contenders:
    """Folder with every form of the model, and a record in each contender's words."""

    folder: Path
    ours: bytes
    mlflow: bytes
    joblib: bytes

    def batch(self, rows: int) -> dict[str, bytes]:
        """A body of that many records for each contender."""
        record = json.loads(self.ours)
        values = list(record.values())
        return {
            "ours": json.dumps({"records": [record] * rows}).encode(),
            "listed": json.dumps({"records": [{"features": values}] * rows}).encode(),
            "mlflow": json.dumps({"inputs": [values] * rows}).encode(),
            "joblib": json.dumps({"rows": [values] * rows}).encode(),
        }


def make_contenders(folder: Path) -> Contenders:
    """Fit the forest once and write it for ours, for MLflow and for joblib."""
    import mlflow
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline

    text = (ROOT / "data/problems/breast_cancer.yaml").read_text(encoding="utf-8")
    problem = parse_problem(text, name="breast_cancer", file="breast_cancer.yaml")
    table, y = load_breast_cancer(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=100, random_state=42)
    pipeline = Pipeline([("classify", forest)]).fit(table.astype(np.float32), 1 - y)
    onnx = export_onnx(pipeline, table.shape[1])
    contract = replace(
        draft_contract(problem),
        threshold=0.5,
        model_version="bench",
        onnx_sha256=digest_bytes(onnx),
    )
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "contract.json").write_text(contract.to_json(), encoding="utf-8")
    joblib.dump(forest, folder / "forest.joblib")
    mlflow.sklearn.save_model(
        forest,
        folder / "mlflow",
        pip_requirements=[],
        pyfunc_predict_fn="predict_proba",
        skops_trusted_types=["sklearn.tree._tree.Tree"],
    )
    record = dict(problem.example)
    values = list(record.values())
    return Contenders(
        folder=folder,
        ours=json.dumps(record).encode(),
        mlflow=json.dumps({"inputs": [values]}).encode(),
        joblib=json.dumps({"rows": [values]}).encode(),
    )
