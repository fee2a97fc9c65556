"""A store, a contract with a join, and a folder of its table."""

from dataclasses import replace
from pathlib import Path

import pytest

from bentos.predictor import Predictor
from driftline.contract import Contract
from tests.bentos.tables.shelved import Shelf
from tests.bentos.tables.test_lookups import LABS, labs, put


@pytest.fixture
def contract(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """The tiny model's, two of whose fields are looked up."""
    for name in ("DRIFTLINE_SIGNING_KEY", "DRIFTLINE_EVIDENCE_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    return replace(predictor.contract, joins=(LABS,))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(
        tmp_path,
        labs(
            ("7", "2024-03-01", "1.5", "F"),
            ("7", "2024-03-15", "2.5", "M"),
            ("8", "2023-01-01", "3.5", "M"),
            ("9", "2024-03-01", "99", "M"),
        ),
    )
    return tmp_path
