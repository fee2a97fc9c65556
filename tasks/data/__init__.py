"""Rows: where they are read from, cleaned, validated and kept."""
