"""Changes of a domain's records since earlier runs; each is reported for a day. Pure."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from mailmon.findings import make_finding
from mailmon.model import Finding, Verdict
from mailmon.model.dns import Published, Remembered

# A change is reported for this long; then the new value is taken as intended.
HOLD = timedelta(days=1)
MAX_REMEMBERED, MAX_VALUES, MAX_WORDS = 200, 20, 300
NOTHING = "nothing"
POLICY, POLICY_RECORD = "HTTPS", "_mta-sts."


class Changes:
    """The remembered records of all domains. Safe for threads."""

    def __init__(self, remembered: Mapping[str, Mapping[str, Remembered]]) -> None:
        self._lock = threading.Lock()
        self._known = {domain: dict(records) for domain, records in remembered.items()}

    def take(self, domain: str, rows: Sequence[Published], now: datetime) -> list[Finding]:
        """Remember the current records, and return what has changed."""
        with self._lock:
            known = self._known.setdefault(domain, {})
            found: list[Finding] = []
            for row in rows:
                if row.is_known and _is_ours(row, domain) and (key_of(row) in known or len(known) < MAX_REMEMBERED):
                    found += _taken(known, row, domain, now)
            found += _policy_without_id(known, rows, domain)
        return found

    def remaining(self, domains: Collection[str]) -> dict[str, dict[str, Remembered]]:
        """Return what to remember of the domains that are still checked."""
        with self._lock:
            return {domain: dict(records) for domain, records in self._known.items() if domain in domains}


def key_of(row: Published) -> str:
    """Return the key under which a record is remembered."""
    return f"{row.name} {row.type}"


def _is_ours(row: Published, domain: str) -> bool:
    """Return whether a record is in the domain itself: a provider may change those in its own domain."""
    return row.type == POLICY or f".{row.name}".lower().endswith(f".{domain}")


def _values(row: Published) -> tuple[str, ...]:
    if row.alias:  # the records of the alias's target are not the domain's either
        return (f"CNAME {row.alias}",)
    # The order of the records in an answer means nothing, unlike that of the lines of a policy.
    return tuple(sorted(row.found)[:MAX_VALUES]) if row.type != POLICY else row.found[:MAX_VALUES]


def _taken(known: dict[str, Remembered], row: Published, domain: str, now: datetime) -> Iterable[Finding]:
    if row.type == POLICY:
        return ()
    key, values = key_of(row), _values(row)
    remembered = known.get(key)
    if remembered and row.alias and not remembered.since and remembered.values == tuple(sorted(row.found)[:MAX_VALUES]):
        remembered = None  # it was remembered by the records of its target
    if remembered is None or (remembered.since and values == remembered.before):
        known[key] = Remembered(values)
        return ()
    if values != remembered.values:
        # Two changes within a day are compared with the first state.
        before = remembered.before if remembered.since and now - remembered.since < HOLD else remembered.values
        known[key] = remembered = Remembered(values, before, now)
    if remembered.since is None or now - remembered.since >= HOLD:
        known[key] = Remembered(values)
        return ()
    return (_changed(domain, key, _words(remembered.before), _words(values)),)


def _changed(domain: str, key: str, before: str, after: str) -> Finding:
    said = f"{domain}: {key} changed from {before} to {after}"
    was = f"{key}: {before}"
    return make_finding("dns.record_changed", Verdict.FAIL, domain, said, expected=was, found=after)


def _policy_without_id(known: dict[str, Remembered], rows: Sequence[Published], domain: str) -> Iterable[Finding]:
    """Report a policy that changed without its id: senders fetch it again only for a new id (RFC 8461 section 3.1)."""
    policy = next((row for row in rows if row.type == POLICY and row.is_known and row.found), None)
    record = next((row for row in rows if row.name.startswith(POLICY_RECORD) and row.is_known and row.found), None)
    if policy is None or record is None:
        return ()
    key, now = key_of(policy), (*record.found, *_values(policy))
    remembered = known.get(key)
    is_same_id = remembered is not None and remembered.values[:1] == now[:1]
    if remembered is not None and is_same_id and remembered.values != now:
        said = f"{domain}: the MTA-STS policy has changed, but its id has not: senders keep the old one"
        was, found = _words(remembered.values), _words(now)
        return (
            make_finding(
                "mtasts.id_unchanged",
                Verdict.FAIL,
                domain,
                said,
                expected=was,
                found=found,
            ),
        )
    known[key] = Remembered(now)
    return ()


def _words(values: Sequence[str]) -> str:
    text = "; ".join(values) or NOTHING
    return text if len(text) <= MAX_WORDS else f"{text[: MAX_WORDS - 1]}…"
