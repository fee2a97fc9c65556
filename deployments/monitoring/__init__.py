"""Prometheus, Alertmanager and Grafana: one description, from which all of their files follow."""
