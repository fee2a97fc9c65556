"""How Driftline is run: the local system, images, and what is declared for the cloud."""
