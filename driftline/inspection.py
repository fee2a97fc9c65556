"""What is wrong with a window's inputs, seen against what its champion learnt from."""

from dataclasses import dataclass, field

from driftline.faults import find_faults
from driftline.replay import Replay


def inspect_window(replay: Replay, champion: int, window: int) -> tuple[str, ...]:
    """Each fault of a window's inputs, as a sentence."""
    history = replay.history
    return find_faults(replay.reference_of(champion), replay.rows_of(window), history.problem)


@dataclass
class Inspector:
    """Inspects each window once per champion, however many policies ask."""

    replay: Replay
    _found: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, champion: int, window: int) -> tuple[str, ...]:
        """The faults of a window."""
        key = champion, window
        if key not in self._found:
            self._found[key] = inspect_window(self.replay, champion, window)
        return self._found[key]
