"""When each flow last came to an outcome on this machine, and how long it took, by its summary."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deployments.manifest import FLOWS


@dataclass(frozen=True)
class Finished:
    """The newest run of a flow: when it ended (seconds since the epoch), and its seconds."""

    flow: str
    problem: str
    at: float
    seconds: float


def read_finished(home: Path, problems: Iterable[str]) -> list[Finished]:
    """One for each flow and problem of which there is a summary that can be read."""
    found = []
    for problem in problems:
        for flow in FLOWS:
            path = home / "runs" / f"{flow}-{problem}-latest.json"
            try:
                ended = path.stat().st_mtime
                steps = json.loads(path.read_text(encoding="utf-8")).get("seconds", {})
                found.append(Finished(flow, problem, ended, float(sum(steps.values()))))
            except (OSError, ValueError, AttributeError, TypeError):
                continue
    return found
