"""Whether the service is well: what must hold at its start, and how its parts are since then."""
