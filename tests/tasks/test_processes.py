"""Calls in processes of this machine: made as here, and gone with who started them."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from driftline.errors import DataError, UnavailableError
from tasks.processes import get_processes, open_processes
from tests.support import ROOT
from tests.tasks.parts import complain, die, print_and_square, tell_imported, tell_own_id

PARTS = list(range(6))


def test_results_come_in_the_order_of_the_parts_whatever_is_printed() -> None:
    with open_processes(2):
        processes = get_processes()
        assert processes is not None
        assert list(processes.map(print_and_square, PARTS)) == [part**2 for part in PARTS]
        assert dict(processes.each(print_and_square, PARTS)) == {part: part**2 for part in PARTS}
        made_by = set(processes.map(tell_own_id, PARTS))

    assert os.getpid() not in made_by
    assert len(made_by) <= 2
    assert not [each for each in made_by if is_alive(each)]


def test_a_mistake_of_a_part_is_the_callers() -> None:
    with open_processes(2):
        processes = get_processes()
        assert processes is not None
        with pytest.raises(DataError, match="part 0: got nothing, wanted something"):
            list(processes.map(complain, PARTS))
        assert list(processes.map(print_and_square, PARTS)) == [part**2 for part in PARTS]


def test_a_process_that_is_killed_ends_the_work_in_a_sentence() -> None:
    with open_processes(2):
        processes = get_processes()
        assert processes is not None
        with pytest.raises(UnavailableError, match="was ended from outside"):
            list(processes.map(die, PARTS))


def test_what_is_imported_ahead_is_there_and_what_cannot_be_harms_nothing() -> None:
    with open_processes(2):
        processes = get_processes()
        assert processes is not None
        processes.begin(["colorsys", "no_such_module"])
        assert set(processes.map(tell_imported, ["colorsys"] * 6)) == {True}


def test_one_core_takes_none() -> None:
    with open_processes(1):
        assert get_processes() is None
    assert get_processes() is None


STARTER = """
import sys, time
from tasks.processes import get_processes, open_processes
from tests.tasks.parts import tell_own_id, wait_for_ever
with open_processes(2):
    print(*set(get_processes().map(tell_own_id, range(6))), flush=True)
    list(get_processes().map(wait_for_ever, range(2)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_none_outlives_its_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stderr is not None
    made_by = [int(each) for each in parent.stdout.readline().split()]
    assert all(map(is_alive, made_by))

    parent.send_signal(number)

    assert parent.stderr.read() == b""  # its children have it too, and nobody has it any more
    parent.wait()
    parent.stdout.close()
    parent.stderr.close()
    while any(map(is_alive, made_by)):  # at most for the moment in which they are taken apart
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_arguments_are_bound_by_a_partial() -> None:
    with open_processes(2):
        processes = get_processes()
        assert processes is not None
        assert list(processes.map(partial(pow, 2), PARTS)) == [2**part for part in PARTS]
