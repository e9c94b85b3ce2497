"""What mail server do the demo and the tests talk to? One of our own on loopback, which misbehaves on request."""

from mailmon.sandbox.delivery import AcceptedMail
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.server import Sandbox
from mailmon.sandbox.store import Mailbox, Message, Store

__all__ = ["AcceptedMail", "Faults", "Mailbox", "Message", "Sandbox", "Store"]
