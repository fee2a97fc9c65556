"""How the text tables of a problem are written, as far as its file pins it."""

import codecs
from io import BytesIO, TextIOWrapper
from typing import Literal

from pydantic import Field, field_validator, model_validator

from driftline.declared import Strict

RARE_SEPARATORS = (" ", ":", "^", "~", "\x1f")  # told where no usual one parts any names
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_BY_WORD = {word: sign for sign, word in SEPARATORS.items()}
_THOUSANDS = ("", ",", ".", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f")


class Reading(Strict):
    """What is pinned is used as it is; what is not (None) is told by the file itself."""

    separator: str | None = None
    quote: Literal['"', "'"] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip_lines: int | None = Field(default=None, ge=0, le=10_000)

    @field_validator("separator")
    @classmethod
    def _one_sign(cls, given: str | None) -> str | None:
        sign = _BY_WORD.get(given or "", given)
        if sign is None:
            return None
        if len(sign) != 1 or sign.isalnum() or sign in "\"'.+-\r\n\x00\ufeff":
            wanted = f"{', '.join(SEPARATORS.values())}, or one sign that is no part of a number"
            message = f"got {given!r}, wanted {wanted}"
            raise ValueError(message)
        return sign

    @field_validator("thousands")
    @classmethod
    def _known_sign(cls, given: str | None) -> str | None:
        if given is not None and given not in _THOUSANDS:
            message = f"got {given!r}, wanted a comma, a point, an apostrophe, a blank or '' (none)"
            raise ValueError(message)
        return given

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, given: str | None) -> str | None:
        if given is None:
            return None
        try:
            name = codecs.lookup(given).name
            TextIOWrapper(BytesIO(), encoding=name)  # refuses base64 and its like
        except LookupError:
            message = f"got {given!r}, wanted an encoding of text such as utf-8, cp1252 or utf-16"
            raise ValueError(message) from None
        return "utf-8-sig" if name == "utf-8" else name

    @model_validator(mode="after")
    def _signs_apart(self) -> "Reading":
        if self.thousands and self.thousands == self.decimal:
            message = f"decimal and thousands: got {self.decimal!r} twice, wanted two signs"
            raise ValueError(message)
        return self

    @property
    def is_plain(self) -> bool:
        """Whether nothing is pinned."""
        return not self.to_keys()

    @property
    def pins_numbers(self) -> bool:
        """Whether a number that is written in another way is an error."""
        return self.decimal is not None or self.thousands is not None

    def to_keys(self) -> dict[str, str | bool | int]:
        """What is pinned, as it stands in a problem file."""
        return self.model_dump(exclude_none=True)


PLAIN = Reading()
