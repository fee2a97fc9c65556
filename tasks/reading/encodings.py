"""The encoding of a text: told by its bytes, or checked against what is pinned."""

import codecs
import unicodedata
from collections.abc import Collection
from typing import IO

from driftline.spelling import tidy

BLOCK_BYTES = 2**20
HEAD_BYTES = 2**20
MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSED = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "cp850")
TRIED = (*GUESSED, "iso8859_2", "iso8859_7", "mac_roman", "mac_latin2", "cp852", "cp866", "koi8_r")
MOSTLY = 3  # letters of UTF-8 for each byte that is none


class MixedTextError(ValueError):
    """Most of a text is UTF-8, and some of it is not."""


def tell_encoding(file: IO[bytes], words: Collection[str] = ()) -> str:
    """The encoding of a text: by its mark, UTF-8 where all of it is, else the likeliest.

    The likeliest is the one in which it holds most of the `words` that it should.
    """
    head = file.read(BLOCK_BYTES)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        return _tell_unmarked(head)
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = head
    try:
        while block:
            decoder.decode(block)
            block = file.read(BLOCK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _guess(head if block is head else head + block, words)
    return "utf-8-sig"


def _tell_unmarked(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain text is null."""
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        part = head[offset::2]
        if part and part.count(0) > len(part) // 2:
            return name
    return "utf-8-sig"  # null bytes, which the reader refuses


def _guess(text: bytes, words: Collection[str]) -> str:
    """By the words that it should hold, else by its letters."""
    if _is_mostly_utf8(text):
        raise MixedTextError
    guessed = _guess_by_letters(text)
    told = {tidy(word) for word in words if not word.isascii()}
    if not told:
        return guessed
    counts = {name: _count_words(text, name, told) for name in (guessed, *TRIED)}
    return max(counts, key=lambda name: counts[name])  # the first of equals


def _count_words(text: bytes, encoding: str, words: Collection[str]) -> int:
    try:
        decoded = codecs.getincrementaldecoder(encoding)().decode(text)
    except UnicodeDecodeError:
        return 0
    decoded = unicodedata.normalize("NFC", decoded)
    return sum(word in decoded for word in words)


def _is_mostly_utf8(text: bytes) -> bool:
    decoded = text.decode("utf-8", errors="replace")
    broken = decoded.count("\ufffd")
    return sum(not letter.isascii() for letter in decoded) - broken >= MOSTLY * broken


def _guess_by_letters(text: bytes) -> str:
    """The likeliest; Western Europe's where another is no likelier, since most files are that."""
    from charset_normalizer import from_bytes

    matches = from_bytes(text[:HEAD_BYTES], cp_isolation=list(GUESSED))
    best = matches.best()
    if best is None:
        return GUESSED[0]
    equals = [match for match in matches if match.chaos == best.chaos]
    if any(GUESSED[0] in match.could_be_from_charset for match in equals):
        return GUESSED[0]
    return str(best.encoding)


def find_other_mark(file: IO[bytes], encoding: str) -> str | None:
    """The encoding that a text's own mark names, where that is another."""
    head = file.read(4)
    found = next((name for mark, name in MARKS if head.startswith(mark)), None)
    return None if found is None or encoding.startswith(found) else found


def find_undecodable(file: IO[bytes], encoding: str) -> int | None:
    """The first line that is no text of an encoding; None where all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, is_last = 1, False
    while not is_last:
        block = file.read(BLOCK_BYTES)
        is_last = not block
        try:
            line += decoder.decode(block, final=is_last).count("\n")
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(encoding, errors="ignore")
            return line + good.count("\n")
    return None
