"""Fixtures for domains that are watched by the whole command."""

from tests.integration.conftest import monitor

__all__ = ["monitor"]
