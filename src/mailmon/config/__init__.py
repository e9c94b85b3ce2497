"""The configuration: found, read, checked as a whole, and turned into accounts, routes and channels."""

from mailmon.config.load import Overrides, find_file, load
from mailmon.config.models import Config
from mailmon.config.setup import Setup, resolve

__all__ = ["Config", "Overrides", "Setup", "find_file", "load", "resolve"]
