import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.predictor import ModelRefusedError, Predictor, load_predictor
from driftline.fields import InvalidRecordError
from tests.bentos.models import RECORD, tiny_records
from tests.support import ROOT

NOT_TOLD = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
ALLOWED = {"numpy", "onnxruntime", "bentos", "driftline"}


@pytest.fixture
def copied(model_folder: Path, tmp_path: Path) -> Path:
    """A model folder that a test may damage."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


@given(data=st.data())
def test_one_flipped_bit_anywhere_in_the_onnx_file_is_refused(
    predictor: Predictor, model_folder: Path, data: st.DataObject
) -> None:
    onnx = bytearray((model_folder / "model.onnx").read_bytes())
    at, bit = data.draw(st.integers(0, len(onnx) - 1)), data.draw(st.integers(0, 7))
    onnx[at] ^= 1 << bit

    with pytest.raises(ModelRefusedError, match="refusing to serve"):
        Predictor(predictor.contract, bytes(onnx))


def test_a_contract_of_another_model_is_refused(copied: Path) -> None:
    contract = json.loads((copied / "contract.json").read_text())
    contract["onnx_sha256"] = "0" * 64
    (copied / "contract.json").write_text(json.dumps(contract))

    with pytest.raises(ModelRefusedError, match="wanted 0000000000000000"):
        load_predictor(copied)


@pytest.mark.parametrize("name", ["contract.json", "model.onnx"])
def test_a_missing_file_is_refused_by_name(copied: Path, name: str) -> None:
    (copied / name).unlink()

    with pytest.raises(ModelRefusedError, match=name):
        load_predictor(copied)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fields": 3}', "{\x00}"])
def test_a_contract_that_cannot_be_read_is_refused(copied: Path, text: str) -> None:
    (copied / "contract.json").write_text(text)

    with pytest.raises(ModelRefusedError, match="contract"):
        load_predictor(copied)


def test_answers_say_what_the_scores_say(predictor: Predictor) -> None:
    records = list(tiny_records(200))
    contract = predictor.contract

    answers = predictor.predict(records)

    scores = predictor.score(contract.encode_table(records))
    assert [list(answer.probability.values()) for answer in answers] == scores
    assert [answer.prediction for answer in answers] == [contract.decide(row) for row in scores]
    assert [answer.risk_level for answer in answers] == [contract.risk(row) for row in scores]
    assert {answer.label for answer in answers} == {"well", "ill"}
    for answer in answers:
        assert answer.label == contract.classes[answer.prediction]
        assert answer.confidence == answer.probability[answer.label]


def test_a_record_is_answered_alike_alone_and_among_others(predictor: Predictor) -> None:
    records = list(tiny_records(50))

    together = predictor.predict(records)

    assert [predictor.predict([record])[0] for record in records] == together


def test_no_records_have_no_answers(predictor: Predictor) -> None:
    assert predictor.predict([]) == []
    assert predictor.answer(np.zeros((0, 5), np.float32)) == []


def test_a_record_that_breaks_the_contract_is_an_error(predictor: Predictor) -> None:
    with pytest.raises(InvalidRecordError, match="age: must be between 0 and 120"):
        predictor.predict([RECORD, RECORD | {"age": 121}])


def test_the_predictor_needs_numpy_and_onnxruntime_only(model_folder: Path) -> None:
    """Counted as what importing it and loading a model add to what those two bring by themselves.

    Whatever else is imported takes longer than all of this: a Lambda's first answer waits for it.
    """
    script = (
        "import sys, numpy, onnxruntime; before = set(sys.modules); from pathlib import Path\n"
        "from bentos.predictor import load_predictor; load_predictor(Path(sys.argv[1]))\n"
        "names = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - set(sys.stdlib_module_names)))"
    )

    told = subprocess.run(
        [sys.executable, "-c", script, str(model_folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert set(told.stdout.split()) <= ALLOWED


def test_loading_a_model_writes_nothing_at_home_and_tells_nobody(
    model_folder: Path, tmp_path: Path
) -> None:
    """ONNX Runtime would keep there what it tells its makers of this machine."""
    environment = {name: os.environ[name] for name in os.environ if name not in NOT_TOLD}
    script = (
        "import sys; from pathlib import Path\n"
        "from bentos.predictor import load_predictor; load_predictor(Path(sys.argv[1]))"
    )

    subprocess.run(
        [sys.executable, "-c", script, str(model_folder)],
        cwd=ROOT,
        check=True,
        env=environment | {"HOME": str(tmp_path)},
    )

    assert list(tmp_path.rglob("*")) == []
