"""Clients for one protocol each; other libraries' exceptions are translated here."""
