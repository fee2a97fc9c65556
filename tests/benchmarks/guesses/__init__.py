"""What columns of real tables are, and who takes them for it: for the onboarding benchmark."""
