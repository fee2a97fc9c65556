"""Rows of a source piece by piece, each of which may be asked for again."""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from tasks.reading.parsing import Piece

PLAINLY = "plain"  # how a table without oddities is written


class Stream:
    """Rows of a source piece by piece; a file never lies in memory as a whole."""

    def __init__(
        self, name: str, digest: Callable[[], str], begin: Callable[[], Iterator[Piece]]
    ) -> None:
        """Begin when the first piece is asked for."""
        self.name = name
        self._digest = digest
        self._begin = begin
        self._pieces: Iterator[Piece] | None = None
        self._next = 0
        self._ways: dict[str, None] = {}

    @cached_property
    def sha256(self) -> str:
        """A name of the content, wherever it lies: all of it is read for that."""
        return self._digest()

    @property
    def read_as(self) -> str:
        """How the pieces that were read are written, in words; empty where that is plain."""
        return tell_ways(self._ways)

    def read(self, number: int) -> Piece | None:
        """A piece by its place, None after the last; reading in order reads once."""
        if self._pieces is None or number < self._next:
            self._pieces, self._next = self._begin(), 0
        try:
            for piece in self._pieces:
                self._next += 1
                self._ways[piece.read_as or PLAINLY] = None
                if self._next > number:
                    return piece
        except BaseException:
            self._pieces = None
            raise
        return None


def tell_ways(told: Collection[str]) -> str:
    """How the pieces of a table are written, in words; empty where all of it is plain."""
    return "" if set(told) <= {PLAINLY} else "; or: ".join(told)
