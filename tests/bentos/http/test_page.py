"""The service's own pages as text; tests/system/page/test_page.py uses them in a browser."""

import re
from dataclasses import replace

import pytest

from bentos.http.page import DOCS, render, show
from driftline.contract import Contract
from driftline.dataset import draft_contract
from driftline.fields import FieldSpec
from driftline.problem import parse_problem
from tests.support import ROOT, SHIPPED, make_problem

CONTRACT = replace(
    draft_contract(make_problem()),
    model_version="7",
    promoted_at="2026-01-02T03:04:05+00:00",
    metrics=(("test_recall", 0.93),),
    intervals=(("recall", 0.88, 0.97),),
    typical=(("age", 41), ("level", 0.5), ("sex", "M")),
)


def test_the_page_tells_what_is_answered_how_well_and_since_when() -> None:
    page = render(CONTRACT, demands_key=False)

    assert "<h1>A tiny two-class problem</h1>" in page
    assert "It answers well or ill, from 3 fields." in page
    assert "it found 93 % (95 % interval: 88 % to 97 %)" in page
    assert "Version 7, since 2026-01-02." in page
    assert "<td>POST /explain</td>" in page


def test_where_a_key_is_demanded_figures_are_for_its_holders() -> None:
    page = render(CONTRACT, demands_key=True)

    assert "93 %" not in page
    assert "Version 7" not in page
    assert 'id="key"' in page


def test_every_entry_has_its_label_and_begins_with_what_is_typical() -> None:
    page = render(CONTRACT, demands_key=False)

    ids = re.findall(r'<(?:input|select) id="(f\d+)"', page)
    assert ids == re.findall(r'<label for="(f\d+)"', page) == ["f0", "f1", "f2"]
    assert 'data-kind="integer" required type="number" value="41" step="1"' in page
    assert 'data-field="level" data-kind="number" type="number" value=""' in page
    assert "<option>F</option><option selected>M</option>" in page


def test_what_is_computed_is_told_and_not_asked_for() -> None:
    features = {"inverse": "1 / age", "half": "age / 2"}
    contract = draft_contract(make_problem(features=features))

    page = render(contract, demands_key=False)

    assert "Computed of them, not to be sent: inverse = 1 / age; half = age / 2." in page
    assert 'data-field="inverse"' not in page


def test_no_entry_has_a_name_that_a_browser_would_put_into_an_address() -> None:
    assert not re.search(r"<(input|select)[^>]* name=", render(CONTRACT, demands_key=True))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_problem_of_ours_has_its_page(name: str) -> None:
    text = (ROOT / f"data/problems/{name}.yaml").read_text(encoding="utf-8")
    contract = draft_contract(parse_problem(text, name=name, file=name))

    page = render(contract, demands_key=False)

    assert page.count("<label") == len(contract.fields)
    assert "//" not in re.sub(r"</|text/|<td>[^<]*</td>", "", page)


def test_what_a_problem_is_called_cannot_break_a_page() -> None:
    evil = '"><script>alert(1)</script> {x}'
    field = FieldSpec(evil, "category", categories=(evil, "b"), unit=evil, description=evil)
    contract: Contract = replace(CONTRACT, title=evil, fields=(field,), typical=())

    for path in ("/", "/docs"):
        body = show(path, contract).body.decode()
        assert "<script>alert" not in body


def test_the_description_loads_nothing_from_elsewhere() -> None:
    assert "//" not in DOCS.format(title="t").replace("</", "")
