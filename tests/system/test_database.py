"""The service over each kind of database, from an empty one to a kept label."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bentos.log.database import open_engine
from bentos.log.tables import LABELS, PREDICTIONS
from tests.bentos.models import RECORD, write_tiny_model
from tests.system.servers import start_mariadb, start_postgresql
from tests.system.service import Load, Service, await_that, serving

SERVERS = {"postgresql": start_postgresql, "mariadb": start_mariadb}


@pytest.mark.system
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_predictions_and_labels_reach_a_real_server(kind: str, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model")
    with SERVERS[kind]() as server:
        service = Service(model, tmp_path / "home", server.create_database())
        missing = {"prediction_id": "0" * 32, "label": "ill"}
        with serving(service), Load(service.port, RECORD, pause_seconds=0.01) as load:
            await_that(lambda: service.post("/feedback", missing)[0] == 404)
            batch = service.post("/predict_batch", {"records": [RECORD] * 1200})[1]
            batch_ids = [each["prediction_id"] for each in batch["predictions"]]
            known = {"prediction_id": batch_ids[-1], "label": "well"}
            # 503 until the prediction is there: 10 s may not do on a slow machine
            await_that(lambda: service.post("/feedback", known)[0] == 200)
            labelled = service.post("/feedback", known)[0]
            server.stop()  # and again while predictions come in
            refused = service.post("/feedback", known)[0]
            server.start()
            await_that(lambda: service.post("/feedback", known)[0] == 200)

        engine = open_engine(service.database_url)
        with engine.connect() as connection:
            ids = list(connection.execute(select(PREDICTIONS.c.id)).scalars())
            labels = connection.execute(select(LABELS.c.prediction_id, LABELS.c.label)).all()
        engine.dispose()

    assert (labelled, refused) == (200, 503)
    assert (load.refused, load.broken) == ([], 0)
    assert sorted(ids) == sorted(load.ids + batch_ids)
    assert [tuple(each) for each in labels] == [(batch_ids[-1], "well")]
