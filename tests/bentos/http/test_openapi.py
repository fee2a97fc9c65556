import json
import re
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bentos.api import Api
from bentos.http.openapi import describe
from bentos.predictor import Predictor
from driftline.dataset import draft_contract
from driftline.fields import FieldSpec
from driftline.problem import parse_problem
from tests.bentos.asking import ask, read
from tests.bentos.models import RECORD, KeptLog
from tests.support import ROOT

PROBLEMS = sorted(path.stem for path in (ROOT / "data/problems").glob("*.yaml"))


def record_schema(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]["Record"]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of OpenAPI 3.0 as plain JSON Schema: nullable, and references within reach."""

    def translate(node: Any) -> Any:
        if isinstance(node, list):
            return [translate(each) for each in node]
        if not isinstance(node, dict):
            return node
        plain = {key: translate(value) for key, value in node.items() if key != "example"}
        if plain.pop("nullable", False):
            plain["type"] = [plain["type"], "null"]
        return plain

    return translate(schema | {"components": document["components"]})


@pytest.fixture
def document(predictor: Predictor) -> dict[str, Any]:
    """The tiny problem's document, as it leaves the service."""
    return json.loads(json.dumps(describe(predictor.contract)))


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    """By schemathesis, which reads the whole of it and makes a case of every operation."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(document)

    schema.validate()
    operations = [result.ok() for result in schema.get_all_operations()]
    assert {operation.label for operation in operations} == {
        "POST /predict",
        "POST /predict_batch",
        "POST /explain",
        "POST /feedback",
        "GET /model",
        "GET /livez",
        "GET /readyz",
    }
    assert document["openapi"].startswith("3.0")


def test_every_field_has_its_unit_range_categories_and_missing_rule(
    document: dict[str, Any],
) -> None:
    fields = record_schema(document)["properties"]

    assert list(fields) == ["age", "level", "sex", "ward"]
    assert fields["age"]["type"] == "integer"
    assert (fields["age"]["minimum"], fields["age"]["maximum"]) == (0, 120)
    assert "unit: years" in fields["age"]["description"]
    assert fields["level"]["nullable"]
    assert "-9 means missing" in fields["level"]["description"]
    assert fields["sex"]["enum"] == ["F", "M"]
    assert fields["ward"]["enum"] == ["north", "south", None]
    assert record_schema(document)["required"] == ["age", "sex"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_of_ours_describes_all_of_its_fields(name: str) -> None:
    text = (ROOT / f"data/problems/{name}.yaml").read_text(encoding="utf-8")
    problem = parse_problem(text, name=name, file=name)

    fields = record_schema(describe(draft_contract(problem)))["properties"]

    assert list(fields) == list(problem.columns)
    for field, spec in problem.columns.items():
        assert (spec.unit is None) == ("unit:" not in fields[field]["description"])
        assert spec.range is None or fields[field]["minimum"] == spec.range[0]
        assert not spec.categories or set(fields[field]["enum"]) >= set(spec.categories)


def test_the_page_begins_with_a_table_of_all_fields(predictor: Predictor) -> None:
    contract = predictor.contract
    odd = replace(contract.fields[0], description="a | b", unit=None, low=None, high=None)
    changed = replace(contract, fields=(odd, *contract.fields[1:]))

    rows = describe(contract)["info"]["description"].splitlines()[2:]
    first = describe(changed)["info"]["description"].splitlines()[2]

    assert rows[0] == "| age |  | years | whole, 0 to 120 | no |"
    assert rows[1] == "| level |  |  | -10 to 10 | null, -9 |"
    assert rows[3] == "| ward |  |  | north, south | null |"
    assert first == "| age | a \\| b |  | whole, any number | no |"


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/explain"])
def test_the_example_works_when_pressed(api: Api, document: dict[str, Any], path: str) -> None:
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    example = content.get("example") or content["schema"]["example"]

    reply = ask(api, path, example)

    assert reply.status == 200


def test_an_example_is_made_where_the_problem_has_none(predictor: Predictor) -> None:
    contract = replace(predictor.contract, example=())

    example = record_schema(describe(contract))["example"]

    assert ask(Api(predictor, KeptLog()), "/predict", example).status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", RECORD),
        ("/predict", {"age": -1}),
        ("/predict_batch", {"records": [RECORD, {"features": [1, 2, "M", "south"]}]}),
        ("/predict_batch", {"records": 3}),
        ("/explain", RECORD),
        ("/explain", {"age": -1}),
        ("/feedback", {"prediction_id": "0" * 32, "label": "ill"}),
        ("/feedback", {"prediction_id": "0" * 32, "label": "dead"}),
    ],
)
def test_answers_and_errors_are_as_the_document_says(
    api: Api, document: dict[str, Any], path: str, body: Any
) -> None:
    reply = ask(api, path, body)

    answers = document["paths"][path]["post"]["responses"]
    schema = answers[str(reply.status)]["content"]["application/json"]["schema"]
    Draft202012Validator(resolved(document, schema)).validate(read(reply))


def test_a_date_is_described_as_text_with_its_range(predictor: Predictor) -> None:
    seen = FieldSpec("seen", "date", low=14_610.0, high=22_279.0)
    contract = replace(predictor.contract, fields=(seen,), example=())

    document = describe(contract)

    field = document["components"]["schemas"]["Record"]["properties"]["seen"]
    assert field["type"] == "string"
    assert field["description"].endswith("2010-01-01 to 2030-12-31")
    assert re.search(field["pattern"], "2024-03-05T14:30")
    assert "| seen |  |  | ISO date, 2010-01-01 to 2030-12-31 | no |" in str(document["info"])
    contract.encode(document["components"]["schemas"]["Record"]["example"])


def test_a_date_has_its_formats_and_the_parts_that_a_model_sees(predictor: Predictor) -> None:
    born = FieldSpec("born", "date", 0.0, 20_000.0, parts=("age",), as_of="seen")
    seen = FieldSpec("seen", "date", 0.0, 20_000.0, parts=("year", "day_of_year"))
    asked = FieldSpec("asked", "date", 0.0, 20_000.0)
    fixed = replace(born, name="fixed", as_of=19_723.0)
    contract = replace(predictor.contract, fields=(born, seen, asked, fixed), example=())

    fields = describe(contract)["components"]["schemas"]["Record"]["properties"]

    told = {name: field["description"] for name, field in fields.items()}
    assert "the model sees of it: the age in years as of seen;" in told["born"]
    assert "the age in years as of 2024-01-01;" in told["fixed"]
    assert "the model sees of it: year, day of year;" in told["seen"]
    assert "the model sees of it: the days since 1970-01-01;" in told["asked"]
    checker = Draft202012Validator(fields["seen"], format_checker=FormatChecker())
    good = ["2024-12-31", "2024-12-31T14:30:00Z", "2024-12-31T14:30", "2024-12-31 14:30:05"]
    assert [value for value in good if not checker.is_valid(value)] == []
    assert {one.get("format") for one in fields["seen"]["anyOf"]} == {"date", "date-time", None}
    bad = ["31.12.2024", "2024-13-45", "soon", 5]
    assert [value for value in bad if checker.is_valid(value)] == []
