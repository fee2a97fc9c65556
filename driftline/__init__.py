"""The rules of Driftline: pure functions over values, free of vendors, clocks and environment."""
