"""How a running service comes to answer with a new champion."""
