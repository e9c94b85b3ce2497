"""What of a bounce is shown to those who may not see addresses? (docs/history.md lists what is hidden)"""

from __future__ import annotations

from mailmon.mail.masking import HIDDEN, mask_address, mask_domain, mask_text
from mailmon.model.bounces import BounceRow, LoggedMessage, Ranking, Summary


def masked_row(row: BounceRow) -> BounceRow:
    """Return a row whose addresses, domains and host names are masked, and whose subject is hidden."""
    known = _addresses(row)
    return row._replace(
        account=mask_text(row.account, known),
        folder=mask_text(row.folder, known),
        address=mask_address(row.address),
        domain=mask_domain(row.domain),
        diagnostic=mask_text(row.diagnostic, known),
        reporting_mta=mask_domain(row.reporting_mta),
        remote_mta=mask_domain(row.remote_mta),
        original_message_id=mask_address(row.original_message_id),
        original_subject=HIDDEN if row.original_subject else "",
        original_from=mask_address(row.original_from),
        original_to=tuple(map(mask_address, row.original_to)),
        original_cc=tuple(map(mask_address, row.original_cc)),
        original_recipient=mask_address(row.original_recipient),
    )


def masked_message(message: LoggedMessage) -> LoggedMessage:
    """Return a message as `masked_row` shows its rows."""
    known = [address for row in message.rows for address in _addresses(row)]
    # What one recipient is called may stand in what was said of another.
    rows = [masked_row(row)._replace(diagnostic=mask_text(row.diagnostic, known)) for row in message.rows]
    return message._replace(
        rows=tuple(rows), message_id=mask_address(message.message_id), problem=mask_text(message.problem, known)
    )


def masked_summary(summary: Summary) -> Summary:
    """Return a summary whose domains and host names are masked; two may look the same then."""
    return summary._replace(domains=_masked(summary.domains), remote_mtas=_masked(summary.remote_mtas))


def _masked(ranking: Ranking) -> Ranking:
    return ranking._replace(rows=tuple(trend._replace(name=mask_domain(trend.name)) for trend in ranking.rows))


def _addresses(row: BounceRow) -> tuple[str, ...]:
    return (row.address, row.original_recipient, row.original_from, *row.original_to, *row.original_cc)
