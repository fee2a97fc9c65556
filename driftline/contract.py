"""The contract: all that serving needs to know of a problem and its model.

It turns a record (a mapping of field names to values) into one float32 vector, by the same code in
training and in serving. Needs numpy and the standard library only.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.dates import read_iso, spell_date, spell_end
from driftline.spelling import MISSING, declare_categories, part_codes, tidy

FLOAT32_MAX = float(np.finfo(np.float32).max)
TIE = 1e-5  # scores as near as this are as high: implementations differ by a tenth of it
EXACT_BELOW = 2.0**53  # from here on a float64 cannot tell every whole number from its neighbour

ISO_WANTED = "must be an ISO date in quotes, such as 2024-12-31 or 2024-12-31T14:30"

_NAME = re.compile(r"[A-Za-z][A-Za-z_ .&-]{0,63}")

_SPELT = frozenset({str, int, float, bool})  # what JSON has and a category may be spelt as

Encoder = Callable[[Any], float]
FaultKind = Literal[
    "missing",
    "out_of_range",
    "not_a_number",
    "not_whole",
    "not_a_category",
    "not_a_date",
    "unknown_field",  # a name that the contract does not know
    "malformed",  # no record at all, or values in another number
]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a record: in words for its sender, as a kind for counting."""

    field: str
    problem: str
    kind: FaultKind

    @property
    def column(self) -> str:
        """The contract's field that is at fault, or "": a sender's own names are never kept."""
        return "" if self.kind in {"unknown_field", "malformed"} else self.field


class InvalidRecordError(ValueError):
    """A record breaks the contract: `faults` names each field and its problem, never its value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults, in contract order."""
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in self.fields))

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Each field at fault and its problem."""
        return tuple((fault.field, fault.problem) for fault in self.faults)


class InvalidValueError(ValueError):
    """A value that its field does not take."""

    def __init__(self, kind: FaultKind, problem: str) -> None:
        """Keep the kind beside the words."""
        super().__init__(problem)
        self.kind: FaultKind = kind


@dataclass(frozen=True)
class FieldSpec:
    """One field of a record."""

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # another spelling, and the category it means
    ordered: bool = False
    allow_missing: bool = False
    missing_codes: tuple[str, ...] = ()
    unit: str | None = None
    description: str | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the vector's elements that this field fills."""
        if self.kind == "category" and not self.ordered:
            return tuple(f"{self.name}={category}" for category in self.categories)
        return (self.name,)

    @cached_property
    def encode(self) -> Encoder:
        """Value to number: itself, a category's index, or nan where missing; else an error."""
        if self.kind == "date":
            return _date_encoder(self)
        return _category_encoder(self) if self.kind == "category" else _number_encoder(self)

    @property
    def codes(self) -> tuple[float | str, ...]:
        """The missing codes as a record gives them: numbers where they are some."""
        if self.kind in {"category", "date"}:
            return self.missing_codes
        numbers, words = part_codes(self.missing_codes)
        return (*sorted(numbers), *sorted(words))


def _missing(spec: FieldSpec) -> float:
    if spec.allow_missing:
        return math.nan
    raise InvalidValueError("missing", "is required")


def _number_encoder(spec: FieldSpec) -> Encoder:
    low = -FLOAT32_MAX if spec.low is None else spec.low
    high = FLOAT32_MAX if spec.high is None else spec.high
    codes, words = part_codes(spec.missing_codes)
    is_integer = spec.kind == "integer"

    def encode(value: Any) -> float:
        if value is None:
            return _missing(spec)
        if type(value) is not float and type(value) is not int:
            if type(value) is str and words and tidy(value) in words:
                return _missing(spec)
            raise InvalidValueError("not_a_number", "must be a number")
        if value != value:  # noqa: PLR0124 - nan is missing in a table and never valid JSON
            return _missing(spec)
        if value in codes:
            return _missing(spec)
        if not low <= value <= high:
            raise InvalidValueError("out_of_range", _range_text(spec))
        if is_integer and value != int(value):
            raise InvalidValueError("not_whole", "must be a whole number")
        return float(value)

    return encode


def _range_text(spec: FieldSpec) -> str:
    if spec.low is None or spec.high is None:
        return "must be a finite number"
    if spec.kind == "date":
        return f"must be between {spell_date(spec.low)} and {spell_end(spec.high)}"
    return f"must be between {spec.low:g} and {spec.high:g}"


def _date_encoder(spec: FieldSpec) -> Encoder:
    low = -FLOAT32_MAX if spec.low is None else spec.low
    high = FLOAT32_MAX if spec.high is None else spec.high
    codes = frozenset(spec.missing_codes)

    def encode(value: Any) -> float:
        if value is None or (type(value) is float and math.isnan(value)):
            return _missing(spec)
        days = read_iso(value) if type(value) is str else None
        if codes and type(value) is str:
            text = tidy(value) if days is None else spell_date(days)
            if text in codes:
                return _missing(spec)
        if days is None:
            raise InvalidValueError("not_a_date", ISO_WANTED)
        if not low <= days <= high:
            raise InvalidValueError("out_of_range", _range_text(spec))
        return days

    return encode


def _category_encoder(spec: FieldSpec) -> Encoder:
    index = {category: float(i) for i, category in enumerate(spec.categories)}
    others: dict[str, list[str]] = {}
    for alias, category in spec.aliases:
        others.setdefault(category, []).append(alias)
    find = declare_categories(spec.categories, others, spec.missing_codes).find

    def encode(value: Any) -> float:
        if value is None or (type(value) is float and math.isnan(value)):
            return _missing(spec)
        if type(value) not in _SPELT:
            raise InvalidValueError("not_a_category", "must be one of its categories")
        meaning = find(value)
        if meaning is None:
            wanted = f"must be one of: {', '.join(spec.categories)}"
            raise InvalidValueError("not_a_category", wanted)
        return _missing(spec) if meaning == MISSING else index[meaning]

    return encode


@dataclass(frozen=True)
class Contract:
    """What serving promises for one model of one problem."""

    problem: str
    title: str
    fields: tuple[FieldSpec, ...]
    classes: tuple[str, ...]
    positive: tuple[int, ...]
    threshold: float | None
    medium_risk: float
    high_risk: float
    model_version: str = ""
    onnx_sha256: str = ""
    snapshot: str = ""
    promoted_at: str = ""
    labels_per_check: int = 100
    metrics: tuple[tuple[str, float], ...] = ()
    example: tuple[tuple[str, float | str | None], ...] = ()
    costs: tuple[float, ...] = ()  # of missing each class, the highest being 1

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the vector's elements, in order."""
        return tuple(name for field in self.fields for name in field.feature_names)

    @cached_property
    def _layout(self) -> tuple[tuple[str, Encoder, int, int], ...]:
        """Per field: name, encoder, first element, and how many categories it spreads over."""
        layout, start = [], 0
        for field in self.fields:
            width = len(field.feature_names)
            spread = width if field.kind == "category" and not field.ordered else 0
            layout.append((field.name, field.encode, start, spread))
            start += width
        return tuple(layout)

    @property
    def field_names(self) -> frozenset[str]:
        """Names a record may have."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields)

    @cached_property
    def _blank(self) -> tuple[float, ...]:
        return (0.0,) * len(self.feature_names)

    def encode(self, record: Mapping[str, Any]) -> list[float]:
        """One record as a list of floats in feature order; absent and None mean missing.

        Raises `InvalidRecordError` naming every field at fault.
        """
        vector = list(self._blank)
        wrong: list[Fault] = []
        for name, encode, start, spread in self._layout:
            try:
                number = encode(record.get(name))
            except InvalidValueError as error:
                wrong.append(Fault(name, str(error), error.kind))
                continue
            if not spread:
                vector[start] = number
            elif number == number:  # noqa: PLR0124 - a missing category sets no element
                vector[start + int(number)] = 1.0
        if not self._names.issuperset(record):
            unknown = [name for name in record if name not in self._names]
            problem = "is not a field of this problem"
            wrong += [Fault(safe_name(name), problem, "unknown_field") for name in unknown]
        if wrong:
            raise InvalidRecordError(wrong)
        return vector

    @cached_property
    def _plain_numbers(self) -> tuple[Callable[[Mapping[str, Any]], Any], Any, Any, Any] | None:
        """Getter, low ends, high ends and which are whole, where every field is a plain number."""
        if len(self.fields) == 1 or any(
            f.kind in {"category", "date"} or f.missing_codes for f in self.fields
        ):
            return None
        low = [-FLOAT32_MAX if f.low is None else f.low for f in self.fields]
        high = [FLOAT32_MAX if f.high is None else f.high for f in self.fields]
        whole = [f.kind == "integer" for f in self.fields]
        return (
            itemgetter(*(f.name for f in self.fields)),
            np.array(low),
            np.array(high),
            np.array(whole),
        )

    def encode_quickly(self, records: Sequence[Mapping[str, Any]]) -> NDArray[np.float32] | None:
        """What `encode` gives for many records of plain numbers, or None to say: ask `encode`.

        None is the answer wherever anything is missing, out of range, of another type or unknown,
        so that `encode` alone decides what is wrong and how it is said.
        """
        if self._plain_numbers is None:
            return None
        get, low, high, whole = self._plain_numbers
        width = len(self.fields)
        try:
            rows = [get(record) for record in records if len(record) == width]
            kinds = set(map(type, chain.from_iterable(rows)))
            if len(rows) != len(records) or not kinds <= {int, float}:
                return None
            matrix = np.array(rows, dtype=np.float64).reshape(len(rows), width)
        except (KeyError, TypeError, OverflowError, AttributeError):
            return None
        with np.errstate(invalid="ignore"):
            fits = (matrix >= low) & (matrix <= high) & (~whole | (matrix == np.floor(matrix)))
            fits &= np.abs(matrix) < EXACT_BELOW
        return matrix.astype(np.float32) if fits.all() else None

    def name_values(self, values: Sequence[Any]) -> dict[str, Any]:
        """Values in contract order as a record; a wrong count is an `InvalidRecordError`."""
        if len(values) != len(self.fields):
            problem = f"must hold {len(self.fields)} values in contract order"
            raise InvalidRecordError([Fault("features", problem, "malformed")])
        return {field.name: value for field, value in zip(self.fields, values, strict=True)}

    def encode_table(self, records: Iterable[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Records as a float32 matrix (records, features)."""
        rows = [self.encode(record) for record in records]
        return np.array(rows, dtype=np.float32).reshape(len(rows), len(self.feature_names))

    def decide(self, probabilities: Sequence[float]) -> int:
        """Class index for one record's probabilities, as `driftline.metrics.decide` has it."""
        if self.threshold is None:
            scores = probabilities
            if self.costs:
                scores = [cost * p for cost, p in zip(self.costs, probabilities, strict=True)]
            least = max(scores) - TIE
            return next(index for index, score in enumerate(scores) if score >= least)
        positive = self.positive[0]
        return positive if probabilities[positive] >= self.threshold else 1 - positive

    def risk(self, probabilities: Sequence[float]) -> str | None:
        """`low`, `medium` or `high` by the summed probability of the positive classes."""
        if not self.positive:
            return None
        risk = sum(probabilities[i] for i in self.positive)
        if risk > self.high_risk:
            return "high"
        return "medium" if risk > self.medium_risk else "low"

    def for_version(self, model_version: str, *, promoted_at: str) -> "Contract":
        """The same contract as that of a registered version; `promoted_at` is "" if it was not."""
        return replace(self, model_version=model_version, promoted_at=promoted_at)

    def to_json(self) -> str:
        """The contract as canonical JSON text, which its digest is of.

        Costs stand in it where there are some, so that earlier champions keep their digests.
        """
        document = asdict(self)
        if not self.costs:
            del document["costs"]
        return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"


def parse_contract(text: str) -> Contract:
    """Read what `Contract.to_json` wrote; `ValueError` names what does not fit."""
    try:
        raw = json.loads(text)
        fields = tuple(FieldSpec(**_tuples(field)) for field in raw.pop("fields"))
        return Contract(fields=fields, **_tuples(raw))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        message = f"contract.json: not a contract of this version: {error}"
        raise ValueError(message) from None


def safe_name(name: str) -> str:
    """A sender's own field name, shown only where it reads like a name and not like data."""
    return name if _NAME.fullmatch(name) else "(unprintable name)"


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    """JSON lists back to the tuples that frozen dataclasses hold."""

    def freeze(value: Any) -> Any:
        return tuple(freeze(item) for item in value) if isinstance(value, list) else value

    return {key: freeze(value) for key, value in raw.items()}
