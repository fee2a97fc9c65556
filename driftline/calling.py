"""How often people are told that a training is called for which one of them decides on.

Once, and again when the reason has grown by half, when it has passed and come back, or when an
alias has changed since: a training that a person has tried and that came to nothing is over.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from driftline.shadow import AGAIN

By = Literal["", "labels", "inputs"]


@dataclass(frozen=True)
class Call:
    """What people were told last: by what, how strong it was, and after how many journal rows.

    Of labels the strength is the loss per answer as a share of the skill, of inputs the suspicion.
    """

    by: By = ""
    strength: float = 0.0
    changes: int = 0

    def covers(self, other: "Call") -> bool:
        """Whether people know of the other one by this."""
        is_same = (self.by, self.changes) == (other.by, other.changes)
        return is_same and other.strength < AGAIN * self.strength

    def to_document(self) -> dict[str, Any]:
        """The call as JSON's own types."""
        return asdict(self)


def read_call(document: Mapping[str, Any] | None) -> Call:
    """What `to_document` wrote, or no call."""
    return Call(**document) if document else Call()
