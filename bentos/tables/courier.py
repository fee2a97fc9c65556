"""The courier's part for tables of joins: those of the champion that serves here, from the store.

A new champion's tables come before the pointer to it, so that it answers from its first request on.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from bentos.settings import lookup_folder, lookup_seconds
from bentos.tables.bringing import Bringer, Read, has_table, sentence_of
from bentos.takeover.attempts import TABLES, Trouble, write_trouble
from bentos.takeover.content import ContentError
from bentos.takeover.shelf import Pointer, place_of, read_pointer
from driftline.contract import Contract, parse_contract


class TableCourier:
    """Brings the tables of whichever champion this machine points at, anew when they change."""

    def __init__(
        self, read: Read, problem: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing brought; `clock` tells seconds."""
        self._problem = problem
        self._bringer = Bringer(read, lookup_folder(), seconds=lookup_seconds(), clock=clock)
        self._contract: tuple[Pointer, Contract] | None = None
        self._told: Trouble | None = None

    def look(self) -> None:
        """Bring what is due; keep what stands in the way, for the service to tell."""
        contract = self._champion()
        if contract is None:
            return
        trouble = self._bringer.look(contract)
        if trouble != self._told:
            with suppress(OSError):
                write_trouble(self._problem + TABLES, trouble)
                self._told = trouble

    def _champion(self) -> Contract | None:
        """The contract of the champion here; of one that cannot be read the follower tells."""
        with suppress(OSError, ValueError):
            pointer = read_pointer(self._problem)
            if pointer is None:
                return None
            if self._contract is None or self._contract[0] != pointer:
                self._contract = (pointer, _contract_of(pointer))
        return None if self._contract is None else self._contract[1]


def bring_ahead(read: Read, pointer: Pointer, *, is_first: bool) -> None:
    """Have here the tables of a bento that is laid out and about to serve.

    It waits (`ContentError`) for one that the store names and cannot be had, unless another that
    will do is here, or it is the first on this machine: whole records it can answer without.
    """
    contract = _contract_of(pointer)
    bringer = Bringer(read, lookup_folder(), seconds=0.0)
    for join in contract.joins:
        try:
            bringer.bring(contract.problem, join)
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            if is_first or has_table(lookup_folder(), contract.problem, join):
                continue
            message = f"the table of its join {join.name!r}: {sentence_of(error)}"
            raise ContentError(message) from None


def _contract_of(pointer: Pointer) -> Contract:
    text = (place_of(pointer.tag) / "src" / "contract.json").read_text("utf-8")
    return parse_contract(text)
