"""What an alert is, and how fast alerts come.

A condition gives one series for each thing that is wrong, and none where all is well.
"""

from dataclasses import dataclass
from typing import Final, Literal

SERVICE, LOOP = "driftline-service", "driftline-loop"  # the jobs that are scraped
RUNBOOK: Final = "deployments/monitoring/runbook.md"

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Pace:
    """How often is looked, over which past rates are taken, and how long a condition has to hold.

    `hold` multiplies each alert's own time: the same rules, faster.
    """

    interval_seconds: int = 15
    window_seconds: int = 300
    hold: float = 1.0

    @property
    def window(self) -> str:
        """The past, as PromQL writes it."""
        return f"{self.window_seconds}s"

    def hold_seconds(self, alert: "Alert") -> int:
        """How long an alert's condition has to hold."""
        return round(alert.minutes * 60 * self.hold)


@dataclass(frozen=True)
class Limits:
    """From where on the service is too slow, or fails too often."""

    latency_seconds: float = 0.25  # the slowest of 100 requests
    error_share: float = 0.02


@dataclass(frozen=True)
class Alert:
    """A condition, how many minutes it has to hold, and what it means.

    `summary` may name labels of the series, as `{{ $labels.problem }}`.
    """

    name: str
    expr: str
    minutes: float
    severity: Severity
    summary: str
    meaning: str

    @property
    def runbook(self) -> str:
        """Where it stands what to do."""
        return f"{RUNBOOK}#{self.name.lower()}"
