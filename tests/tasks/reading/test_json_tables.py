"""JSON lines and lists, as they are read as a table."""

import pytest

from driftline.errors import SourceError
from tasks.reading.parsing import parse


def test_json_lines_keep_their_types() -> None:
    text = '{"age": 38, "code": "007", "ok": true}\n\n{"age": 12345678901234567, "ok": null}\n'

    table = parse(text.encode(), "rows.jsonl").rows

    assert table.to_numpy().tolist() == [[38, "007", True], [12345678901234567, None, None]]


@pytest.mark.parametrize("is_list", [False, True])
def test_a_long_whole_number_in_json_keeps_its_digits(is_list: bool) -> None:
    """As ids have them; from 64 bits on most parsers make it a float."""
    numbers = ["18446744073709551617", "-9223372036854775809", "1e30", "7"]
    lines = [f'{{"id": {number}, "seen": "12:30"}}' for number in numbers]
    text = f"[{','.join(lines)}]" if is_list else "\n".join(lines)

    table = parse(text.encode(), "rows.jsonl").rows

    assert table["id"].tolist() == [2**64 + 1, -(2**63) - 1, 1e30, 7]
    assert [type(value) for value in table["id"]] == [int, int, float, int]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"age": 1}\n{"age": 1, "sex": "F", "age" :2}', "line 2"),
        ('{"age": 1}\n{"age":1,"\\u0061ge":1}', "line 2"),
        ('[{"age": 1}, {"age": 1, "age": 2}]', "its list"),
    ],
)
def test_a_key_that_stands_twice_in_json_is_refused_since_either_may_be_meant(
    text: str, place: str
) -> None:
    with pytest.raises(SourceError, match=f"{place} has the key 'age' twice; wanted each once"):
        parse(text.encode(), "rows.jsonl")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"age": [1]}', "line 2 is no flat JSON object"),
        ("[1]", "line 2 is no flat JSON object"),
        ('{"vitals": {"age": 1}}', "line 2 is no flat JSON object: 'vitals' holds an object"),
        ("age", "line 2 is no JSON; wanted"),
        ('{"age": NaN}', "line 2 holds NaN, which JSON has not; wanted null"),
    ],
)
def test_a_line_that_is_no_flat_object_is_named(line: str, fault: str) -> None:
    with pytest.raises(SourceError, match=fault):
        parse(f'{{"age": 1}}\n{line}\n'.encode(), "rows.jsonl")
