"""Workflows that an adopter copies to `.github/workflows`, and what their steps run."""
