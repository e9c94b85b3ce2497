"""Findings about the machine that mailmon runs on, web pages, and mailmon itself."""

from __future__ import annotations

from mailmon.findings.row import CHECK, ERROR, NOTICE, WARNING, Group, Row

_QUEUE = "Look at `postqueue -p`, and at the mail server's log for the reasons."
_PAGE = "Check the log of the web server, and of any proxy in front of it."

MAIL_HOST = Group(
    "The mail host",
    (CHECK,),
    (
        Row(
            "queue.deferred",
            WARNING,
            "Many deferred messages",
            "More messages than `max_deferred` could not be delivered yet.",
            _QUEUE,
            varies="error above `critical_deferred`",
        ),
        Row(
            "queue.active",
            WARNING,
            "Many active messages",
            "More messages than `max_active` are being delivered.",
            _QUEUE,
        ),
        Row(
            "queue.hold",
            WARNING,
            "Many messages on hold",
            "More messages than `max_hold` are on hold.",
            _QUEUE,
        ),
        Row(
            "queue.old",
            WARNING,
            "Old message in the queue",
            "The oldest message has been waiting for longer than `max_age`.",
            _QUEUE,
        ),
        Row(
            "queue.stuck",
            WARNING,
            "Postfix does not pick up messages",
            "A message has been in `incoming` or `maildrop` for longer than `max_arriving`.",
            "See whether Postfix's pickup and qmgr run (`postfix status`), whether the disk is full, and the mail log.",
        ),
        Row(
            "queue.mail_system_down",
            ERROR,
            "Postfix is not running",
            "Postfix is not running.",
            "Start Postfix: `systemctl status postfix` says why it is down.",
        ),
        Row(
            "queue.not_readable",
            NOTICE,
            "Queue not readable",
            "Lines of the list could not be parsed. Unknown where the queue cannot be listed, or not in time.",
            "Allow this user to list the queue (docs/mail-host.md).",
        ),
        Row(
            "certificate.not_reloaded",
            WARNING,
            "Server shows another certificate",
            "A server shows another certificate than the file holds.",
            "Reload the server: it still has the certificate that it was started with.",
        ),
        Row(
            "certificate.not_readable",
            None,
            "Certificate not readable",
            "The file, or the server's certificate, cannot be read.",
            "This user must be allowed to read the file; the key need not be in it (docs/mail-host.md).",
        ),
    ),
    "`checks.queue` and `checks.certificate_file`; [mail-host.md](mail-host.md) describes them. A file that was not "
    "renewed is `tls.cert_expiring` or `tls.cert_expired`: warning, error under `certificate_critical_days`.",
)

PAGE = Group(
    "A web page",
    (CHECK,),
    (
        Row(
            "http.unreachable",
            ERROR,
            "Web server unreachable",
            "There is no web server, or its certificate is not trusted.",
            _PAGE,
        ),
        Row("http.timeout", ERROR, "No reply in time", "The web server did not answer in time.", _PAGE),
        Row(
            "http.status",
            ERROR,
            "Unexpected status",
            "The page answers with a status that is not in `status`.",
            _PAGE,
            "RFC 9110 section 15",
        ),
        Row("http.header", ERROR, "Unexpected header field", "A header field is missing or has another value.", _PAGE),
        Row("http.content", ERROR, "Unexpected content", "The page does not contain the expected text.", _PAGE),
    ),
    "`checks.http` reports these.",
)

OWN = Group(
    "mailmon itself",
    (CHECK,),
    (
        Row(
            "mailmon.deadline",
            ERROR,
            "Not finished in time",
            "A check had not ended at the run's deadline.",
            "Raise deadline_s.",
        ),
        Row(
            "mailmon.error",
            None,
            "Check not possible",
            "A check could not be made, for a reason on this machine such as an unreadable `ca_file`.",
            "The message says what is missing.",
        ),
        Row(
            "mailmon.blind",
            ERROR,
            "No network",
            "This machine has no network, so nothing is known about the servers.",
            "Look at this machine's network.",
        ),
        Row(
            "mailmon.channel",
            ERROR,
            "Alert channel fails",
            "A channel refuses its alerts, or has not accepted them in three runs.",
            "Try it with `mailmon notify test`.",
        ),
        Row(
            "mailmon.ping",
            ERROR,
            "Ping fails",
            "The ping URL refuses, or has not accepted a ping in three runs: the service behind it will not alert.",
            "Check `ping`, and the service behind it.",
        ),
        Row(
            "mailmon.unit",
            ERROR,
            "Unit failed",
            "The systemd unit that runs mailmon has failed.",
            "Look at `journalctl -u UNIT`.",
        ),
        Row(
            "mailmon.bug",
            None,
            "Bug in mailmon",
            "A bug in mailmon: exit code 70.",
            "Please report it with this line.",
        ),
    ),
)

GROUPS = (MAIL_HOST, PAGE, OWN)
