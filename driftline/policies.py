"""The policies that a replay compares: a calendar, a flag of others, and Driftline's verdicts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from driftline.problem import DriftPolicy
from driftline.promotion import Decision
from driftline.replay import Call, Look, Replay
from driftline.standing import Standing
from driftline.verdicts import Evidence, decide_verdict, name_of

Release = Literal["next", "never"]
Inspect = Callable[[int, int], tuple[str, ...]]  # faults of a window under a champion


@dataclass
class Fixed:
    """Retrain after every `every`-th window; never where it is 0."""

    name: str
    every: int
    is_gated: bool = True
    may_refit: bool = False

    def decide(self, look: Look) -> Call:
        """By the calendar alone."""
        is_due = self.every > 0 and look.window % self.every == 0
        return Call("retrain" if is_due else "ok", is_renewal=is_due)

    def learn(self, decision: Decision) -> None:
        """A calendar learns nothing."""


@dataclass
class Flagged:
    """Retrain whenever a detector flags."""

    name: str
    flag: Callable[[Look], bool]
    is_gated: bool = True
    may_refit: bool = False

    def decide(self, look: Look) -> Call:
        """By the flag alone, once there is something new to learn from."""
        is_due = look.labelled is not None and self.flag(look)
        return Call("retrain" if is_due else "ok", is_renewal=is_due)

    def learn(self, decision: Decision) -> None:
        """A flag learns nothing."""


@dataclass
class Careful:
    """Driftline's own policy: verdicts on faults and on the champion's standing, as in production.

    A window with faults is a `quarantine`: nothing is trained after it, and its labels are not
    judged. With the release "next" a person is taken to look and to release it before the next
    window: from then on its labels are judged, and the same finding is known and holds nothing up.
    With "never" nobody releases anything: its labels are never judged and the finding stays new.
    Either way its rows stay in the past that later models learn from, since models are made once
    for all policies.
    """

    replay: Replay
    policy: DriftPolicy
    inspect: Inspect
    name: str = "driftline"
    release: Release = "next"
    is_gated: bool = True
    may_refit: bool = True
    standing: Standing = field(default_factory=Standing)
    _known: set[str] = field(default_factory=set)
    _found: set[str] = field(default_factory=set)
    _held: set[int] = field(default_factory=set)
    _waiting: list[int] = field(default_factory=list)

    def decide(self, look: Look) -> Call:
        """Add the cohorts of labels that may be judged, then judge."""
        if self.release == "next":
            self._release()
        faults = self._new_faults(look)
        cohorts = self._take_cohorts(look)
        for window in cohorts:
            self.standing = self._add(look.champion, window)
        call = self._conclude(look, faults, cohorts)
        if cohorts:
            self.standing = self.standing.after(is_renewal_due=call.is_renewal, policy=self.policy)
        return call

    def learn(self, decision: Decision) -> None:
        """A new champion begins anew; the price of a renewal goes on."""
        if decision.is_promoted:
            self.standing = Standing(price=self.standing.price)

    def _release(self) -> None:
        self._known |= self._found
        self._held.clear()

    def _new_faults(self, look: Look) -> tuple[str, ...]:
        faults = self.inspect(look.champion, look.window)
        new = tuple(fault for fault in faults if name_of(fault) not in self._known)
        self._found = {name_of(fault) for fault in faults}
        if new:
            self._held.add(look.window)
        return new

    def _take_cohorts(self, look: Look) -> list[int]:
        """Windows whose labels came, or were released, and that the champion has not learnt."""
        came = [*self._waiting, *([] if look.labelled is None else [look.labelled])]
        self._waiting = [window for window in came if window in self._held]
        return [window for window in came if window not in self._held and window > look.champion]

    def _add(self, champion: int, window: int) -> Standing:
        probe = self.replay.models[window].probe
        assert probe is not None  # noqa: S101 - the first window is not judged
        return self.standing.add(
            self.replay.losses(champion, window),
            self.replay.probed(window),
            past=probe.past,
            promise=self.replay.models[champion].promise,
            policy=self.policy,
            recalibration=self.replay.recalibrate(self.standing, champion, window, self.policy),
        )

    def _conclude(self, look: Look, faults: tuple[str, ...], cohorts: list[int]) -> Call:
        if not cohorts and not faults:
            return Call("ok", "no new labels to judge")
        evidence = Evidence(
            rows=len(self.replay.rows_of(look.window)),
            faults=faults,
            promise=self.replay.models[look.champion].promise,
            standing=self.standing,
        )
        decision = decide_verdict(evidence, self.policy)
        return Call(
            decision.verdict, "; ".join(decision.reasons), is_renewal=decision.verdict == "retrain"
        )
