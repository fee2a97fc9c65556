"""Bentos are built aside, and what a killed build has left goes with the next one."""

import json
from pathlib import Path

from bentos.predictor import load_predictor
from driftline.contract import parse_contract
from driftline.served import ServedModel
from tasks.shipping.packaging import build_bento
from tests.bentos.models import tiny_problem, write_tiny_model


def test_a_build_removes_the_drafts_of_killed_ones(home: Path, tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "model")
    contract = parse_contract((folder / "contract.json").read_text())
    model = ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())
    bentos = home / "bentoml" / "bentos" / "tiny"
    draft = bentos / ".draft-killed" / "bentos" / "tiny"
    draft.mkdir(parents=True)
    (draft / "half.json").write_text(json.dumps({"half": "written"}))
    (bentos / "v6-0123456789ab").mkdir()

    built = build_bento.fn(tiny_problem(), model)

    names = sorted(path.name for path in bentos.iterdir())
    assert names == ["v6-0123456789ab", Path(built.path).name]
    load_predictor(Path(built.path) / "src")
