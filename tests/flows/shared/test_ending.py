"""A command ends in order, whatever its threads let go of meanwhile."""

import subprocess
import sys

from tests.support import ROOT

PROGRAM = """
import atexit, io, sys, threading, time
import pyarrow as pa
from pyarrow import parquet
from flows.shared.ending import end_in_order

file = io.BytesIO()
parquet.write_table(pa.table({"a": range(10)}), file)
atexit.register(lambda: print("at exit", flush=True))

def wait():
    time.sleep(0.2)
    print("thread", flush=True)

def drop():  # as a thread of Prefect does that lets go of what a run held
    while True:
        parquet.ParquetFile(file)

threading.Thread(target=wait).start()
for _ in range(4):
    threading.Thread(target=drop, daemon=True).start()
print("end", flush=True)
end_in_order(7)
"""


def test_threads_are_waited_for_and_what_is_to_be_done_at_exit_is_done() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 7, done.stderr
    assert done.stdout.split("\n")[:-1] == ["end", "thread", "at exit"]
