"""A mail server on loopback for the demo and the tests, with faults on request."""

from mailmon.sandbox.delivery import AcceptedMail
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.server import Sandbox
from mailmon.sandbox.store import Mailbox, Message, Store

__all__ = ["AcceptedMail", "Faults", "Mailbox", "Message", "Sandbox", "Store"]
