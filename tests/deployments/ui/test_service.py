"""What the page sends to a service, and what the service makes of it."""

from collections import Counter
from pathlib import Path

from bentos.api import Api
from bentos.predictor import load_predictor
from deployments.ui.service import Service
from tests.bentos.models import KeptLog, write_tiny_model
from tests.deployments.ui.serving import served


def test_records_that_are_refused_are_counted_by_field_and_logged_as_no_predictions(
    tmp_path: Path,
) -> None:
    predictor, log = load_predictor(write_tiny_model(tmp_path)), KeptLog()
    too_old, unknown = {"age": 400, "level": 1, "sex": "F"}, {"age": 40, "level": 1, "sex": "X"}

    with served(Api(predictor, log)) as url:
        Service(url, "").report_refused([too_old, too_old, unknown])

    counts: Counter[str] = Counter()
    for (_, _, field, _), count in log.refused.items():
        counts[field] += count
    assert log.entries == []
    assert (counts["age"], counts["sex"]) == (2, 1)
