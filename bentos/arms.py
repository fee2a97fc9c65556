"""Who is answered by which of two models, while a trial gives a contender part of the traffic.

A keyed hash decides, so that the same subject is answered by the same model in every worker, after
each restart and on each replica, and nobody without the salt can tell by which. Neither the subject
nor its hash is kept anywhere.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bentos.predictor import Predictor
from driftline.contract import Contract
from driftline.spelling import spell

HEADER = b"x-driftline-key"
_WHOLE = 2**64


@dataclass(frozen=True)
class Arms:
    """The contender beside the champion, and who is answered by it.

    `field` is the input that names a subject; where it is "" or a record lacks it, the header does,
    and without one each answer is a subject of its own.
    """

    contender: Predictor
    champion: str
    share: float
    salt: str
    field: str = ""

    def fit(self, contract: Contract) -> bool:
        """Whether the trial is against this champion, and both ask and answer the same."""
        return contract.model_version == self.champion and answers_alike(
            contract, self.contender.contract
        )

    def assign(
        self, records: Sequence[Mapping[str, Any]], ids: Sequence[str], header: bytes
    ) -> list[int]:
        """Places of the records that the contender answers."""
        return [
            place
            for place, (record, name) in enumerate(zip(records, ids, strict=True))
            if is_contenders(self.salt, self._subject(record, header, name), self.share)
        ]

    def knows(self, record: Mapping[str, Any], header: bytes) -> bool:
        """Whether a record has a subject that is answered by the same model each time."""
        return bool(header) or bool(self.field and record.get(self.field) is not None)

    def _subject(self, record: Mapping[str, Any], header: bytes, prediction_id: str) -> bytes:
        value = record.get(self.field) if self.field else None
        if value is not None:
            return spell(value).encode()
        return header or prediction_id.encode()


def answers_alike(one: Contract, other: Contract) -> bool:
    """Whether two models see the same records as the same vector and answer them in kind."""
    return (one.fields, one.features, one.joins, one.classes, one.number is None) == (
        other.fields,
        other.features,
        other.joins,
        other.classes,
        other.number is None,
    )


def is_contenders(salt: str, subject: bytes, share: float) -> bool:
    """Whether a subject belongs to the contender's share: HMAC-SHA256 as a number below 1."""
    digest = hmac.digest(salt.encode(), subject, "sha256")
    return int.from_bytes(digest[:8], "big") < share * _WHOLE
