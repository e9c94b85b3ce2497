"""Scenarios with the real systemd, run inside the booted tree; their results go to the host as JSON."""
