"""The rows of the matrix."""

from __future__ import annotations

from tests.servers.courier import Courier
from tests.servers.courier_imap import CourierImap
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.dovecot24 import Dovecot24
from tests.servers.exim import Exim
from tests.servers.opensmtpd import OpenSmtpd
from tests.servers.parts import Combination
from tests.servers.postfix import Postfix
from tests.servers.sendmail import Sendmail

ROWS = (
    Combination(Postfix(), Dovecot()),
    Combination(Postfix(), Dovecot(), "pop3"),
    Combination(Postfix(), Cyrus()),
    Combination(Postfix(), Cyrus(), "pop3"),
    # As Debian ships it. A deadline of twice the pause plus 60 s is what docs/routes.md asks for.
    Combination(
        Postfix(),
        Cyrus(popminpoll=1),
        "pop3",
        note="LOGIN-DELAY 60",
        cells=("green", "cleanup"),
        config={"deadline_s": 180},
    ),
    Combination(Exim(), CourierImap()),
    Combination(Exim(), CourierImap(), "pop3"),
    Combination(Courier(), CourierImap()),
    # In Debian 12 OpenSMTPD cannot do TLS: version 6.8 does not fit OpenSSL 3.
    Combination(OpenSmtpd(), Dovecot24(), suite="trixie"),
    Combination(Sendmail(), Cyrus()),
)
