"""What environments cannot be asked is said before any of them is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from driftline.contract import parse_contract
from driftline.errors import DataError
from driftline.served import ServedModel
from driftline.timelines import JoinSpec
from tasks.verify.questions import collect_questions
from tests.bentos.models import tiny_problem, write_tiny_model


def test_fields_that_nobody_may_send_cannot_be_compared(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    join = JoinSpec("labs", "patient", "visited", ("level",), given="refuse")
    model = ServedModel(
        "7", (folder / "model.onnx").read_bytes(), replace(contract, joins=(join,)), frozenset()
    )
    fitted: Any = None

    with pytest.raises(DataError, match=r"joins.labs.given: got 'refuse'.*wanted 'wins'"):
        collect_questions.fn(pd.DataFrame(), tiny_problem(), model, fitted, rows=10)
