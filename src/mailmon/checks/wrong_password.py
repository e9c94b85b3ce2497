"""Logins with a random password: some servers accept any, for mailboxes that nobody has claimed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from mailmon.checks.check import AccountCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account
from mailmon.clients.server import Server
from mailmon.errors import StageError
from mailmon.findings import make_finding
from mailmon.model import Fact, Finding, Note, Secret, Verdict


def run(context: RunContext, account: Account, _options: CheckOptions) -> Iterator[Fact]:
    """Try one password that nobody can have at each server of the account."""
    stranger = account._replace(password=Secret(secrets.token_urlsafe(18)), token=None, oauth=None)
    for server in account.logins.values():
        if server.needs_login:
            yield _try(context, stranger, server)
    yield Note("OK")


def _try(context: RunContext, stranger: Account, server: Server) -> Finding:
    finding_id = f"{server.protocol}.any_password_accepted"
    try:
        context.try_login(stranger, server)
    except StageError as exc:
        if exc.finding_id.endswith((".login_refused", ".auth_not_offered")) and not exc.is_temporary:
            return make_finding(finding_id, Verdict.PASS, server.target, f"refused: {exc.said}")
        return make_finding(finding_id, Verdict.SKIPPED, server.target, f"not tried: {exc.message}")
    said = f"{server.target} accepts a random password for {stranger.username}"
    return make_finding(finding_id, Verdict.FAIL, server.target, said, fix=_OPEN)


_OPEN = "Anybody can read this mailbox: claim it, or set its password."


def _server(account: Account) -> str | None:
    return next((server.target for server in account.logins.values()), None) if account.wrong_password_s else None


CHECK = AccountCheck(
    name="wrong_password",
    label="Wrong Password",
    about="Tries a random password, which the servers must refuse.",
    options=CheckOptions,
    run=run,
    server=_server,
    interval_s=lambda account: account.wrong_password_s or 0.0,
)
