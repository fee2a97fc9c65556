"""The champion on Google's cloud: a function, and its image on Cloud Run."""
