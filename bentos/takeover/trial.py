"""How a running service takes part in a trial: it follows the split beside the pointer.

The contender's bento is verified and loaded as a champion's is. Whatever is wrong with it, or with
the split, the champion answers all, and `/readyz` tells why.
"""

import logging
import time
from collections.abc import Callable

from bentos.arms import Arms, answers_alike
from bentos.health.parts import Parts
from bentos.predictor import load_predictor
from bentos.takeover.attempts import Attempts, Trouble, read_trouble
from bentos.takeover.content import ContentError
from bentos.takeover.courier import TRIAL, store_elsewhere
from bentos.takeover.follower import sentence_of
from bentos.takeover.shelf import check_shelved, place_of
from bentos.takeover.split import Split, read_split
from bentos.takeover.trust import read_trust
from driftline.contract import Contract

PART = "trial"

log = logging.getLogger("driftline.service")


class TrialFollower:
    """Calls `part` with the arms of each trial that there comes to be, and None where it ends."""

    def __init__(
        self,
        problem: str,
        champion: Callable[[], Contract],
        part: Callable[[Arms | None], None],
        *,
        parts: Parts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a trial; `champion` tells whose traffic is parted now.

        Once there has been a trial, how it goes is the part `trial`: `up`, or `degraded` and why.
        """
        self._problem, self._champion, self._part = problem, champion, part
        self._parts, self._attempts = parts, Attempts(clock)
        self._seen: Split | None = None
        self._arms: Arms | None = None
        self._is_known = False

    def look(self) -> None:
        """Look once; the champion answers all of a trial that cannot be had."""
        split: Split | None = None
        try:
            split = read_split(self._problem)
            if split is None or split != self._seen:
                self._stop()
            if split is None or split == self._seen:
                self._attempts.succeed()
            elif self._attempts.is_due(split.pointer):
                self._begin(split)
                self._attempts.succeed()
        except Exception as error:  # noqa: BLE001 - the champion must go on, whatever this is
            self._stop()
            if self._attempts.fail(split.pointer if split else None, sentence_of(error)):
                log.error("no trial: %s", self._attempts.trouble)  # noqa: TRY400 - a sentence
        self._report()

    @property
    def trouble(self) -> Trouble | None:
        """What stands in the way of the trial, here or in the store, if anything does."""
        own = self._attempts.trouble
        return read_trouble(self._problem + TRIAL) if own is None and store_elsewhere() else own

    def _begin(self, split: Split) -> None:
        check_shelved(split.pointer, read_trust())
        contender = load_predictor(place_of(split.pointer.tag) / "src")
        if contender.contract.problem != self._problem:
            message = f"a model of another problem than {self._problem}"
            raise ContentError(message)
        champion = self._champion()
        if champion.model_version == split.champion and not answers_alike(
            champion, contender.contract
        ):
            message = "it takes other fields, or answers otherwise, than the champion"
            raise ContentError(message)
        self._seen = split
        self._arms = Arms(contender, split.champion, split.share, split.salt, split.field)
        self._part(self._arms)
        log.info("version %s answers %g of the traffic", split.pointer.version, split.share)

    def _stop(self) -> None:
        if self._arms is not None:
            self._part(None)
            log.info("the champion answers all from now on")
        self._seen = self._arms = None

    def _report(self) -> None:
        trouble = self.trouble
        self._is_known |= self._arms is not None or trouble is not None
        if trouble is not None:
            self._parts.report(PART, "degraded", f"the champion answers all: {trouble}")
        elif self._arms is not None and not self._arms.fit(self._champion()):
            why = "the champion answers all: it is not the one that the trial is against"
            self._parts.report(PART, "degraded", why)
        elif self._is_known:
            self._parts.report(PART, "up")
