"""A real mail server on loopback, as the tests use it.

`Bed` runs Postfix, Dovecot, OpenDKIM, Unbound and a small LMTP proxy in one directory, on ports of its own, without an
init system, and writes nothing elsewhere. It needs Linux, root and the Debian packages that `missing_programs` checks.

Accounts: monitor@mail.test, u0000@mail.test, u0001@mail.test ...; the password is "secret". Addresses that misbehave:

    USER+d3400@mail.test        delivered after 3400 ms
    USER+blackhole@mail.test    accepted, never delivered
    USER+dup@mail.test          delivered twice
    USER+defer@mail.test        accepted, stays in the queue (451 from the mailbox server, tried again every 10 s)
    USER+grey@mail.test         450 at RCPT
    USER+greyd@mail.test        451 at the end of DATA
    bounce@mail.test            accepted, then a DSN 5.2.2 to the envelope sender
    bounce-unknown@mail.test    accepted, then a DSN 5.1.1 to the envelope sender
    reject@mail.test            550 at RCPT
    postmaster@ abuse@ alias1@  aliases of monitor@mail.test
    anything else @mail.test    goes to catchall@mail.test
    USER@loop.test              leaves over SMTP and comes back on the port "smtp": DKIM-signed on the way out,
                                verified on the way in, two hops (mail that stays inside is signed and never verified)

The DNS server answers for mail.test, loop.test, broken.test (contradicting records) and bl.test (a DNSBL).
"""

from .bed import Bed
from .deliveries import Delivery
from .processes import missing_programs
from .settings import BedError, bed_directory

__all__ = ["Bed", "BedError", "Delivery", "bed_directory", "missing_programs"]
