"""Evidence that adds up and may be looked at as often as one likes: tests by betting.

A player who owns 1 bets on each new value before seeing it. Where the mean is not above 0, no way
of betting makes a fortune: the chance that the wealth *ever* reaches 1/alpha is at most alpha
(Ville's inequality), however often somebody looks. A change may come late, when an old player's
idea of the mean is stale, so each cohort of values brings a new player; they share the first 1: two
thirds are the first one's, of the rest the k-th after him owns 1/(k (k + 1)). Only the richest are
kept: who leaves, leaves his money.

Sources: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS-B 86
(2024); Shin, Ramdas and Rinaldo, E-detectors, NEJSDS 2 (2024); Podkopaev and Ramdas, Tracking the
risk of a deployed model, ICLR 2022 (a tolerated rise is a mean that is subtracted first); Choe and
Ramdas, arXiv 2110.00115 (comparing forecasters).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LARGEST_BET = 0.9  # of the wealth, per unit of the largest value: no single row can ruin it
BETS = (0.03, 0.1, 0.4)  # in standard deviations: one for each size of a mean
FIRST_SHARE = 2 / 3  # of the first money is the first player's; the others share the rest
GROWTH = 1.25  # what a deviation is taken for stands for a quarter more values at a time
FIRST_BETS = 10
PRIOR_VALUES = 2.0  # values that the first guess of the variance, 1/4, counts for
MOST_PLAYERS = 8


@dataclass(frozen=True)
class Player:
    """Who began to bet with one cohort, in equal parts on means of several sizes.

    `logs` are the logarithms of what each part owns; the rest is what was seen since.
    """

    logs: tuple[float, ...]
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def log_wealth(self) -> float:
        """The logarithm of all that is owned."""
        return _log_sum(self.logs)

    def play(self, values: Floats) -> "Player":
        """Bet on further values in [-1, 1], in their order."""
        player, start = self, 0
        while start < len(values):
            size = _next_cut(player.count) - player.count
            player = player._play_piece(values[start : start + size])
            start += size
        return player

    def _play_piece(self, values: Floats) -> "Player":
        gains = np.add.reduce(np.log1p(self._bets() * values), axis=1).tolist()
        return Player(
            logs=tuple(log + gain for log, gain in zip(self.logs, gains, strict=True)),
            count=self.count + len(values),
            total=self.total + float(np.add.reduce(values)),
            squares=self.squares + float(np.add.reduce(values * values)),
        )

    def _bets(self) -> Floats:
        """Shares of each part's wealth, one a row, by the deviation of what was seen before."""
        count = self.count + PRIOR_VALUES
        variance = (self.squares + PRIOR_VALUES / 4) / count - (self.total / count) ** 2
        deviation = math.sqrt(max(variance, 1e-12))
        return np.array([[min(bet / deviation, LARGEST_BET)] for bet in BETS])


@dataclass(frozen=True)
class Wager:
    """What cohorts of values in [-1, 1] say of the claim that their mean is, or became, above 0.

    `peak` is the logarithm of the largest wealth that all players together ever had.
    """

    players: tuple[Player, ...] = ()
    cohorts: int = 0
    count: int = 0
    total: float = 0.0
    peak: float = 0.0

    @property
    def mean(self) -> float:
        """The plain mean of all values; 0 of none."""
        return self.total / self.count if self.count else 0.0

    @property
    def log_wealth(self) -> float:
        """The logarithm of what all players own now, those to come included."""
        unborn = math.log((1 - FIRST_SHARE) / self.cohorts) if self.cohorts else 0.0
        return _log_sum([unborn, *(player.log_wealth for player in self.players)])

    def is_proof(self, alpha: float) -> bool:
        """Whether the claim stands; that it does wrongly at any look has a chance of `alpha`."""
        return self.peak >= -math.log(alpha)

    def add(self, values: Floats) -> "Wager":
        """The wager with a further cohort."""
        values = np.asarray(values, dtype=np.float64)
        if not len(values):
            return self
        place = self.cohorts + 1
        share = (1 - FIRST_SHARE) / (self.cohorts * place) if self.cohorts else FIRST_SHARE
        newcomer = Player(logs=(math.log(share / len(BETS)),) * len(BETS))
        bounded = np.clip(values, -1, 1)
        players = [player.play(bounded) for player in (*self.players, newcomer)]
        richest = sorted(players, key=lambda player: player.log_wealth, reverse=True)
        grown = Wager(
            players=tuple(richest[:MOST_PLAYERS]),
            cohorts=place,
            count=self.count + len(values),
            total=self.total + float(values.sum()),
            peak=self.peak,
        )
        return Wager(**{**grown.__dict__, "peak": max(self.peak, grown.log_wealth)})

    def to_document(self) -> dict[str, Any]:
        """The wager as JSON's own types."""
        return asdict(self)


def read_wager(document: Mapping[str, Any]) -> Wager:
    """What `to_document` wrote."""
    players = tuple(
        Player(**{**player, "logs": tuple(player["logs"])}) for player in document["players"]
    )
    return Wager(**{**document, "players": players})


def mix_wealth(favourite: Wager, others: Sequence[Wager]) -> float:
    """The logarithm of what several wagers own now that share their money, whichever was right.

    Half of the money is the favourite's.
    """
    share = math.log(2 * len(others)) if others else 0.0
    first = favourite.log_wealth - (math.log(2) if others else 0.0)
    return _log_sum([first, *(other.log_wealth - share for other in others)])


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(each - top) for each in logs))


@lru_cache(maxsize=4096)
def _next_cut(count: int) -> int:
    """Where the next piece ends; by the count alone."""
    cut = FIRST_BETS
    while cut <= count:
        cut = max(cut + 1, math.ceil(cut * GROWTH))
    return cut
