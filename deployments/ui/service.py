"""The service of one problem, as the page asks it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from deployments.ui.client import RefusedError, ask, with_key
from deployments.ui.entries import Entry, make_entry
from driftline.computed import Computed, FeatureSpec
from driftline.errors import UnavailableError
from driftline.fields import FieldSpec
from driftline.form import read_computed, read_field


@dataclass(frozen=True)
class Model:
    """What a service told of its model, and the form that follows from it."""

    told: Mapping[str, Any]
    fields: tuple[FieldSpec, ...]
    entries: tuple[Entry, ...]
    features: tuple[FeatureSpec, ...] = ()

    @property
    def computed(self) -> Computed:
        """What the service computes of the fields."""
        return Computed(self.features, self.fields)

    @property
    def units(self) -> dict[str, str | None]:
        """The unit of each field."""
        return {field.name: field.unit for field in self.fields}


@dataclass(frozen=True)
class Service:
    """Where a problem is answered, and with which key."""

    url: str
    key: str

    def read_model(self) -> Model:
        """The model that answers; `UnavailableError` where none does, or one that is too old."""
        told = self._ask("/model")
        try:
            fields = tuple(map(read_field, told["fields"]))
            features = tuple(map(read_computed, told.get("computed", ())))
            typical = [each["typical"] for each in told["fields"]]
        except (KeyError, TypeError, ValueError):
            message = "it does not tell its fields; package its model anew (flows.package)"
            raise UnavailableError(message) from None
        return Model(told, fields, tuple(map(make_entry, fields, typical)), features)

    def predict(self, record: Mapping[str, Any]) -> Any:
        """The answer to one record."""
        return self._ask("/predict", record)

    def explain(self, record: Mapping[str, Any]) -> Any:
        """What moved it."""
        return self._ask("/explain", record)

    def predict_all(self, records: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
        """The answers to many records."""
        answers: list[Mapping[str, Any]] = self._ask("/predict_batch", {"records": records})[
            "predictions"
        ]
        return answers

    def report_refused(self, records: list[dict[str, Any]]) -> None:
        """Send records that the contract refuses, so that their faults are counted and judged."""
        with suppress(RefusedError):
            self.predict_all(records)

    def tell_outcome(self, prediction_id: str, label: str | float | None) -> str:
        """What became of the true outcome of a prediction, in words."""
        try:
            status = self._ask("/feedback", {"prediction_id": prediction_id, "label": label})
        except RefusedError as error:
            why = [problem for field, problem in error.fields if field == "prediction_id"]
            return f"It was not taken: {'the id ' + why[0] if why else error}."
        return {
            "added": "The outcome is kept, and counts from now on.",
            "same": "This outcome was known already; nothing changed.",
        }[status["status"]]

    def read_health(self) -> Mapping[str, Any]:
        """The state of its parts."""
        health: Mapping[str, Any] = self._ask("/readyz")
        return health

    def _ask(self, path: str, document: Any = None) -> Any:
        return ask(self.url + path, document, headers=with_key(self.key))
