"""mailmon: monitor mail end to end: log in, send, receive."""

__version__ = "0.1.0"
