"""What lives through streams are counted as: answers in time, false alarms, and their intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftline.problem import DriftPolicy
from driftline.thresholds import wilson_bounds
from tests.benchmarks.decisions.champions import Harm, classify_harm

POLICY = DriftPolicy()
CONFIDENCE = 0.975  # of each bound: the two hold 95 %
SURE = 1.645  # z-value of a one-sided test at 5 %


@dataclass(frozen=True)
class Life:
    """One stream and what came of it.

    `harms` are the measured harms of each window's change as shares of the champion's skill, and
    `verdicts` those of the looks, of which the first comes after the first window; a retraining is
    the last. Labels come `delay` windows late. `sureness` is the z-value that the best test reaches
    by the labels that came in time, `saved` what the model of a retraining truly saves. `levels`
    are those of `false_retrains` from which on each look calls for a retraining, 1 where none does.
    """

    seed: int
    table: str
    size: int
    scenario: str
    is_labelled: bool
    is_broken: bool
    delay: int
    within: int
    harms: tuple[float, ...]
    is_visible: bool
    verdicts: tuple[str, ...] = ()
    sureness: float | None = None
    saved: float | None = None
    levels: tuple[float, ...] = ()

    @property
    def kind(self) -> Harm:
        """What the whole change counts as."""
        return classify_harm(max(self.harms), POLICY)

    @property
    def came(self) -> int:
        """The look at which the first labels of a harmful window are there; 0 where none is."""
        late = self.delay if self.is_labelled else 0
        for window, harm in enumerate(self.harms, start=1):
            if classify_harm(harm, POLICY) == self.kind != "harmless":
                return window + late
        return 0

    @property
    def quiet_looks(self) -> int:
        """Looks up to and with the last before which nothing but harmless windows came."""
        bad = [w for w, harm in enumerate(self.harms, start=1) if harm >= POLICY.cost]
        return min([len(self.verdicts), *(w - 1 for w in bad)])

    def count_quiet(self, verdict: str) -> int:
        """How often a verdict was given while nothing but harmless windows had come."""
        return self.verdicts[: self.quiet_looks].count(verdict)

    def response(self, *answers: str) -> int | None:
        """How many windows with labels it took until one of these answers; 1 is at once.

        Those that came before the labels of harmful windows, though after some harm, count as 1.
        """
        for look, verdict in enumerate(self.verdicts, start=1):
            if look > self.quiet_looks and verdict in answers:
                return max(look - self.came + 1, 1)
        return None

    def is_answered(self, *answers: str) -> bool:
        """Whether one of these answers came in time."""
        taken = self.response(*answers)
        return taken is not None and taken <= self.within

    @property
    def is_worth_it(self) -> bool:
        """Whether the model of the retraining truly saves its cost over as many looks."""
        return (self.saved or 0.0) * len(self.verdicts) >= POLICY.cost

    @property
    def was_disturbed(self) -> bool:
        """Whether a retraining ended the life before anything harmful came."""
        return bool(self.count_quiet("retrain"))


@dataclass(frozen=True)
class Share:
    """A count out of many, with Wilson's interval."""

    count: int
    of: int

    @property
    def text(self) -> str:
        """As a percentage with its interval and its count."""
        if not self.of:
            return "-"
        low, high = wilson_bounds(self.count, self.of, CONFIDENCE)
        return f"{self.count / self.of:.1%} [{low:.1%}, {high:.1%}] of {self.of}"


def share_of(lives: Sequence[Life], is_counted: Callable[[Life], bool]) -> Share:
    """The share of lives of which something holds."""
    return Share(sum(map(is_counted, lives)), len(lives))


def false_shares(lives: Sequence[Life], verdict: str) -> Share:
    """How many harmless windows a verdict was given on."""
    sound = [life for life in lives if not life.is_broken]
    return Share(
        sum(life.count_quiet(verdict) for life in sound), sum(life.quiet_looks for life in sound)
    )


def useless_retrains(lives: Sequence[Life]) -> Share:
    """Retrainings on harmless windows whose model does not earn back what it costs.

    More rows make a better model though nothing has changed. It is of use where it truly saves the
    policy's cost over as many looks as there were.
    """
    sound = [life for life in lives if not life.is_broken]
    return Share(
        sum(life.was_disturbed and not life.is_worth_it for life in sound),
        sum(life.quiet_looks for life in sound),
    )


def harmful(lives: Sequence[Life]) -> list[Life]:
    """Lives with harm that nothing had disturbed before."""
    return [
        life
        for life in lives
        if life.kind == "harmful" and not life.is_broken and not life.was_disturbed
    ]
