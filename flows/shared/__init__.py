"""What flows share: how they are declared, run and summed up, and how an alias changes hands."""
