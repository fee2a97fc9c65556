"""Where a problem's rows come from, as its file says it. Reads none of them."""

from typing import Annotated, Literal

from pydantic import Field

from driftline.declared import Strict


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


Source = Annotated[SklearnSource | PackageSource | FileSource, Field(discriminator="kind")]
