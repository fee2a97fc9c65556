"""Permissions of files that bind whoever runs the tests, root too."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

VERSION = 0x20080522
PR_SET_SECUREBITS, NO_FIXUP = 28, 1 << 2  # else `access` asks what root might have
OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Within it this thread may do to its own files what their modes say, and no more."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(VERSION, 0)
    before = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    assert libc.capget(header, before) == 0
    bound = (ctypes.c_uint32 * 6)(*before)
    bound[0] &= ~OVERRIDES
    assert libc.prctl(PR_SET_SECUREBITS, NO_FIXUP) == 0
    assert libc.capset(header, bound) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
        assert libc.prctl(PR_SET_SECUREBITS, 0) == 0
