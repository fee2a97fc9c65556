"""When the last sweep was, by when the next is due, and which problems it could not look after.

`sweep.json` in the store, so that whoever shares the store can see whether sweeps go on. Each state
is told to people once, not at each look.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from driftline.errors import DriftlineError, NotFoundError
from tasks.data.files import locate, read_file, write_file
from tasks.people.notifications import SWEEP_FAILED, SWEEP_STOPPED, notify
from tasks.progress import tell

FILE = "sweep.json"
PASSING = 3  # what may pass by itself is told when it has failed so many sweeps


@dataclass(frozen=True)
class Failure:
    """Why a problem could not be looked after, in how many sweeps on end."""

    why: str
    may_pass: bool
    sweeps: int = 1

    @property
    def is_news(self) -> bool:
        """Whether people are told now."""
        return self.sweeps == (PASSING if self.may_pass else 1)


@dataclass(frozen=True)
class Heartbeat:
    """The newest sweep. Moments are ISO 8601 in UTC; `due_by` is empty where none is expected."""

    swept_at: str = ""
    due_by: str = ""
    is_told: bool = False
    failures: Mapping[str, Failure] = field(default_factory=dict)

    def is_overdue(self, now: datetime) -> bool:
        """Whether a sweep was expected before this moment, and has not come."""
        return bool(self.due_by) and datetime.fromisoformat(self.due_by) < now


def read_heartbeat() -> Heartbeat:
    """What is known of the newest sweep; nothing where there was none, or it cannot be read."""
    try:
        content = json.loads(read_file(locate(FILE)))
        failures = {name: Failure(**each) for name, each in content.pop("failures").items()}
        beat = Heartbeat(**content, failures=failures)
        beat.is_overdue(datetime.now(UTC))  # a `ValueError` where the moment is none
    except (NotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return Heartbeat()
    return beat


def record_sweep(failures: Mapping[str, Failure], *, next_within: timedelta | None) -> None:
    """A sweep has ended; people are told of each problem that it is the first to fail on.

    Without `next_within` it was done by hand, and nothing is known of the next.
    """
    before = read_heartbeat()
    counted = {name: _count_on(before.failures.get(name), one) for name, one in failures.items()}
    now = datetime.now(UTC)
    due_by = before.due_by if next_within is None else (now + next_within).isoformat()
    _write(Heartbeat(swept_at=now.isoformat(), due_by=due_by, failures=counted))
    for name, failure in counted.items():
        if failure.is_news:
            notify(SWEEP_FAILED, name, {"reasons": [failure.why]})
    for name in before.failures.keys() - counted.keys():
        tell(f"{name}: is looked after again")


def expect_sweep(within: timedelta) -> None:
    """From now on sweeps are due; what people were told already is not told anew."""
    due_by = (datetime.now(UTC) + within).isoformat()
    _write(replace(read_heartbeat(), due_by=due_by))


def expect_no_sweep() -> None:
    """The system is stopped: nobody is to miss a sweep."""
    _write(replace(read_heartbeat(), due_by="", is_told=False))


def tell_if_overdue() -> bool:
    """Whether sweeps have stopped; people are told once. A store that is away tells nothing."""
    try:
        beat = read_heartbeat()
        if not beat.is_overdue(datetime.now(UTC)):
            return False
        if not beat.is_told:
            _write(replace(beat, is_told=True))
            why = f"the last sweep was at {beat.swept_at[:19] or 'no time'} UTC"
            notify(
                SWEEP_STOPPED, "", {"reasons": [f"{why}, the next was due by {beat.due_by[:19]}"]}
            )
    except DriftlineError:
        return False
    return True


def _count_on(before: Failure | None, now: Failure) -> Failure:
    if before is None or before.why != now.why:
        return now
    return replace(now, sweeps=before.sweeps + 1)


def _write(beat: Heartbeat) -> None:
    write_file(locate(FILE), json.dumps(asdict(beat), indent=2).encode())
