"""The outside world: one module per system, each task one piece of I/O around at most one rule."""
