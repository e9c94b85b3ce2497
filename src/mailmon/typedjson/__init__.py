"""Declared options and state: how a class declares them, JSON becomes one, and a document is validated."""
