"""Whatever a problem file, its suite and its table hold: rows, or a sentence to a person."""

import copy
import io
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from driftline.cleaning import keep_ignored
from driftline.dataset import draft_contract, encode_rows
from driftline.errors import DriftlineError
from driftline.expectations import parse_suite
from driftline.problem import Problem, parse_problem
from driftline.quarantine import RowFaults
from tasks.data.cleaning import RowCleaner, clean_rows, separate_rows
from tasks.data.tables import store_table
from tasks.data.validation import check_expectations
from tasks.reading.parsing import parse
from tasks.reading.sources import expect
from tests.support import TINY, TINY_SUITE, tiny_rows

YAML = "null ~ true 007 1.50 8:30 2020-02-30 .inf .nan 1e400 '?' [] {} {a: &a *a !!set <<: ? - # @"
WORDS = [
    *YAML.split(" "),
    "\x00",
    "\ufeff",
    "gro\u0308sse",
    "age",
    "outcome",
    "ill",
    "integer",
    "\t",
]
RULES = [
    {"expect": "ExpectColumnQuantileValuesToBeBetween", "arguments": {"column": "age"}},
    {"expect": "ExpectColumnPairValuesToBeEqual", "arguments": {"column_A": "age"}},
    {"expect": "ExpectColumnValuesToBeInSet", "arguments": {"column": "sex", "value_set": [1]}},
    {"expect": "ExpectColumnValuesToMatchRegex", "arguments": {"column": "level", "regex": "("}},
    {"expect": "ExpectColumnValueLengthsToEqual", "arguments": {"column": "age", "value": 1}},
    {"expect": "ExpectColumnMaxToBeBetween", "arguments": {"column": "outcome", "min_value": 0}},
    {"expect": "ExpectSelectColumnValuesToBeUniqueWithinRecord", "arguments": {}},
    {"expect": "ExpectColumnToExist", "severity": "critical", "arguments": {"column": "age"}},
]


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """A text with a few places changed: cut, doubled, or with a word put in."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.integers(0, 12)))
        way = draw(st.sampled_from(["cut", "double", "word"]))
        word = draw(st.sampled_from(WORDS)) if way == "word" else ""
        text = text[:at] + (text[at:to] * 2 if way == "double" else word) + text[to:]
    return text


@st.composite
def changed(draw: st.DrawFn, content: Any) -> Any:
    """A document with one value in it set to something else, or taken out."""
    content = copy.deepcopy(content)
    inner = content
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw(st.sampled_from(keys))
        if isinstance(inner[key], dict | list) and inner[key] and draw(st.booleans()):
            inner = inner[key]
            continue
        if draw(st.booleans()):
            del inner[key]
        else:
            inner[key] = draw(
                st.sampled_from([None, True, 0, -1, 1e300, "x", "", [], {}, [1, 1], {"a": [1]}])
            )
        return content


def written(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def any_text(content: Any) -> st.SearchStrategy[str]:
    text = written(content)
    return st.one_of(st.just(text), mutated(text), changed(content).map(written))


TABLE = tiny_rows(8).to_csv(index=False)
CELLS = st.one_of(
    st.sampled_from(["", "?", "1.0", "1e400", "-9", "NA", '"', "\r", ",", ";", "0x1", "ill"]),
    st.text(max_size=5),
)


@st.composite
def any_table(draw: st.DrawFn) -> bytes:
    """The tiny rows with cells put in and places changed, at times in another encoding."""
    text = draw(mutated(TABLE)).replace("M", draw(CELLS), 1).replace("F", draw(CELLS), 1)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return text.encode(encoding, "replace")


def read_problem(text: str) -> Problem:
    return parse_problem(text, name="tiny", file="data/problems/tiny.yaml")


def take_in(problem: Problem, content: bytes, name: str = "rows.csv") -> None:
    """What ingest and scoring do with a table, up to the matrix."""
    raw = parse(content, name, expect(problem)).rows
    keep_ignored(raw, problem)
    cleaner = RowCleaner(problem, source=name)
    cleaner.clean(raw)
    rows = separate_rows.fn(cleaner.finish(), RowFaults(), problem, source=name)
    encode_rows(rows.kept.select(rows.kept.columns), problem)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(problem=any_text(TINY), suite=any_text({"expectations": RULES}), table=any_table())
@example(problem=written(TINY), suite="", table=b"\xff\xfe")
def test_nothing_but_a_sentence_reaches_a_person(problem: str, suite: str, table: bytes) -> None:
    with suppress(DriftlineError):
        spec = read_problem(problem)
        draft_contract(spec)
        with suppress(DriftlineError):
            parse_suite(suite, problem=spec, file="expectations/tiny.yaml")
        take_in(spec, table)


COLUMN = st.one_of(
    st.lists(
        st.one_of(st.none(), st.integers(), st.floats(), st.booleans()), min_size=4, max_size=4
    ),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=4, max_size=4),
    st.lists(st.one_of(st.none(), st.decimals()), min_size=4, max_size=4),
    st.lists(st.one_of(st.none(), st.dates(), st.datetimes()), min_size=4, max_size=4),
    st.lists(st.one_of(st.none(), st.binary(max_size=3)), min_size=4, max_size=4),
    st.lists(st.lists(st.integers(0, 3), max_size=2), min_size=4, max_size=4),
)


@settings(max_examples=100)
@given(columns=st.fixed_dictionaries(dict.fromkeys(("age", "level", "sex", "outcome"), COLUMN)))
def test_a_parquet_table_of_any_types_is_rows_or_a_sentence(columns: dict[str, list[Any]]) -> None:
    file = io.BytesIO()
    try:
        pd.DataFrame(columns).to_parquet(file, index=False)
    except Exception:  # noqa: BLE001 - what Arrow cannot write needs no reader
        return

    with suppress(DriftlineError):
        take_in(read_problem(written(TINY)), file.getvalue(), "rows.parquet")


@pytest.mark.parametrize("number", range(len(RULES)))
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_rule_of_any_shape_is_checked_or_refused(number: int, data: st.DataObject) -> None:
    problem = read_problem(written(TINY))
    rule = data.draw(changed(RULES[number]))
    rows = parse(TABLE.encode(), "rows.csv").rows
    cleaned = clean_rows.fn(rows, problem, source="rows.csv")

    with suppress(DriftlineError):
        text = written({"expectations": [rule, *TINY_SUITE["expectations"]]})
        suite = parse_suite(text, problem=problem, file="expectations/tiny.yaml")
        check_expectations.fn(store_table(cleaned.table), suite)
