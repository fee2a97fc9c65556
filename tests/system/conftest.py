"""A champion of the tiny problem, packed as bento, image and Lambda archive, once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.verify.emulator import NotRunnableError
from tests.conftest import RunFlow
from tests.support import TINY, file_problem, lacking, tiny_rows
from tests.system.packing import Packed, fetch_emulator, forget_image, make_base_image, pack


@pytest.fixture(scope="session")
def base_image() -> str:
    """A base image, made from Debian's packages where it is not there yet."""
    try:
        return make_base_image()
    except NotRunnableError as error:
        lacking(str(error))


@pytest.fixture(scope="session")
def rie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AWS's runtime interface emulator."""
    try:
        return fetch_emulator(tmp_path_factory.mktemp("rie"))
    except NotRunnableError as error:
        lacking(str(error))


@pytest.fixture(scope="session")
def packed(
    run_flow: RunFlow, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Packed]:
    """The tiny problem, trained and packed by its own commands."""
    folder = tmp_path_factory.mktemp("packed")
    home, project = folder / "home", folder / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    packed = pack("tiny", run_flow, base_image, home, project)
    yield packed
    forget_image(packed)


@pytest.fixture(scope="session")
def record(packed: Packed) -> dict[str, object]:
    """A record of the tiny problem."""
    del packed
    return {"age": 61, "level": 1.25, "sex": "F"}
