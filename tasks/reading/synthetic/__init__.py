"""Rows made up for problems whose real tables cannot be shipped, one module a table."""
