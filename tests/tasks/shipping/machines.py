"""Machines that build, share and fetch the bento of one tiny problem."""

from pathlib import Path

import pytest

from bentos.takeover import shelf
from tasks.settings import get_settings
from tasks.shipping import packaging
from tasks.shipping.packaging import Bento
from tests.bentos.models import tiny_problem

KEY = "k" * 32
PROBLEM = tiny_problem()


def use_store(store: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(store))
    get_settings.cache_clear()


def move_to_another_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with an empty disk."""
    monkeypatch.setenv("BENTOML_HOME", str(home.parent / "another"))


def forbid_building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "_run_build", lambda *_: pytest.fail("built again"))


def archive_of(store: Path, bento: Bento) -> Path:
    return store / shelf.archive_in_store(bento.tag)
