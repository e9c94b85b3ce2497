"""Probes: composed, recognised, awaited, compared with what was sent, and returned by a bounce."""
