"""The prediction log: a spool on disk, a database, and what moves one into the other."""
