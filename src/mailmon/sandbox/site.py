"""What all connections of a sandbox share."""

import ssl
from dataclasses import dataclass

from mailmon.sandbox.accounts import Accounts
from mailmon.sandbox.delivery import Delivery
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.store import Store


@dataclass(frozen=True)
class Site:
    """The parts of a running sandbox that a protocol needs."""

    hostname: str
    faults: Faults
    accounts: Accounts
    store: Store
    delivery: Delivery
    tls: ssl.SSLContext
