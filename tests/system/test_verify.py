"""`python -m flows.verify` passes where all environments agree, and finds the one that does not."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bentos.takeover.content import SUMS, digest, format_sums, parse_sums
from tests.conftest import RunFlow
from tests.system.packing import Packed

pytestmark = [pytest.mark.system, pytest.mark.container]


def test_every_environment_answers_like_the_fitted_pipeline(
    packed: Packed, run_flow: RunFlow, rie: Path
) -> None:
    done = verify(packed, run_flow, DRIFTLINE_LAMBDA_RIE=str(rie))

    found = environments(packed)
    assert done.returncode == 0, done.stderr
    assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(found, "equal")
    assert list(found) == [
        "scikit-learn pipeline",
        "ONNX predictor",
        "bentoml serve",
        "container",
        "Lambda zip",
        "Lambda image",
        "Google function",
        "Azure function",
    ]
    for one in found.values():
        assert one["rows"] >= 1000
        assert one["labels_equal"]
        assert one["max_probability_difference"] <= 1e-6
        assert one["errors_equal"] in {True, None}


def test_an_environment_with_another_threshold_is_found(
    packed: Packed, run_flow: RunFlow, rie: Path
) -> None:
    honest = packed.archive.read_bytes()
    try:
        change_contract(packed.archive, threshold=0.999)

        done = verify(packed, run_flow, DRIFTLINE_LAMBDA_RIE=str(rie))
    finally:
        packed.archive.write_bytes(honest)

    states = {name: one["state"] for name, one in environments(packed).items()}
    assert done.returncode == 1
    assert "Lambda zip" in done.stderr
    assert [name for name, state in states.items() if state == "different"] == ["Lambda zip"]


def test_what_cannot_run_here_is_named_and_not_passed(packed: Packed, run_flow: RunFlow) -> None:
    done = verify(packed, run_flow, DRIFTLINE_LAMBDA_RIE="/no/such/emulator")

    found = environments(packed)
    assert done.returncode == 0, done.stderr
    assert found["Lambda zip"]["state"] == found["Lambda image"]["state"] == "not run"
    assert "no runtime interface emulator" in found["Lambda zip"]["why"]
    page = (packed.home / "reports" / "verify" / "tiny-v1.html").read_text()
    assert "not run" in page


def verify(packed: Packed, run_flow: RunFlow, **env: str) -> Any:
    """Run the flow over a thousand rows."""
    return run_flow(
        "verify", "tiny", "--rows", "1000", home=packed.home, project=packed.project, env=env
    )


def environments(packed: Packed) -> dict[str, dict[str, Any]]:
    """The newest summary's environments by name."""
    summary = json.loads((packed.home / "runs" / "latest.json").read_text())
    return {one["name"]: one for one in summary["environments"]}


def change_contract(path: Path, **changes: Any) -> None:
    """Change keys of the contract inside an archive, and its list of files with it."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    contract = json.loads(content["contract.json"]) | changes
    content["contract.json"] = json.dumps(contract).encode()
    listed = parse_sums(content[SUMS]) | {"contract.json": digest(content["contract.json"])}
    content[SUMS] = format_sums(listed)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
