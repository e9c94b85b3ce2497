"""What happens inside the booted tree: scenes with the real systemd, told to the host as JSON. Runs there, not here."""
