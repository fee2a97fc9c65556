"""What AWS is asked for: stacks that `make aws` writes as CloudFormation templates.

This room is read in an environment of its own (`requirements.lock`), so it imports nothing else of
the project; `databases.py` alone runs in the project's image.
"""
