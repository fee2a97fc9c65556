"""Rows of plain numbers in a line of the spool: their bits in base64, which is quickly written.

JSON tells 1 from 1.0, and so do the rows that come out; where both came in one column, the rows
stand there as they are.
"""

import binascii
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftline.plain_numbers import PlainRows

LITTLE_ENDIAN = np.dtype("<f8")


def pack_rows(rows: PlainRows) -> dict[str, Any] | list[Sequence[Any]]:
    """The rows as JSON may hold them: packed, or each by itself where packing would lose a kind."""
    whole = rows.find_whole()
    if whole is None:
        return list(rows)
    content = rows.matrix.astype(LITTLE_ENDIAN, copy=False).tobytes()
    return {"whole": whole, "float64": binascii.b2a_base64(content, newline=False).decode()}


def unpack_rows(packed: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """The rows that were packed, to the last bit; `ValueError` where they are not whole."""
    whole, content = packed["whole"], binascii.a2b_base64(packed["float64"], strict_mode=True)
    width, size = len(whole), LITTLE_ENDIAN.itemsize
    if not width or len(content) % (width * size):
        message = f"got {len(content)} bytes, wanted rows of {width} numbers"
        raise ValueError(message)
    values = struct.unpack(f"<{len(content) // size}d", content)
    rows = zip(*[iter(values)] * width, strict=True)
    if not any(whole):
        return list(rows)
    return [
        [int(one) if is_whole else one for one, is_whole in zip(row, whole, strict=True)]
        for row in rows
    ]
