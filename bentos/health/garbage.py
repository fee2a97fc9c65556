"""How a process that makes many objects at once is kept from looking through all of them."""

import gc

THRESHOLDS = (50_000, 20, 50)  # a batch of 10,000 makes many short-lived objects


def spare_loaded() -> None:
    """Leave alone what is loaded by now, which stays, and look rarely through what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
