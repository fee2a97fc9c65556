"""Rows: cleaned, validated, described and kept."""
