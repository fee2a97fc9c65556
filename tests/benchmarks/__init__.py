"""Speed against the alternatives, all in one run: `make bench`."""
