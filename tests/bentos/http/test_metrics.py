import json
import sys
import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bentos.api import Api
from bentos.columns import FEW, answer_records
from bentos.http.metrics import FIELD_BINS, SHARED_BY, Gauge, Histogram, Ledger
from bentos.predictor import Predictor
from driftline.date_parts import Part
from driftline.fields import FieldSpec
from tests.bentos.asking import ask, read
from tests.bentos.models import MARKER, RECORD, KeptLog, tiny_records

FAMILIES = {
    "driftline_answered_records",
    "driftline_refused_fields",
    "driftline_predictions",
    "driftline_risk_bands",
    "driftline_rejected_requests",
    "driftline_missing_values",
    "driftline_labels_received",
    "driftline_confidence",
    "driftline_scoring_seconds",
    "driftline_input_value",
    "driftline_model_info",
    "driftline_spool_bytes",
}
GAUGE = Gauge("spool_bytes", "Bytes that wait", {"problem": "tiny"}, 3.0)


def parse(text: str) -> dict[str, Any]:
    return {each.name: each for each in text_string_to_metric_families(text)}


def families(api: Api) -> dict[str, Any]:
    return parse(api.ledger.expose([GAUGE]))


def values(family: Any, label: str) -> dict[str, float]:
    return {each.labels[label]: each.value for each in family.samples}


def in_steps(counts: Counter[str]) -> dict[str, int]:
    return {name: count // SHARED_BY * SHARED_BY for name, count in counts.items()}


def buckets(family: Any, **labels: str) -> list[float]:
    return [
        each.value
        for each in family.samples
        if each.name.endswith("_bucket") and labels.items() <= each.labels.items()
    ]


def test_an_untouched_service_has_every_family(api: Api) -> None:
    assert set(families(api)) >= FAMILIES


def test_counts_equal_what_was_predicted(api: Api, log: KeptLog) -> None:
    ask(api, "/predict_batch", {"records": list(tiny_records(300))})
    for record in tiny_records(20):
        ask(api, "/predict", record)

    found = families(api)

    logged = log.predictions
    by_class = Counter(one["label"] for one in logged)
    by_band = Counter(one["risk"] for one in logged)
    expected_missing = sum(one["inputs"]["level"] is None for one in logged)
    assert found["driftline_answered_records"].samples[0].value == 320
    assert buckets(found["driftline_scoring_seconds"])[-1] == 21
    assert values(found["driftline_predictions"], "class") == in_steps(by_class)
    bands = values(found["driftline_risk_bands"], "band")
    assert {band: count for band, count in bands.items() if count} == in_steps(by_band)
    missing = values(found["driftline_missing_values"], "field")["level"]
    assert missing == expected_missing // SHARED_BY * SHARED_BY
    for family, counted in (("confidence", 320), ("input_value", 320)):
        shown = buckets(
            found[f"driftline_{family}"], **({"field": "age"} if "in" in family else {})
        )
        assert counted - SHARED_BY * len(shown) < shown[-1] <= counted
    ages = buckets(found["driftline_input_value"], field="age")
    assert min(np.diff([0, *ages[1:-1]])) >= SHARED_BY  # each of ten bins has its share


def test_a_missing_category_counts_as_missing_too(api: Api) -> None:
    for ward in [None] * 2 * SHARED_BY + ["north"] * SHARED_BY:
        ask(api, "/predict", RECORD | {"ward": ward})

    assert values(families(api)["driftline_missing_values"], "field")["ward"] == 2 * SHARED_BY


def of_records(api: Api) -> dict[str, float]:
    """Every series that says anything of what was in a record."""
    told = ("predictions", "risk_bands", "missing_values", "confidence", "input_value")
    return {
        f"{sample.name}{sample.labels}": sample.value
        for name, family in families(api).items()
        if name.removeprefix("driftline_") in told
        for sample in family.samples
    }


@given(requests=st.lists(st.tuples(st.integers(1, 30), st.sampled_from([5, 95])), max_size=15))
@example(requests=[(19, 5), (19, 95), (1, 5), (1, 95)])
def test_what_is_shown_moves_by_many_records_or_not_at_all(
    predictor: Predictor, requests: list[tuple[int, int]]
) -> None:
    """Who asks before and after one request learns nothing of its record."""
    api = Api(predictor, KeptLog())
    before, since = of_records(api), 0

    for size, age in requests:
        ask(api, "/predict_batch", {"records": [RECORD | {"age": age}] * size})
        after, since = of_records(api), since + size

        if after != before:
            assert since >= SHARED_BY
            before, since = after, 0
        assert all(value % SHARED_BY == 0 for value in after.values())


def test_no_sum_of_what_was_in_records_is_shown(api: Api) -> None:
    ask(api, "/predict_batch", {"records": list(tiny_records(200))})

    sums = {name for name, _ in series(api) if name.endswith("_sum")}

    assert sums == {"driftline_scoring_seconds_sum"}


def test_buckets_are_cumulative_and_end_at_the_count(api: Api) -> None:
    ask(api, "/predict_batch", {"records": list(tiny_records(200))})

    found = families(api)

    for name in ("confidence", "scoring_seconds"):
        counts = buckets(found[f"driftline_{name}"])
        assert counts == sorted(counts)
    ages = buckets(found["driftline_input_value"], field="age")
    assert len(ages) == FIELD_BINS + 2
    assert ages == sorted(ages)
    totals = {each.name: each.value for each in found["driftline_confidence"].samples}
    assert totals["driftline_confidence_count"] == buckets(found["driftline_confidence"])[-1]


def test_refusals_count_by_code_and_labels_by_outcome(api: Api) -> None:
    known = read(ask(api, "/predict", RECORD))["prediction_id"]
    for label in ("ill", "ill", "well"):
        ask(api, "/feedback", {"prediction_id": known, "label": label})
    ask(api, "/predict", {"age": -1})
    api.respond("POST", "/predict", b"{")

    found = families(api)

    refused = values(found["driftline_rejected_requests"], "code")
    assert refused == {"label_differs": 1, "invalid": 1, "malformed": 1}
    labels = values(found["driftline_labels_received"], "outcome")
    assert labels == {"added": 1, "same": 1, "different": 1}


def series(api: Api) -> set[tuple[str, str]]:
    return {
        (sample.name, json.dumps(sample.labels, sort_keys=True))
        for family in families(api).values()
        for sample in family.samples
    }


@given(
    names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20),
    paths=st.lists(st.text(max_size=8), max_size=5),
)
def test_hostile_clients_add_no_series(
    predictor: Predictor, names: list[str], paths: list[str]
) -> None:
    """Beyond one for each error code and each kind of fault, of which there are few."""
    api = Api(predictor, KeptLog())
    before = series(api)

    for name in names:
        ask(api, "/predict", {name: name, MARKER + name: name})
        ask(api, "/feedback", {"prediction_id": name, "label": name})
    for path in paths:
        api.respond(path, "/" + path, path.encode(errors="replace"))

    added = Counter(name for name, _ in series(api) - before)
    assert added.keys() <= {"driftline_rejected_requests_total", "driftline_refused_fields_total"}
    assert added["driftline_rejected_requests_total"] <= 3
    assert added["driftline_refused_fields_total"] <= 12  # four fields, a few kinds


@given(values=st.lists(st.floats(-100, 100), max_size=50))
def test_many_values_are_counted_like_one_after_another(values: list[float]) -> None:
    bounds = (-50.0, -1.0, 0.0, 3.5, 50.0)
    one_by_one, together = Histogram(bounds), Histogram(bounds)

    for value in values:
        one_by_one.add(value)
    together.add_all(np.array(values))

    assert together.counts == one_by_one.counts
    assert together.total == pytest.approx(one_by_one.total)


@pytest.mark.parametrize("rows", [1, FEW])
def test_nothing_is_lost_while_several_threads_count_and_bin(
    predictor: Predictor, rows: int
) -> None:
    """Batches are counted in threads of their own, and Prometheus asks in another."""
    ledger = Ledger(predictor.contract)
    matrix = predictor.contract.encode_table([RECORD] * rows)
    answers = answer_records(predictor, matrix)

    def count() -> None:
        for _ in range(1500):
            ledger.count(predictor.contract, matrix, answers)
            ledger.settle()

    threads = [threading.Thread(target=count) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    found = parse(ledger.expose())
    assert sum(values(found["driftline_predictions"], "class").values()) == 6000 * rows
    assert buckets(found["driftline_input_value"], field="age")[-1] == 6000 * rows
    assert buckets(found["driftline_confidence"])[-1] == 6000 * rows


def test_odd_names_are_escaped(predictor: Predictor) -> None:
    contract = predictor.contract
    odd = 'a"b\\c\nd'
    fields = (replace(contract.fields[0], name=odd), *contract.fields[1:])
    ledger = Ledger(replace(contract, fields=fields, classes=(odd, "ill"), model_version=odd))

    found = parse(ledger.expose())

    assert odd in values(found["driftline_predictions"], "class")
    assert len(found["driftline_model_info"].samples) == 1


def test_bins_of_a_narrow_range_stay_apart(predictor: Predictor) -> None:
    contract = predictor.contract
    age = replace(contract.fields[0], low=1_000_000.0, high=1_000_001.0)
    ledger = Ledger(replace(contract, fields=(age, *contract.fields[1:])))

    found = parse(ledger.expose())

    of_age = [
        s.labels for s in found["driftline_input_value"].samples if s.labels["field"] == "age"
    ]
    ends = [labels["le"] for labels in of_age if "le" in labels]
    assert len(set(ends)) == len(ends) == FIELD_BINS + 2


def test_a_date_in_parts_is_missing_as_a_whole_and_is_not_counted_by_bins(
    predictor: Predictor,
) -> None:
    parts: tuple[Part, ...] = ("age", "year")
    seen = FieldSpec("seen", "date", 0.0, 20_000.0, allow_missing=True, parts=parts, as_of="end")
    end = FieldSpec("end", "date", 0.0, 20_000.0, allow_missing=True)
    contract = replace(predictor.contract, fields=(seen, end))
    ledger = Ledger(contract)

    record = {"seen": "1984-03-05"}  # its age has no end to count to
    ledger.count(contract, contract.encode_table([record, {"end": "1984-03-05"}]), [])
    ledger.settle()

    assert ledger.missing == {"seen": 1, "end": 1}
    assert set(ledger.columns) == {"end"}
