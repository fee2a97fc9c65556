"""The champion on Azure: a function, and its image as a Container App."""
