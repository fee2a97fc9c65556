"""Asks the detectors of others about a window: Evidently's default flag, river's ADWIN."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from driftline.replay import Look, Replay

MOST_REFERENCE_ROWS = 10_000  # of Evidently's reference: it keeps them all in memory
DATASET_DRIFT_SHARE = 0.5  # Evidently's own default
ADWIN_DELTA = 0.002  # river's own default


def evidently_flag(replay: Replay) -> Callable[[Look], bool]:
    """Evidently's data drift preset with its defaults: half of the columns have drifted."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    problem = replay.history.problem
    numbers = [n for n, spec in problem.columns.items() if spec.kind != "category"]
    words = [n for n in problem.columns if n not in numbers]

    def flag(look: Look) -> bool:
        reference, current = replay.reference_of(look.champion), replay.rows_of(look.window)
        if len(reference) > MOST_REFERENCE_ROWS:
            reference = reference.sample(MOST_REFERENCE_ROWS, random_state=0)
        usable = [n for n in problem.columns if reference[n].notna().any()]
        usable = [n for n in usable if current[n].notna().any()]
        if not usable:
            return False  # Evidently divides by their number
        definition = DataDefinition(
            numerical_columns=[n for n in numbers if n in usable],
            categorical_columns=[n for n in words if n in usable],
        )
        now, then = (
            Dataset.from_pandas(part[usable].reset_index(drop=True), definition)
            for part in (current, reference)
        )
        document = json.loads(Report([DataDriftPreset()]).run(now, then).json())
        return _drifted_share(document) >= DATASET_DRIFT_SHARE

    return flag


def _drifted_share(document: dict[str, Any]) -> float:
    for metric in document["metrics"]:
        value = metric.get("value")
        if isinstance(value, dict) and "share" in value:
            return float(value["share"])
    return 0.0


@dataclass
class AdwinFlag:
    """River's ADWIN on the champion's losses, row by row as labels come: it flags a rise."""

    replay: Replay
    _detectors: dict[int, Any] = field(default_factory=dict)

    def __call__(self, look: Look) -> bool:
        """Whether a rise was detected in the newest labelled window."""
        from river.drift import ADWIN

        if look.labelled is None:
            return False
        if look.champion not in self._detectors:
            self._detectors[look.champion] = ADWIN(delta=ADWIN_DELTA)
        detector = self._detectors[look.champion]
        has_risen = False
        for loss in self.replay.losses(look.champion, look.labelled).tolist():
            before = detector.estimation
            detector.update(loss)
            has_risen |= detector.drift_detected and detector.estimation > before
        return has_risen
