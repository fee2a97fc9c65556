"""Prefect's server: runs that are started, and runs whose processes are gone."""
