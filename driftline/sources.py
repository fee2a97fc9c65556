"""Where a problem's rows come from, as its file says it. Reads none of them."""

from typing import Annotated, Final, Literal

from pydantic import Field

from driftline.declared import Strict

MOST_SYNTHETIC_ROWS: Final = 10_000_000


class SklearnSource(Strict):
    """A table that scikit-learn ships, by its loader's name without `load_`."""

    kind: Literal["sklearn"]
    name: str


class PackageSource(Strict):
    """A CSV or Parquet file that an installed package ships, by its path inside the package."""

    kind: Literal["package"]
    package: str
    path: str


class FileSource(Strict):
    """A CSV or Parquet file, or a folder of them: a path or an `s3://` URL."""

    kind: Literal["file"]
    location: str


class SyntheticSource(Strict):
    """Rows that a generator of the project makes up: as many as it likes unless `rows` says."""

    kind: Literal["synthetic"]
    name: str
    rows: int | None = Field(default=None, ge=1, le=MOST_SYNTHETIC_ROWS)
    seed: int = Field(default=0, ge=0)


Source = Annotated[
    SklearnSource | PackageSource | FileSource | SyntheticSource, Field(discriminator="kind")
]
