"""How the sections of a problem file are declared: strict, frozen, their text in normal form."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from driftline.spelling import spell


class Strict(BaseModel):
    """A section that takes no unknown key and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _as_text(value: object) -> object:
    """A code or a name in its normal form; one that is given as a number is compared as text."""
    return spell(value) if isinstance(value, str | int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]
