"""The environments that a model answers in, and whether they answer alike."""
