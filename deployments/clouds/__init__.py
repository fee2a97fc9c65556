"""The champion on other clouds than AWS."""
