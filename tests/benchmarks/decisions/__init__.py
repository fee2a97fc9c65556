"""What the rules decide, against what is possible: printed as tables, by simulation."""
