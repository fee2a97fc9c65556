"""A bento that is not what was promoted is not taken over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bentos.takeover import content, shelf
from bentos.takeover.shelf import Pointer
from tests.bentos.takeover.shelving import (
    edit_contract,
    follow,
    no_folder,
    no_onnx,
    shelve,
    tiny_model,
)


def refused_graph(_pointer: Pointer) -> None:
    """ONNX Runtime refuses a graph whose digest is right."""
    shelve("2", onnx=b"no graph that ONNX Runtime takes")


def other_inputs(_pointer: Pointer) -> None:
    """A sound graph that wants other inputs than the contract has."""
    onnx = tiny_model()[1].replace(b"features", b"measured")
    shelve("2", onnx=onnx)


def other_problem(_pointer: Pointer) -> None:
    """The champion of another problem, under a name of this one."""
    shelve("2", problem="other")


def edited_contract(pointer: Pointer) -> None:
    """Another threshold, beside the right ONNX file."""
    edit_contract(shelf.place_of(pointer.tag), threshold=0.999999)


def edited_code(pointer: Pointer) -> None:
    """Code that the next start would run."""
    (shelf.place_of(pointer.tag) / "src" / "code.py").write_text("import os\n")


def added_file(pointer: Pointer) -> None:
    """A file more, that the next start would import."""
    (shelf.place_of(pointer.tag) / "src" / "numpy.py").write_text("import os\n")


def edited_sums(pointer: Pointer) -> None:
    """An edited contract, and a list of files that knows it."""
    edited_contract(pointer)
    content.write_sums(shelf.place_of(pointer.tag))


HARMS = {
    refused_graph: "model.onnx: ONNX Runtime refuses it (InvalidProtobuf)",
    other_inputs: "model.onnx: ONNX Runtime refuses it (ValueError)",
    other_problem: "a model of another problem than tiny",
    edited_contract: "contract.json: got SHA-256",
    edited_code: "code.py: got SHA-256",
    added_file: "src/numpy.py: not among the files",
    edited_sums: "SHA256SUMS: got SHA-256",
    no_onnx: "src/model.onnx: is missing",
    no_folder: "SHA256SUMS: is missing",
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_bento_that_is_not_what_was_promoted_is_refused_told_and_passed_over(
    machine: Path, harm: Callable[[Pointer], None], caplog: pytest.LogCaptureFixture
) -> None:
    follower, taken = follow(machine)
    harm(shelve("2"))

    follower.look()

    told = follower.trouble
    assert taken == []
    assert told is not None
    assert (told.version, told.attempts) == ("2", 1)
    assert HARMS[harm] in told.why
    assert HARMS[harm] in caplog.text

    shelve("3")
    follower.look()
    assert taken == ["3"]
    assert follower.trouble is None
