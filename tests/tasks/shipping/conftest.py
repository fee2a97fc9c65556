"""A tiny problem's model, its bento as BentoML has built it, and machines that share a store."""

import shutil
from pathlib import Path

import pytest

from driftline.contract import parse_contract
from driftline.served import ServedModel
from tasks.settings import get_settings
from tasks.shipping.packaging import build_bento
from tests.bentos.models import write_tiny_model
from tests.tasks.shipping.machines import KEY, PROBLEM, use_store


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """The tiny problem's model."""
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    contract = parse_contract((folder / "contract.json").read_text())
    return ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())


@pytest.fixture(scope="session")
def built(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML home with the one bento that BentoML has built."""
    home = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(home))
        patch.setenv("DRIFTLINE_HOME", str(home.parent))
        patch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
        get_settings.cache_clear()
        build_bento.fn(PROBLEM, model)
        get_settings.cache_clear()
    return home


@pytest.fixture
def machine(home: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has the bento, and shares a store with others."""
    shutil.copytree(built, home / "bentoml")
    use_store(home.parent / "store", monkeypatch)
    return home
