"""The contract: all that serving needs to know of a problem and its model.

It turns a record (a mapping of field names to values) into one float32 vector, by the same code in
training and in serving. Needs numpy and the standard library only.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.computed import Computed, FeatureSpec
from driftline.deciding import ClassLabels, Costs, choose_class, name_band
from driftline.fields import (
    Encoder,
    Fault,
    FieldSpec,
    InvalidRecordError,
    InvalidValueError,
    safe_name,
)
from driftline.numbers import NumberSpec
from driftline.plain_numbers import PlainNumbers, PlainRows, plan_plain_numbers
from driftline.timelines import JoinSpec

LATER = ("costs", "intervals", "typical", "number", "features", "joins")
LATER_OF_FIELDS = ("unseen", "parts", "as_of")


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
    costs: Costs = ()  # of missing each class, or of each answer; the highest being 1
    intervals: tuple[tuple[str, float, float], ...] = ()  # of test metrics, 95 %
    typical: tuple[tuple[str, float | str], ...] = ()  # a middle value of the training rows
    number: NumberSpec | None = None  # what is predicted, where it is no class
    features: tuple[FeatureSpec, ...] = ()  # computed of fields, each after those that it names
    joins: tuple[JoinSpec, ...] = ()  # which fill fields in from other tables

    @property
    def width(self) -> int:
        """How many figures the model answers a row with."""
        return len(self.classes) or 1

    @property
    def rule(self) -> dict[str, float | None]:
        """What makes answers of the model's figures, as a training logs it."""
        if self.number is None:
            return {"threshold": self.threshold}
        return {"interval_reach": self.number.reach}

    @property
    def labels(self) -> ClassLabels | NumberSpec:
        """Which labels a prediction may be given."""
        return ClassLabels(self.classes) if self.number is None else self.number

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the vector's elements, in order: those of fields, then computed features."""
        own = tuple(name for field in self.fields for name in field.feature_names)
        return own + tuple(feature.name for feature in self.features)

    @cached_property
    def computed(self) -> Computed:
        """What is computed of the fields."""
        return Computed(self.features, self.fields)

    @property
    def owners(self) -> tuple[str, ...]:
        """The field or the computed feature that each of the vector's elements belongs to."""
        own = tuple(field.name for field in self.fields for _ in field.feature_names)
        return own + tuple(feature.name for feature in self.features)

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

    @cached_property
    def _parted(self) -> tuple[tuple[FieldSpec, int, int | None], ...]:
        """Dates with parts: the field, its first element, and that of the field it names."""
        starts = {name: start for name, _, start, _ in self._layout}
        return tuple(
            (
                field,
                starts[field.name],
                starts[field.as_of] if isinstance(field.as_of, str) else None,
            )
            for field in self.fields
            if field.parts
        )

    def _part_dates(self, vector: list[float]) -> None:
        """Put the parts of dates in place of the days that stand in their first elements."""
        days = [
            (vector[start], None if at is None else vector[at]) for _, start, at in self._parted
        ]
        for (field, start, _), (own, as_of) in zip(self._parted, days, strict=True):
            vector[start : start + len(field.parts)] = field.part(own, as_of)

    @property
    def field_names(self) -> frozenset[str]:
        """Names a record may have."""
        return self._names

    @cached_property
    def field_by_name(self) -> dict[str, FieldSpec]:
        """Each field by its name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields)

    @cached_property
    def _blank(self) -> tuple[float, ...]:
        return (0.0,) * len(self.feature_names)

    @property
    def typical_record(self) -> dict[str, Any]:
        """A typical value of every field, as a record has it."""
        known = dict(self.typical)
        return {field.name: known.get(field.name, field.middle) for field in self.fields}

    def encode(self, record: Mapping[str, Any]) -> list[float]:
        """One record as a list of floats in feature order; absent and None mean missing.

        Raises `InvalidRecordError` naming every field at fault.
        """
        vector, undefined = self.try_encode(record)
        if undefined:
            raise InvalidRecordError(undefined)
        return vector

    def try_encode(self, record: Mapping[str, Any]) -> tuple[list[float], list[Fault]]:
        """What `encode` gives, and the features that are undefined and may not be, nan in it."""
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
            wrong += [self._unknown(name) for name in unknown]
        if wrong:
            raise InvalidRecordError(wrong)
        undefined = self.computed.fill(vector) if self.features else []
        if self._parted:
            self._part_dates(vector)
        return vector, undefined

    def _unknown(self, name: str) -> Fault:
        if name in self.computed.behind:
            return Fault(name, "is computed here; leave it out", "unknown_field")
        return Fault(safe_name(name), "is not a field of this problem", "unknown_field")

    @cached_property
    def plain_numbers(self) -> PlainNumbers | None:
        """How many records are read at once; None where some field is no plain number."""
        return plan_plain_numbers(self.fields)

    def read_values(self, values: list[Any]) -> tuple[PlainRows, NDArray[np.float32]] | None:
        """Rows of plain numbers, and what `encode` gives for each; or None to say: ask `encode`.

        None is the answer wherever anything is not as it should be, so that `encode` alone decides
        what is wrong and how it is said. Values stand in contract order, row after row.
        """
        rows = None if self.plain_numbers is None else self.plain_numbers.read(values)
        if rows is None:
            return None
        matrix = self.computed.append(rows.matrix) if self.features else rows.matrix
        return None if matrix is None else (rows, matrix.astype(np.float32))

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
        """Class index for one record's probabilities, as a table's are decided."""
        return choose_class(
            probabilities, positive=self.positive, threshold=self.threshold, costs=self.costs
        )

    def risk(self, probabilities: Sequence[float]) -> str | None:
        """`low`, `medium` or `high` by the summed probability of the positive classes."""
        if not self.positive:
            return None
        return self._band(sum(probabilities[i] for i in self.positive))

    def estimate_risk(self, value: float) -> str | None:
        """`low`, `medium` or `high` by the number predicted; None where no bands are declared."""
        is_banded = self.number is not None and self.number.is_banded
        return self._band(value) if is_banded else None

    def _band(self, risk: float) -> str:
        return name_band(risk, self.medium_risk, self.high_risk)

    def for_version(self, model_version: str, *, promoted_at: str) -> "Contract":
        """The same contract as that of a registered version; `promoted_at` is "" if it was not."""
        return replace(self, model_version=model_version, promoted_at=promoted_at)

    def to_json(self) -> str:
        """The contract as canonical JSON text, which its digest is of.

        What came later stands in it where there is some, so that earlier champions keep their
        digests.
        """
        document = asdict(self)
        for name in LATER:
            if not document[name]:
                del document[name]
        for field in document["fields"]:
            for name in LATER_OF_FIELDS:
                if field[name] in {None, ()}:
                    del field[name]
        return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"


def parse_contract(text: str) -> Contract:
    """Read what `Contract.to_json` wrote; `ValueError` names what does not fit."""
    try:
        raw = json.loads(text)
        fields = tuple(FieldSpec(**_tuples(field)) for field in raw.pop("fields"))
        features = tuple(FeatureSpec(**one) for one in raw.pop("features", ()))
        joins = tuple(JoinSpec(**_tuples(one)) for one in raw.pop("joins", ()))
        number = raw.pop("number", None)
        spec = None if number is None else NumberSpec(**number)
        contract = Contract(
            fields=fields, number=spec, features=features, joins=joins, **_tuples(raw)
        )
        contract.computed.drawn  # noqa: B018 - reads each formula
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        message = f"contract.json: not a contract of this version: {error}"
        raise ValueError(message) from None
    return contract


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    """JSON lists back to the tuples that frozen dataclasses hold."""

    def freeze(value: Any) -> Any:
        return tuple(freeze(item) for item in value) if isinstance(value, list) else value

    return {key: freeze(value) for key, value in raw.items()}
