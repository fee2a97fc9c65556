"""How well policies did on a history, and which settings of Driftline's own would have done better.

What a retraining costs the people who own the model is for them to say, so policies are not ranked:
what each one saves stands beside how often it trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.hindsight import Best, best_with
from driftline.policies import Careful, Inspect, Release
from driftline.problem import DriftPolicy
from driftline.replay import Course, Replay

NEVER, ALWAYS, DRIFTLINE = "never", "every window", "driftline"
COSTS = (0.01, 0.03, 0.1, 0.3)
PACES = (0.3, 0.5, 0.7, 0.9)
WANTED_SHARE = 0.95  # of what retraining every window saves


@dataclass(frozen=True)
class Outcome:
    """The figures of a policy's run.

    `share_of_gain` is what it saves over never retraining, as a share of what retraining every
    window through the gate saves; None where that saves nothing. `regret` is what it loses per
    window against the best that was possible, `regret_as_many` against the best with as many
    promotions.
    """

    name: str
    loss: float
    full: int
    refits: int
    promotions: int
    share_of_gain: float | None
    regret: float
    regret_as_many: float

    @property
    def trainings(self) -> int:
        """All trainings, searched and refitted."""
        return self.full + self.refits


@dataclass(frozen=True)
class Setting:
    """A price and a pace of Driftline's own policy, and what they would have led to."""

    cost: float
    pace: float
    outcome: Outcome


@dataclass(frozen=True)
class Yardstick:
    """What every course is measured by: never, always, and the best in hindsight.

    `noise` is two standard errors of what always saves over never, paired row by row.
    """

    never: float
    always: float
    noise: float
    best: tuple[Best, ...]

    @property
    def has_gain(self) -> bool:
        """Whether retraining every window saves anything, beyond noise."""
        return self.never - self.always > self.noise

    def measure(self, course: Course) -> Outcome:
        """The figures of a course."""
        gain = self.never - self.always
        as_many = self.best[min(course.promotions, len(self.best) - 1)]
        return Outcome(
            name=course.policy,
            loss=course.loss,
            full=course.count("full"),
            refits=course.count("refit"),
            promotions=course.promotions,
            share_of_gain=(self.never - course.loss) / gain if gain > 0 else None,
            regret=course.loss - self.best[-1].loss,
            regret_as_many=course.loss - as_many.loss,
        )


def make_yardstick(replay: Replay, never: Course, always: Course) -> Yardstick:
    """The yardstick of a history; the last window's model serves nobody."""
    most = max(replay.history.windows - 2 - replay.delay, 0)
    best = best_with(replay.loss_table(), most, delay=replay.delay)
    saved = [
        replay.losses(one.champion, one.window) - replay.losses(two.champion, two.window)
        for one, two in zip(never.steps, always.steps, strict=True)
    ]
    variance = sum(float(each.var(ddof=1)) / len(each) for each in saved) / len(saved) ** 2
    return Yardstick(never.loss, always.loss, 2 * variance**0.5, tuple(best))


def try_settings(
    replay: Replay, inspect: Inspect, yardstick: Yardstick, *, release: Release
) -> list[Setting]:
    """Driftline's policy at a grid of prices and paces; the problem's own setting comes first."""
    own = replay.history.problem.drift
    pairs = [(own.cost, own.pace), *((cost, pace) for cost in COSTS for pace in PACES)]
    settings = []
    for cost, pace in dict.fromkeys(pairs):
        policy: DriftPolicy = own.model_copy(update={"cost": cost, "pace": pace})
        course = replay.run(Careful(replay, policy, inspect, release=release))
        settings.append(Setting(cost, pace, yardstick.measure(course)))
    return settings


def choose_setting(settings: Sequence[Setting]) -> Setting:
    """Enough of what retraining always saves, by the fewest searches, then trainings, then loss.

    Where no setting saves enough, the one that saves most; where there is nothing to save, the one
    that trains least. Among equals the problem's own stays.
    """
    shares = [setting.outcome.share_of_gain for setting in settings]
    enough = [
        setting
        for setting, share in zip(settings, shares, strict=True)
        if share is None or share >= WANTED_SHARE
    ]
    if not enough:
        return min(settings, key=lambda setting: setting.outcome.loss)
    return min(enough, key=lambda each: (each.outcome.full, each.outcome.trainings))


def recommend(settings: Sequence[Setting], yardstick: Yardstick) -> str:
    """What to set, in words, and on what ground."""
    own, chosen = settings[0], choose_setting(settings)
    told = (
        f"With drift: {_keys(own)} as it stands, Driftline trains {_trainings(own)} on this "
        f"history{_saved(own)}."
    )
    if not yardstick.has_gain:
        gain = yardstick.never - yardstick.always
        return (
            f"{told} Retraining every window saves {gain:+.4f} ± {yardstick.noise:.4f} per window, "
            "which is nothing beyond noise, so there is nothing to tune for."
        )
    if chosen is own:
        if _share(own) >= WANTED_SHARE:
            return f"{told} No other setting that was tried keeps 95 % of it with fewer trainings."
        return f"{told} No other setting that was tried saves more."
    aim = (
        "keeps at least 95 % of it with the fewest trainings of all that were tried"
        if _share(chosen) >= WANTED_SHARE
        else "saves most of all that were tried; none keeps 95 %"
    )
    return (
        f"{told} drift: {_keys(chosen)} {aim}: {_trainings(chosen)}{_saved(chosen)}. It was chosen "
        "on this very history, so expect somewhat less of it on what comes next."
    )


def _keys(setting: Setting) -> str:
    return f"{{cost: {setting.cost:g}, pace: {setting.pace:g}}}"


def _trainings(setting: Setting) -> str:
    full, refits = setting.outcome.full, setting.outcome.refits
    times = "once" if full == 1 else f"{full} times"
    more = "once" if refits == 1 else f"{refits} times"
    return f"{times} in full and refits {more}"


def _saved(setting: Setting) -> str:
    share = setting.outcome.share_of_gain
    if share is None:
        return ""
    return f", for {share:.0%} of what retraining every window saves over never retraining"


def _share(setting: Setting) -> float:
    return setting.outcome.share_of_gain or 0.0
