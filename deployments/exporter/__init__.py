"""The state of the loop as metrics for Prometheus, whether or not a service runs."""
