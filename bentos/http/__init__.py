"""The API over HTTP: who may ask, within which limits, and what describes and counts it."""
