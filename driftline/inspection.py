"""What is wrong with a window's inputs, seen against what its champion learnt from."""

from dataclasses import dataclass, field

from driftline.reference import Reference, fit_reference, judge_window
from driftline.replay import Replay


@dataclass
class Inspector:
    """Inspects each window once per champion, however many policies ask."""

    replay: Replay
    _found: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    _references: dict[int, Reference] = field(default_factory=dict)

    def __call__(self, champion: int, window: int) -> tuple[str, ...]:
        """The faults of a window's inputs, each as a sentence."""
        key = champion, window
        if key not in self._found:
            reference = self._reference_of(champion)
            self._found[key] = judge_window(reference, self.replay.rows_of(window))
        return self._found[key]

    def _reference_of(self, champion: int) -> Reference:
        if champion not in self._references:
            problem = self.replay.history.problem
            self._references[champion] = fit_reference(self.replay.reference_of(champion), problem)
        return self._references[champion]
