"""Batch scoring by pieces: what else a piece contains does not matter to a row."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.contract import parse_contract
from driftline.errors import DataError, SettingsError
from driftline.joining import read_timeline
from driftline.joins import Join
from driftline.served import ServedModel
from tasks.log.scoring import Scorer, find_part, score_part
from tasks.reading import blocks
from tasks.reading.sources import open_source
from tests.bentos.models import tiny_problem, write_tiny_model

PROBLEM = tiny_problem().model_copy(update={"ignored": ("id", "row")})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A tree on the tiny problem."""
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    return ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())


def some_rows() -> pd.DataFrame:
    """Twelve rows: the first half lacks what may be missing, and one is refused."""
    return pd.DataFrame(
        {
            "id": [float(i) for i in range(11)] + [np.nan],
            "row": [f"{i:03}" for i in range(12)],
            "age": [30, 40, 50, 500, *[60] * 8],
            "level": [np.nan] * 6 + [1.5] * 6,
            "sex": ["F", "M"] * 6,
            "ward": pd.Series([None] * 6 + ["north"] * 6, dtype=object),
        }
    )


def score(model: ServedModel, folder: Path, size: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All answers and all refusals, where a piece has so many rows."""
    scorer = Scorer(PROBLEM, model, source="rows.csv", sha256="ab" * 32, output=str(folder))
    rows = some_rows()
    for number, start in enumerate(range(0, len(rows), size)):
        piece = rows.iloc[start : start + size].reset_index(drop=True).infer_objects()
        score_part.fn(scorer, number, piece, start=start)
    answers = [pd.read_parquet(path) for path in sorted(folder.glob("part-*"))]
    refusals = [pd.read_parquet(path) for path in sorted(folder.glob("_refused-*"))]
    assert len({str(part.dtypes.to_dict()) for part in answers}) == 1
    return pd.concat(answers, ignore_index=True), pd.concat(refusals, ignore_index=True)


@pytest.mark.parametrize("size", [1, 5, 6])
def test_rows_are_answered_alike_in_pieces_of_any_size(
    home: Path, model: ServedModel, size: int
) -> None:
    whole, refused = score(model, home / "whole", 12)

    answers, others = score(model, home / "pieces", size)

    pd.testing.assert_frame_equal(answers, whole)
    pd.testing.assert_frame_equal(others, refused)
    assert len(answers) == 11


def test_a_tables_own_ids_stand_beside_the_answers(home: Path, model: ServedModel) -> None:
    answers, refused = score(model, home / "whole", 12)

    kept = [i for i in range(12) if i != 3]
    assert answers["row"].tolist() == kept
    assert answers["input_row"].tolist() == [f"{i:03}" for i in kept]
    assert answers["id"].tolist() == [str(i) for i in kept[:-1]] + [pd.NA]
    assert refused.to_numpy().tolist() == [[3, "age: not between 0 and 120", "3", "003"]]


def test_a_name_that_answers_have_stands_beside_them_whatever_else_the_table_has(
    home: Path, model: ServedModel
) -> None:
    """A file of answers that is scored again has all of them."""
    names = ("input_row", "row", "input_input_row", "label")
    problem = PROBLEM.model_copy(update={"ignored": names})
    rows = some_rows().drop(columns="id").assign(input_row="a", input_input_row="b", label="c")
    folder = home / "again"
    scorer = Scorer(problem, model, source="rows.csv", sha256="ab" * 32, output=str(folder))

    score_part.fn(scorer, 0, rows, start=0)

    answers = pd.read_parquet(folder / "part-00000.parquet")
    assert answers["row"].tolist() == [i for i in range(12) if i != 3]
    own = [name for name in answers if name.startswith("input_")]
    assert sorted(answers.loc[0, own].tolist()) == ["000", "a", "b", "c"]


@pytest.mark.usefixtures("home")
def test_what_joins_fill_in_is_scored_and_another_table_is_another_batch(
    model: ServedModel,
) -> None:
    """Answers that are there must not stand for what another table would have had answered."""
    join = Join(source="t.csv", key="id", as_of="day", at="at", fields=("level",))
    ignored = (*PROBLEM.ignored, "day")
    problem = PROBLEM.model_copy(update={"ignored": ignored, "joins": {"levels": join}})
    rows = some_rows().drop(columns="level").assign(day="2024-03-01")
    ids, folders = [], set()
    for level in (1.5, 2.5):
        table = pd.DataFrame({"id": ["0", "5"], "at": ["2024-02-01"] * 2, "level": [level] * 2})
        timelines = {"levels": read_timeline(table, problem, "levels", source="t.csv")}
        scorer = Scorer(
            problem, model, source="r.csv", sha256="ab", output=None, timelines=timelines
        )
        score_part.fn(scorer, 0, rows, start=0)
        answers = pd.read_parquet(scorer.part(0))
        assert answers.loc[[0, 4], "level"].tolist() == [level, level]
        assert answers["level"].notna().sum() == 2
        ids += answers["prediction_id"].tolist()
        folders.add(scorer.folder)
    assert len(set(ids)) == len(ids) == 22
    assert len(folders) == 2


def test_a_row_that_the_problem_allows_by_now_and_the_model_does_not_is_refused_by_its_reason(
    home: Path, model: ServedModel
) -> None:
    """The file has come to allow older people; the model's contract is what it was."""
    age = PROBLEM.columns["age"].model_copy(update={"range": (0, 1000)})
    problem = PROBLEM.model_copy(update={"columns": PROBLEM.columns | {"age": age}})
    folder = home / "scores"
    scorer = Scorer(problem, model, source="rows.csv", sha256="ab" * 32, output=str(folder))

    answered = score_part.fn(scorer, 0, some_rows(), start=0)

    refused = pd.read_parquet(folder / "_refused-00000.parquet")
    assert answered == 11
    assert refused[["row", "reasons"]].to_numpy().tolist() == [
        [3, "age: must be between 0 and 120"]
    ]


def test_a_part_that_is_damaged_is_named_with_what_to_do(
    home: Path, model: ServedModel, tmp_path: Path
) -> None:
    assert home
    folder = tmp_path / "scores"
    score(model, folder, 6)
    scorer = Scorer(PROBLEM, model, source="rows.csv", sha256="ab" * 32, output=str(folder))
    part = folder / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:-9])

    with pytest.raises(DataError, match=rf"{part}: not a readable .* or removed, and its rows"):
        find_part.fn(scorer, 1)
    part.unlink()

    assert find_part.fn(scorer, 1) is None
    assert find_part.fn(scorer, 0) == 5


@pytest.mark.parametrize("note", ["", "{", "[1]", "text"])
def test_a_folder_of_scores_whose_note_is_damaged_is_not_written_into(
    note: str, home: Path, model: ServedModel, tmp_path: Path
) -> None:
    assert home
    folder = tmp_path / "scores"
    folder.mkdir()
    (folder / "_scores.json").write_text(note)

    with pytest.raises(DataError, match=r"_scores.json: damaged; wanted .* another --output"):
        score(model, folder, 12)

    assert [path.name for path in folder.iterdir()] == ["_scores.json"]


@pytest.mark.parametrize(
    "output", ["s3://", "s3:///scores", "http://host/scores", "gs://b/x", "a\0b", "a\ud800b"]
)
def test_what_scores_cannot_be_written_into_is_refused(output: str, model: ServedModel) -> None:
    """Before, some of them were taken for folders: the scores lay in one called `s3:`."""
    with pytest.raises(SettingsError, match=r"^--output: got .*, wanted a folder, or s3://bucket"):
        Scorer(PROBLEM, model, source="rows.csv", sha256="ab" * 32, output=output)


@pytest.mark.parametrize("output", ["~/scores", "{home}/scores/", "file://{home}/scores"])
def test_a_folder_for_scores_is_found_however_it_is_named(
    output: str, model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    named = output.format(home=tmp_path)

    scorer = Scorer(PROBLEM, model, source="rows.csv", sha256="ab" * 32, output=named)

    assert scorer.folder == f"{tmp_path}/scores"


def test_cells_that_came_as_numbers_are_answered_as_their_text_is(
    home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes have a file read line by line, as text; the rest is the same, and so the bytes."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    rows = pd.concat([some_rows()] * 3, ignore_index=True).assign(row=lambda t: t["row"] + "0")
    rows.loc[30, "ward"] = 'a "quoted" one'
    files, kinds = {}, {}
    for name, quoting in (("plain", csv.QUOTE_MINIMAL), ("quoted", csv.QUOTE_ALL)):
        source = home / f"{name}.csv"
        source.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(source, index=False, quoting=quoting)
        stream = open_source.fn(PROBLEM, str(source), rows=10)
        folder = home / name
        scorer = Scorer(PROBLEM, model, source="rows.csv", sha256="ab" * 32, output=str(folder))
        for number, start in enumerate(range(0, len(rows), 10)):
            piece = stream.read(number)
            assert piece is not None
            kinds[name, number] = piece.rows["age"].dtype.kind
            score_part.fn(scorer, number, piece.rows, start=start)
        files[name] = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert [kinds["plain", number] for number in range(4)] == ["f", "f", "f", "O"]
    assert [kinds["quoted", number] for number in range(4)] == ["O"] * 4
    assert len(files["plain"]) == 4 + 4 + 1  # answers, refusals, and the note
    assert files["plain"] == files["quoted"]
