"""A model that scores the large batches of these tests."""

import pytest

from driftline.contract import parse_contract
from driftline.served import ServedModel
from tests.bentos.models import write_tiny_model
from tests.tasks.log.batches import VERSION


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A tree on the tiny problem."""
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    return ServedModel(VERSION, (folder / "model.onnx").read_bytes(), contract, frozenset())
