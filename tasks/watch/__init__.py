"""A monitoring run: its evidence, its verdict, its page."""
