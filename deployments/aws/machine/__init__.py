"""What the stack `machine` puts on its machine."""
