"""Models: trained, judged, tracked and registered."""
