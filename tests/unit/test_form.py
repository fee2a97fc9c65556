import json
from dataclasses import replace

import pytest

from driftline.dataset import draft_contract
from driftline.fields import FieldSpec
from driftline.form import read_field, tell_fields
from driftline.problem import parse_problem
from tests.support import ROOT, SHIPPED, make_problem


@pytest.mark.parametrize("name", SHIPPED)
def test_the_fields_of_every_problem_are_read_as_they_were_told(name: str) -> None:
    text = (ROOT / f"data/problems/{name}.yaml").read_text(encoding="utf-8")
    contract = draft_contract(parse_problem(text, name=name, file=name))

    told = json.loads(json.dumps(tell_fields(contract)))

    assert tuple(map(read_field, told)) == contract.fields
    contract.encode({each["name"]: each["typical"] for each in told})


def test_a_date_is_told_as_iso_text() -> None:
    seen = FieldSpec("seen", "date", low=14_610.0, high=22_279.0 + 86_399 / 86_400)
    contract = replace(draft_contract(make_problem()), fields=(seen,))

    (told,) = tell_fields(contract)

    assert told["range"] == ["2010-01-01", "2030-12-31"]
    assert read_field(told) == seen
