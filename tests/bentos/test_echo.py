"""Nothing that a client sent as a value comes back in an error."""

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bentos.api import Api
from bentos.predictor import Predictor
from tests.bentos.models import MARKER, RECORD, FullLog, KeptLog

NUMBER = 918273645  # out of every range; a value too
FIELDS = (*RECORD, "ward", "features", "records", "prediction_id", "label", "height")
PATHS = ("/predict", "/predict_batch", "/feedback", "/model", "/" + MARKER)

marked = st.sampled_from([MARKER, NUMBER, -NUMBER, NUMBER + 0.5, f"{MARKER}\n", f'"{MARKER}'])
values = st.recursive(
    marked,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, MARKER]), inner, max_size=3)
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from([*FIELDS, f"{MARKER}1"]), values, max_size=5)
bodies = st.one_of(
    documents.map(json.dumps),
    values.map(json.dumps),
    documents.map(lambda document: json.dumps({"records": [RECORD, document]})),
    documents.map(lambda document: json.dumps(document)[:-1]),
    st.text(max_size=5).map(lambda text: text + MARKER),
).map(lambda text: text.encode(errors="replace"))


@given(body=bodies, path=st.sampled_from(PATHS), method=st.sampled_from(["GET", "POST", MARKER]))
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_error_echoes_or_logs_what_was_sent(
    predictor: Predictor,
    body: bytes,
    path: str,
    method: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = Api(predictor, KeptLog())
    caplog.set_level(logging.DEBUG)

    reply = api.respond(method, path, body, MARKER.encode())

    told = reply.body.decode() + caplog.text + api.ledger.expose()
    assert 200 <= reply.status < 500
    assert MARKER not in told
    assert str(NUMBER) not in told


@given(document=documents)
def test_every_error_has_the_same_form(predictor: Predictor, document: Any) -> None:
    api = Api(predictor, FullLog(), keys=["right"])

    for path in PATHS:
        for key in (b"right", b"wrong", None):
            reply = api.respond("POST", path, json.dumps(document).encode(), key)
            if reply.status == 200:  # an empty batch has nothing to log
                continue
            error = json.loads(reply.body)["error"]
            assert set(error) == {"code", "message", "fields"}
            assert all(set(each) == {"field", "problem"} for each in error["fields"])
