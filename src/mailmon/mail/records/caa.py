"""CAA records: which CAs may issue certificates (RFC 8659 section 4; RFC 9495 for issuemail)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_RECORD = re.compile(r'(\d{1,3}) ([A-Za-z0-9]{1,15}) "?(.*?)"?', re.DOTALL | re.ASCII)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,20}[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
CRITICAL = 128
KNOWN_TAGS = ("issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone")
# By words in the issuer's name: the domain by which CAA knows the CA, as its practice statement says.
_CAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("let's encrypt", ("letsencrypt.org",)),
    ("google trust services", ("pki.goog",)),
    ("zerossl", ("sectigo.com", "zerossl.com")),
    ("sectigo", ("sectigo.com", "comodoca.com", "usertrust.com", "trust-provider.com")),
    ("digicert", ("digicert.com", "digicert.ne.jp", "symantec.com", "geotrust.com", "thawte.com", "rapidssl.com")),
    ("globalsign", ("globalsign.com",)),
    ("amazon", ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")),
    ("buypass", ("buypass.com", "buypass.no")),
    ("ssl.com", ("ssl.com",)),
    ("harica", ("harica.gr",)),
)


class Caa(NamedTuple):
    """One record: `tag` in lower case; `value` is the CA's domain with its parameters, ";" for nobody."""

    flags: int
    tag: str
    value: str

    @property
    def domain(self) -> str:
        """Return the CA's domain, "" where nobody may issue, as by a value that is none (section 4.2)."""
        domain = self.value.partition(";")[0].strip(" \t").lower()
        return domain if _DOMAIN.fullmatch(domain) else ""

    @property
    def is_malformed(self) -> bool:
        """Return whether the value should name a CA, and does not: then nobody may issue by it (section 4.2)."""
        return self.tag in ("issue", "issuewild") and not self.domain and bool(self.value.partition(";")[0].strip())

    @property
    def forbids_all(self) -> bool:
        """Return whether this is a critical property that nobody knows: no CA may issue then (section 4.1)."""
        return bool(self.flags & CRITICAL) and self.tag not in KNOWN_TAGS


def read_caa(text: str) -> Caa | None:
    """Return a record in zone-file form, None where it is none.

    >>> read_caa('0 issue "letsencrypt.org"').domain
    'letsencrypt.org'
    """
    match = _RECORD.fullmatch(text)
    return Caa(int(match[1]), match[2].lower(), match[3]) if match else None


def may_issue(records: Sequence[Caa], domains: Sequence[str], *, is_wildcard: bool) -> bool:
    """Return whether a CA, known by these domains, may issue for a name by the records that hold for it.

    For a wildcard issuewild comes before issue, for any other name it does not count (section 4.3); without a property
    that counts any CA may (section 4.2). A critical property that nobody knows forbids it to all (section 4.1).

    >>> may_issue([Caa(0, "issuewild", ";")], ["letsencrypt.org"], is_wildcard=False)
    True
    """
    if any(one.forbids_all for one in records):
        return False
    wild = [one for one in records if one.tag == "issuewild"] if is_wildcard else []
    counting = wild or [one for one in records if one.tag == "issue"]
    return not counting or bool({one.domain for one in counting} & set(domains))


def domains_of_ca(issuer: str) -> tuple[str, ...]:
    """Return by which domains CAA knows the CA of a certificate, () where it is not in the table."""
    return next((domains for words, domains in _CAS if words in issuer.lower()), ())
