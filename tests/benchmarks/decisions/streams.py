"""Real tables, parted into a reference and a pool that windows are drawn from, by seed.

Knobs were set by looking at TUNING_SEEDS only; figures are reported on REPORTING_SEEDS.
"""

import io
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from driftline.cleaning import clean, faults_of_values
from driftline.problem import Problem, parse_problem
from tests.support import ROOT, SHARED_DATA

TUNING_SEEDS = range(1_000)
REPORTING_SEEDS = range(1_000_000, 1_001_000)
SIZES = (50, 200, 2_000, 20_000)
MOST_REFERENCE_ROWS = 15_000
REFERENCE_SHARE = 0.7
MOST_OFTEN = 0.02
READMISSION_COLUMNS = (
    *("race", "gender", "age", "admission_type_id", "discharge_disposition_id"),
    *("admission_source_id", "time_in_hospital", "num_lab_procedures", "num_procedures"),
    *("num_medications", "number_outpatient", "number_emergency", "number_inpatient"),
    *("number_diagnoses", "max_glu_serum", "A1Cresult", "metformin", "glipizide", "insulin"),
    *("change", "diabetesMed"),
)
COUNTS = {
    *("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications"),
    *("number_outpatient", "number_emergency", "number_inpatient", "number_diagnoses"),
}


@dataclass(frozen=True)
class RealTable:
    """A cleaned table with its target, in order of time where it has one."""

    name: str
    problem: Problem
    rows: pd.DataFrame


@dataclass(frozen=True)
class Stream:
    """The rows a champion learnt from, and the rows of the same people it has not seen."""

    table: RealTable
    reference: pd.DataFrame
    pool: pd.DataFrame

    @property
    def sizes(self) -> tuple[int, ...]:
        """Window sizes that the pool allows: small tables are drawn from with repetition."""
        most = 20_000 if len(self.pool) > 4_000 else 2_000
        return tuple(size for size in SIZES if size <= most)

    def draw(
        self, size: int, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> pd.DataFrame:
        """A window of the pool's rows, each as likely as its weight.

        No row gets more than MOST_OFTEN of a window, lest one record repeated pass for people.
        """
        p = None if weights is None else weights / weights.sum()
        for _ in range(20 if p is not None else 0):
            p = np.minimum(p, MOST_OFTEN)
            p = p / p.sum()
        repeats = p is not None or size > len(self.pool)
        picked = rng.choice(len(self.pool), size, replace=repeats, p=p)
        return self.pool.iloc[picked].reset_index(drop=True)


def cut_stream(table: RealTable, rng: np.random.Generator) -> Stream:
    """A random parting of a table."""
    order = rng.permutation(len(table.rows))
    count = min(round(REFERENCE_SHARE * len(order)), MOST_REFERENCE_ROWS)
    reference = table.rows.iloc[order[:count]].reset_index(drop=True)
    return Stream(table, reference, table.rows.iloc[order[count:]].reset_index(drop=True))


def load_tables(names: Collection[str] | None = None) -> list[RealTable]:
    """The tables of these names, or all; where ../shared/data is missing, without its own."""
    readers = {"cancer": _breast_cancer, "pima": _pima}
    if SHARED_DATA.exists():
        readers |= {"diabetes": _diabetes, "readmission": _readmission, "survey": _survey}
    return [read() for name, read in readers.items() if not names or name in names]


def _problem(name: str) -> Problem:
    file = f"data/problems/{name}.yaml"
    return parse_problem((ROOT / file).read_text("utf-8"), name=name, file=file)


def _clean(name: str, raw: pd.DataFrame, problem: Problem) -> RealTable:
    cleaned = clean(raw, problem, source=name, with_target=True)
    bad = list(faults_of_values(cleaned, problem))
    return RealTable(name, problem, cleaned.table.drop(index=bad).reset_index(drop=True))


def _breast_cancer() -> RealTable:
    from sklearn.datasets import load_breast_cancer

    return _clean("cancer", load_breast_cancer(as_frame=True).frame, _problem("breast_cancer"))


def _pima() -> RealTable:
    packed = files("faraway").joinpath("datasets/pima/pima.csv.bz2").read_bytes()
    raw = pd.read_csv(io.BytesIO(packed), compression="bz2")
    return _clean("pima", raw, _problem("diabetes"))


def _diabetes() -> RealTable:
    folder = SHARED_DATA / "diabetes"
    raw = pd.concat([pd.read_csv(folder / f"diabetes{part}.csv") for part in ("", "2")])
    return _clean("diabetes", raw, _problem("diabetes"))


def _readmission() -> RealTable:
    with zipfile.ZipFile(SHARED_DATA / "readmission" / "diabetes130.zip") as archive:
        packed = archive.read("dataset_diabetes/diabetic_data.csv")
    raw = pd.read_csv(io.BytesIO(packed), dtype=str, keep_default_na=False)
    order = raw["encounter_id"].astype(int).argsort()
    raw = raw.iloc[order][[*READMISSION_COLUMNS, "readmitted"]]
    columns = {
        name: {"kind": "integer"} if name in COUNTS else _category(raw[name], code="?")
        for name in READMISSION_COLUMNS
    }
    target = {"name": "readmitted", "classes": {"no": ["NO"], "yes": [">30", "<30"]}}
    return _clean("readmission", raw, _described("readmission", columns, target))


def _survey() -> RealTable:
    path = SHARED_DATA / "diabetes_risk" / "brfss_2015_2024_20k_per_year.parquet"
    raw = pd.read_parquet(path)
    raw = raw[raw["SURVEY_YEAR"] >= 2017].drop(columns="SURVEY_YEAR")
    raw = raw.astype("float64")
    columns = {name: _category(_codes(raw[name])) for name in raw.columns if name != "DIABETES"}
    columns = {name: spec for name, spec in columns.items() if len(spec["categories"]) > 1}
    target = {"name": "DIABETES", "classes": {"no": [2, 3], "yes": [1, 4]}}
    raw = raw[[*columns, "DIABETES"]].dropna(subset=["DIABETES"])
    return _clean("survey", raw, _described("survey", columns, target))


def _codes(values: pd.Series) -> pd.Series:
    return values.map(lambda value: f"{value:g}", na_action="ignore").astype("object")


def _category(values: pd.Series, code: str = "") -> dict[str, Any]:
    levels = sorted(str(level) for level in values.dropna().unique() if str(level) != code)
    spec = {"kind": "category", "categories": levels, "missing": "allow"}
    return spec | ({"missing_codes": [code]} if code else {})


def _described(name: str, columns: dict[str, Any], target: dict[str, Any]) -> Problem:
    text = yaml.safe_dump(
        {
            "title": name,
            "source": {"kind": "file", "location": f"{name}.csv"},
            "target": target | {"positive": "yes"},
            "goal": {"maximise": "roc_auc"},
            "columns": columns,
        },
        sort_keys=False,
    )
    return parse_problem(text, name=name, file=f"{name}.yaml")
