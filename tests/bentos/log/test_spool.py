import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.log.spool import (
    HAND_OVER_SECONDS,
    SpoolFullError,
    SpoolWriter,
    list_segments,
    take_segment,
)
from tests.support import ROOT

LINE = b'{"id":"a"}\n'


def take_all(folder: Path) -> list[object]:
    taken = []
    for path in list_segments(folder):
        with take_segment(path) as segment:
            taken += segment.entries if segment else []
    return taken


def append_until_full(writer: SpoolWriter, line: bytes) -> int:
    for kept in range(1000):
        try:
            writer.append(line)
        except SpoolFullError:
            return kept
    return 1000


def age(writer: SpoolWriter) -> None:
    writer._since -= HAND_OVER_SECONDS


def test_what_is_written_is_taken_in_order_and_once(tmp_path: Path, writer: SpoolWriter) -> None:
    for i in range(5):
        writer.append(b'{"n":%d}\n' % i)
        age(writer)
        writer.hand_over()

    taken = take_all(tmp_path)

    assert taken == [{"n": i} for i in range(5)]
    assert take_all(tmp_path) == []


def test_a_segment_being_written_is_not_taken(tmp_path: Path, writer: SpoolWriter) -> None:
    writer.append(LINE)

    (path,) = list_segments(tmp_path)
    with take_segment(path) as segment:
        assert segment is None

    assert path.exists()


def test_a_young_or_empty_segment_is_not_handed_over(tmp_path: Path, writer: SpoolWriter) -> None:
    age(writer)
    writer.hand_over()  # old and empty
    writer._since = time.monotonic()
    writer.append(LINE)
    writer.hand_over()  # young

    assert len(list_segments(tmp_path)) == 1
    assert take_all(tmp_path) == []


def test_a_closed_writer_leaves_everything_and_takes_no_more(
    tmp_path: Path, writer: SpoolWriter
) -> None:
    writer.append(LINE)

    writer.close()

    with pytest.raises(SpoolFullError):
        writer.append(LINE)
    assert take_all(tmp_path) == [{"id": "a"}]


def test_a_segment_stays_where_shipping_it_fails(tmp_path: Path, writer: SpoolWriter) -> None:
    writer.append(LINE)
    writer.close()
    (path,) = list_segments(tmp_path)

    with pytest.raises(ConnectionError), take_segment(path):
        raise ConnectionError

    assert take_all(tmp_path) == [{"id": "a"}]


def test_two_shippers_do_not_take_the_same_segment(tmp_path: Path, writer: SpoolWriter) -> None:
    writer.append(LINE)
    writer.close()
    (path,) = list_segments(tmp_path)

    with take_segment(path) as first, take_segment(path) as second:
        assert first is not None
        assert (first.entries, second) == ([{"id": "a"}], None)
    with take_segment(path) as third:
        assert third is None


@given(whole=st.integers(0, 4), torn=st.integers(0, len(LINE) - 1))
def test_a_torn_last_line_is_dropped_and_the_others_stay(
    tmp_path_factory: pytest.TempPathFactory, whole: int, torn: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "1-a.jsonl"
    path.write_bytes(LINE * whole + LINE[:torn])

    with take_segment(path) as segment:
        assert segment is not None
        assert segment.entries == [{"id": "a"}] * whole

    assert not path.exists()


def test_what_a_killed_process_had_written_is_taken(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from bentos.log.spool import SpoolWriter\n"
        'writer = SpoolWriter(Path(sys.argv[1])); writer.append(b\'{"id":"a"}\\n\')\n'
        "print('written', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while_alive = take_all(tmp_path)
        process.send_signal(signal.SIGKILL)

    assert while_alive == []
    assert take_all(tmp_path) == [{"id": "a"}]


def test_threads_do_not_mix_their_lines(tmp_path: Path, writer: SpoolWriter) -> None:
    """While segments are handed over and taken all the time."""
    taken: list[object] = []
    is_over = threading.Event()

    def write(name: int) -> None:
        for i in range(2000):
            writer.append(orjson.dumps({"n": [name, i]}) + b"\n")

    def ship() -> None:
        while not is_over.is_set():
            age(writer)
            writer.hand_over()
            taken.extend(take_all(tmp_path))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    shipper = threading.Thread(target=ship)
    for thread in [shipper, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    is_over.set()
    shipper.join()
    writer.close()
    taken.extend(take_all(tmp_path))

    found = sorted(tuple(each["n"]) for each in taken)  # type: ignore[index]
    assert found == [(name, i) for name in range(4) for i in range(2000)]


def test_a_segment_is_not_handed_over_while_it_is_being_written(
    tmp_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append(LINE)
    age(writer)
    is_writing, write = threading.Event(), os.write

    def write_slowly(fd: int, lines: bytes) -> int:
        is_writing.set()
        time.sleep(0.1)
        return write(fd, lines)

    monkeypatch.setattr(os, "write", write_slowly)
    thread = threading.Thread(target=writer.append, args=(b'{"id":"b"}\n',))
    thread.start()
    is_writing.wait()
    writer.hand_over()
    taken = take_all(tmp_path)
    thread.join()

    assert taken == [{"id": "a"}, {"id": "b"}]


LIMITED = """
import resource, sys
from pathlib import Path
from bentos.log.spool import SpoolFullError, SpoolWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
writer, line = SpoolWriter(Path(sys.argv[1])), b'{"id":"' + b"a" * 29 + b'"}\\n'
outcomes = []
for i in range(6):
    if i == 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    try:
        writer.append(line)
        outcomes.append("kept")
    except SpoolFullError:
        outcomes.append("full")
print(*outcomes)
"""


def test_a_write_cut_short_is_refused_and_the_file_stays_whole(tmp_path: Path) -> None:
    """By a limit on the file's size, that falls within a line and is lifted at last."""
    words = [sys.executable, "-c", LIMITED, str(tmp_path)]

    told = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert told.split() == ["kept", "kept", "full", "full", "full", "kept"]
    assert take_all(tmp_path) == [{"id": "a" * 29}] * 3


def test_a_full_disk_is_refused_and_all_that_was_taken_is_there(tiny_disk: Path) -> None:
    writer, line = SpoolWriter(tiny_disk), b'{"id":"%s"}\n' % (b"a" * 990)
    kept = append_until_full(writer, line)

    os.ftruncate(writer._fd, len(line) * (kept - 2))  # as if somebody had made room
    writer._size = len(line) * (kept - 2)
    writer.append(line)
    age(writer)
    writer.hand_over()
    writer.close()

    assert 20 <= kept <= 32
    assert len(take_all(tiny_disk)) == kept - 1


def test_a_segment_is_locked_before_a_shipper_can_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visible_when_locked: list[int] = []
    lock = fcntl.flock

    def look_and_lock(fd: int, how: int) -> None:
        visible_when_locked.append(len(list_segments(tmp_path)))
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", look_and_lock)
    writer = SpoolWriter(tmp_path)

    assert visible_when_locked == [0]
    assert len(list_segments(tmp_path)) == 1
    writer.close()
