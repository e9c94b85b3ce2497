"""The rows of the matrix."""

from __future__ import annotations

from tests.servers.courier import Courier
from tests.servers.courier_imap import CourierImap
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
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
    Combination(Exim(), CourierImap()),
    Combination(Exim(), CourierImap(), "pop3"),
    Combination(Courier(), CourierImap()),
    Combination(OpenSmtpd(), Dovecot()),
    Combination(Sendmail(), Cyrus()),
)
