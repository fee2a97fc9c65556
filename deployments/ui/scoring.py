"""A table that a person uploads, scored by the service in pieces, and given back as a table.

Rows that the contract refuses are told in words, by the service's own rules. They are sent apart
from the others, for the service to count what it refuses.
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftline.computed import Computed
from driftline.errors import DataError
from driftline.fields import FieldSpec, InvalidValueError

PIECE = 500
MOST_ROWS = 100_000
SEPARATORS = ",;\t|"
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_BETWEEN = re.compile(r"[\s_.-]+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
Ask = Callable[[list[dict[str, Any]]], list[Mapping[str, Any]]]
Report = Callable[[list[dict[str, Any]]], None]
NUMBER = ["interval_low", "interval_high"]


@dataclass(frozen=True)
class Uploaded:
    """A table's header and its rows of text."""

    header: list[str]
    rows: list[list[str]]
    has_decimal_comma: bool


@dataclass
class Scored:
    """Answers and faults by the place of their row, as far as they have come."""

    answers: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)


def read_table(content: bytes) -> Uploaded:
    """A table of text with a header; `DataError` says what is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except (ValueError, csv.Error):
        raise DataError("the file is no table of text; wanted a CSV file with a header") from None
    if len(rows) > MOST_ROWS:
        message = f"the file has {len(rows)} rows, wanted at most {MOST_ROWS}; use flows.score"
        raise DataError(message)
    for place, row in enumerate(rows):
        if len(row) != len(header):
            message = f"row {place + 1} has {len(row)} cells, wanted {len(header)} as in the header"
            raise DataError(message)
    return Uploaded([name.strip() for name in header], rows, separator != ",")


def find_columns(table: Uploaded, fields: Sequence[FieldSpec]) -> dict[str, int]:
    """The column of each field; `DataError` names those that are missing and must not be.

    Case, and what stands between the words of a name, make no difference: `mean radius` is
    `mean_radius`, unless two fields differ in no more.
    """
    exact = {name: place for place, name in enumerate(table.header)}
    meant = Counter(_fold(spec.name) for spec in fields)
    folded = {_fold(name): place for place, name in enumerate(table.header)}
    alike = {name: place for name, place in folded.items() if meant[name] == 1}
    places = {f.name: exact.get(f.name, alike.get(_fold(f.name))) for f in fields}
    found = {name: place for name, place in places.items() if place is not None}
    absent = [f.name for f in fields if f.name not in found and not f.allow_missing]
    if absent:
        message = f"the table has no column {', '.join(absent)}; wanted one for each field"
        raise DataError(message)
    return found


def _fold(name: str) -> str:
    return _BETWEEN.sub(" ", name).strip().casefold()


def score(
    table: Uploaded, wanted: Computed, ask: Ask, report: Report
) -> Iterator[tuple[int, Scored]]:
    """How many rows are done, and what came of them, piece by piece.

    The service is asked for the good ones, and the records of the others are reported to it.
    """
    columns, scored = find_columns(table, wanted.fields), Scored()
    for start in range(0, len(table.rows), PIECE):
        records: dict[int, dict[str, Any]] = {}
        refused: list[dict[str, Any]] = []
        piece = table.rows[start : start + PIECE]
        for place, row in enumerate(piece, start):
            record, fault = _read_row(row, columns, wanted, has_comma=table.has_decimal_comma)
            if fault:
                scored.faults[place] = fault
                refused.append(record)
            else:
                records[place] = record
        if refused:
            report(refused)
        if records:
            answers = ask(list(records.values()))
            scored.answers |= dict(zip(records, answers, strict=True))
        yield start + len(piece), scored


def _read_row(
    row: Sequence[str],
    columns: Mapping[str, int],
    wanted: Computed,
    *,
    has_comma: bool,
) -> tuple[dict[str, Any], str]:
    """The record of a row, and what is wrong with it in words."""
    record, numbers, faults = {}, {}, []
    for spec in wanted.fields:
        text = row[columns[spec.name]].strip() if spec.name in columns else ""
        record[spec.name] = _read_cell(text, spec, has_comma=has_comma)
        try:
            numbers[spec.name] = spec.encode(record[spec.name])
        except InvalidValueError as error:
            faults.append(f"{spec.name} {error}")
    if not faults:
        faults = [f"{fault.field} {fault.problem}" for fault in wanted.compute(numbers)[1]]
    return record, "; ".join(faults)


def _read_cell(text: str, spec: FieldSpec, *, has_comma: bool) -> Any:
    """A cell as a record has it: nothing where empty, a number where the field wants one."""
    if not text:
        return None
    if spec.kind not in {"number", "integer"}:
        return text
    if has_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(number) if spec.kind == "integer" and number.is_integer() else number


def write_table(table: Uploaded, scored: Scored, classes: Sequence[str] | None) -> bytes:
    """The table as it came, with what was answered beside each row, or why nothing was.

    Without classes the answers are numbers.
    """
    figures = NUMBER if classes is None else [f"probability_{name}" for name in classes]
    own = ["answer", *figures, "risk_level"]
    own += ["model_version", "prediction_id", "refused_because"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*table.header, *own])
    for place, row in enumerate(table.rows):
        writer.writerow([*row, *_answer_cells(place, scored, classes)])
    return out.getvalue().encode("utf-8-sig")


def _answer_cells(place: int, scored: Scored, classes: Sequence[str] | None) -> list[Any]:
    answer = scored.answers.get(place)
    if answer is None:
        figures = NUMBER if classes is None else classes
        return [""] * (len(figures) + 4) + [scored.faults.get(place, "")]
    told = [answer.get("risk_level") or "", answer["model_version"], answer["prediction_id"], ""]
    if classes is None:
        return [answer["prediction"], *answer["interval"], *told]
    return [answer["label"], *(answer["probability"][name] for name in classes), *told]
