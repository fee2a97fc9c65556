"""The service as its operator meets it: start, refusal to start, pages, metrics, end."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.bentos.models import RECORD, write_tiny_model
from tests.ports import free_ports
from tests.support import lacking
from tests.system.service import Load, Service, await_that, command_of, rows_by_id, serving

pytestmark = pytest.mark.system
REFUSAL_SECONDS = 30.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model."""
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def service(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that writes to SQLite."""
    home = tmp_path_factory.mktemp("home")
    with serving(Service(model, home, f"sqlite:///{home / 'predictions.db'}")) as service:
        yield service


@pytest.fixture
def quiet_service(model: Path, tmp_path: Path) -> Service:
    """A service that a test starts itself."""
    return Service(model, tmp_path / "home", f"sqlite:///{tmp_path / 'predictions.db'}")


def _has_tables(service: Service) -> bool:
    """Whether the shipper has made its first round."""
    missing = {"prediction_id": "0" * 32, "label": "ill"}
    return service.post("/feedback", missing)[0] == 404


@pytest.mark.parametrize("name", ["model.onnx", "contract.json"])
def test_a_flipped_byte_refuses_to_serve(model: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "model"))
    content = bytearray((damaged / name).read_bytes())
    at = len(content) // 2 if name == "model.onnx" else content.index(b'"onnx_sha256": "') + 20
    content[at] ^= 1
    (damaged / name).write_bytes(content)
    service = Service(damaged, tmp_path / "home", f"sqlite:///{tmp_path / 'predictions.db'}")
    begun, answers = time.monotonic(), set()

    process = service.launch()
    while process.poll() is None and time.monotonic() - begun < REFUSAL_SECONDS:
        answers.add(service.status("/readyz"))
        time.sleep(0.1)

    code = process.poll()
    if code is None:
        service.stop()
    assert code not in {0, None}
    assert answers == {None}
    assert "refusing to serve" in service.output


def test_a_record_is_answered_and_its_label_kept(service: Service) -> None:
    await_that(lambda: _has_tables(service))
    status, answer = service.post("/predict", RECORD)
    named = {"prediction_id": answer["prediction_id"]}

    labelled = [
        service.post("/feedback", named | {"label": each}) for each in ("ill", "ill", "well")
    ]

    assert status == 200
    assert [each[0] for each in labelled] == [200, 200, 409]
    assert labelled[0][1] == {"status": "added"}
    assert rows_by_id(service.database_url)[answer["prediction_id"]] == 1


def test_the_metrics_have_every_family_and_the_right_counts(service: Service) -> None:
    batch = {"records": [RECORD] * 250}
    before = _predictions(service)

    service.post("/predict_batch", batch)
    service.post("/predict", {"age": -1})
    service.get("/schema.json")  # BentoML answers it, and counts what it answers

    text = service.get("/metrics")
    families = {each.name for each in text_string_to_metric_families(text)}
    assert len({name for name in families if name.startswith("driftline_")}) >= 10
    assert {"driftline_spool_bytes", "driftline_spool_age_seconds"} <= families
    assert any(name.startswith("bentoml_") for name in families)
    assert _predictions(service) == before + 250
    assert 'driftline_rejected_requests_total{code="invalid"}' in text


def _predictions(service: Service) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(service.get("/metrics"))
        if family.name == "driftline_answered_records"
        for sample in family.samples
    )


def test_the_served_document_is_that_of_the_contract(service: Service) -> None:
    document = json.loads(service.get("/openapi.json"))

    record = document["components"]["schemas"]["Record"]
    assert list(record["properties"]) == ["age", "level", "sex", "ward"]
    assert service.post("/predict", record["example"])[0] == 200


@pytest.mark.browser
def test_the_description_shows_every_field_in_a_real_browser(
    service: Service, tmp_path: Path
) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        lacking("Debian's chromium")
    words = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    words += ["--disable-background-networking", "--disable-component-update"]
    words += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=8000", "--dump-dom"]

    shown = subprocess.run(
        [*words, f"{service.url}/docs"], capture_output=True, text=True, timeout=90, check=True
    )

    cells = set(re.findall(r"<td>([^<]+)</td>", shown.stdout))
    assert {"age", "level", "sex", "ward"} <= cells
    assert {"years", "whole, 0 to 120", "-10 to 10", "F, M", "null, -9"} <= cells
    assert "Predict one record" in shown.stdout
    assert "Failed to load" not in shown.stdout


def test_a_stop_under_load_leaves_nothing_unshipped(quiet_service: Service) -> None:
    quiet_service.start()
    with Load(quiet_service.port, RECORD) as load:
        await_that(lambda: len(load.ids) > 300)
        family = quiet_service.family()

        code = quiet_service.stop()

    rows = rows_by_id(quiet_service.database_url)
    assert code == 0
    assert [rows.get(each) for each in load.ids] == [1] * len(load.ids)
    assert not list((quiet_service.home / "spool").glob("*.jsonl"))
    assert not any("bento" in command_of(pid) for pid in family)


def test_it_is_ready_only_once_the_model_is_loaded(quiet_service: Service) -> None:
    """Nobody is told that it is ready, or is answered, before."""
    process = quiet_service.launch()
    seen: list[int | None] = []
    try:
        await_that(lambda: seen.append(quiet_service.status("/readyz")) or seen[-1] == 200, 60.0)
        first = quiet_service.post("/predict", RECORD)[0]
    finally:
        quiet_service.stop()

    assert process.returncode == 0
    assert set(seen[:-1]) <= {None, 503}
    assert first == 200


def test_keys_of_the_environment_are_asked_for(model: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'predictions.db'}"
    keys = {"DRIFTLINE_API_KEYS": "first-key,second-key"}
    (port,) = free_ports(1)

    with serving(Service(model, tmp_path / "home", url, keys, port)) as service:
        without = service.post("/predict", RECORD)
        page, ready = service.status("/"), service.status("/readyz")
        metrics = service.status("/metrics")

    assert without[0] == 401
    assert (page, ready, metrics) == (200, 200, 401)
    assert "first-key" not in service.output


def test_readiness_names_every_part_and_state_is_for_its_user_alone(
    quiet_service: Service,
) -> None:
    with serving(quiet_service):
        assert quiet_service.post("/predict", RECORD)[0] == 200
        told = json.loads(quiet_service.get("/readyz"))
        metrics = quiet_service.get("/metrics")

    parts = {"follower", "keeper", "shipper", "spool", "takeover"}
    assert told["status"] == "ready"
    assert set(told["parts"]) == parts
    assert all({"state", "since"} <= set(part) for part in told["parts"].values())
    assert all(f'driftline_part_up{{part="{name}"}} 1.0' in metrics for name in parts)
    of_the_service = [quiet_service.home / "spool", *(quiet_service.home / "spool").rglob("*")]
    of_the_service += [quiet_service.home, Path(quiet_service.database_url[10:])]
    assert [str(path) for path in of_the_service if path.stat().st_mode & 0o077] == []


def test_a_durable_service_answers_and_ships_as_any_other(quiet_service: Service) -> None:
    quiet_service.settings = {"DRIFTLINE_DURABLE": "true"}
    with serving(quiet_service), Load(quiet_service.port, RECORD) as load:
        await_that(lambda: len(load.ids) > 100)

    rows = rows_by_id(quiet_service.database_url)
    assert load.refused == []
    assert [rows[each] for each in load.ids] == [1] * len(load.ids)


def test_a_spool_that_cannot_be_written_ends_the_start_with_a_sentence(
    quiet_service: Service,
) -> None:
    quiet_service.home.mkdir()
    (quiet_service.home / "spool").write_text("in the way")

    process = quiet_service.launch()
    code = process.wait(REFUSAL_SECONDS)

    assert code != 0
    assert "spool: cannot be written (" in quiet_service.output
    assert "Traceback" not in quiet_service.output
