"""One question a file. A new check is a file with a CHECK in it and a line in this registry."""

from mailmon.checks import (
    bounces,
    certificate_file,
    cleanup,
    diagnose,
    dns,
    dnsbl,
    http,
    imap_auth,
    pop3_auth,
    queue,
    receive,
    send,
    smtp_auth,
    wrong_password,
)
from mailmon.checks.check import Check
from mailmon.checks.targets import Account, Host, Route

ACCOUNT_CHECKS: tuple[Check[Account], ...] = (
    imap_auth.CHECK,
    pop3_auth.CHECK,
    smtp_auth.CHECK,
    wrong_password.CHECK,
    bounces.CHECK,
)
ROUTE_CHECKS: tuple[Check[Route], ...] = (send.CHECK, receive.CHECK, cleanup.CHECK)
HOST_CHECKS: tuple[Check[Host], ...] = (
    diagnose.CHECK,
    dnsbl.CHECK,
    dns.CHECK,
    http.CHECK,
    queue.CHECK,
    certificate_file.CHECK,
)
LABELS: dict[str, str] = {
    **{check.name: check.label for check in ACCOUNT_CHECKS},
    **{check.name: check.label for check in ROUTE_CHECKS},
    **{check.name: check.label for check in HOST_CHECKS},
}
