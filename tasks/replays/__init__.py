"""Replays of a history: the models, the rivals, the page."""
