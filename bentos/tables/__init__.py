"""Tables of joins where a service looks fields up: held, and brought from a store."""
