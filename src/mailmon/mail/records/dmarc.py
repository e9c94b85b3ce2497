"""DMARC records (RFC 7489 section 6.3; RFC 9989 section 4.7)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.caps import MAX_MISTAKES
from mailmon.mail.records.tags import Mistake, begins, read_tags

MAX_OPTION_CHARS = 100
POLICIES = ("none", "quarantine", "reject")
_KNOWN = ("v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "rf", "ri", "pct", "t", "psd")
_URI = re.compile(r"(mailto|https?):(.+?)(?:!(\d+)([kmgt]?))?", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(r"[^\s@<>,;!]+@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)")


class DmarcRecord(NamedTuple):
    """`policy` holds for the domain, `subdomains` and `missing` for those below it that exist and that do not.

    `percent` is of RFC 7489; `is_testing` and `psd` are of RFC 9989. `reports` and `failures` are mailto addresses.
    `is_spoiled` says that a policy is none of the three, so that the record is one of p=none (RFC 9989 section 4.10.1),
    or that one stands there twice; then the first mistake is that.
    """

    policy: str
    subdomains: str
    missing: str
    adkim: str = "r"
    aspf: str = "r"
    percent: int = 100
    is_testing: bool = False
    psd: str = "u"
    reports: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    is_spoiled: bool = False

    def applied(self, policy: str) -> str:
        """Return what receivers do by a policy: one step less while it is only tested, by t=y (RFC 9989 section 4.7).

        >>> read_dmarc("v=DMARC1; p=reject; t=y").applied("reject")
        'quarantine'
        """
        return POLICIES[max(0, POLICIES.index(policy) - 1)] if self.is_testing else policy


def is_dmarc(text: str) -> bool:
    """Return whether a TXT record is one of DMARC: v=DMARC1, and first."""
    return begins(text, "DMARC1")


def read_dmarc(text: str) -> DmarcRecord:
    """Read a record. Raises Mistake where receivers cannot use it; what they only ignore is in `mistakes`.

    >>> read_dmarc("v=DMARC1; p=reject; sp=none").subdomains
    'none'
    """
    tags = read_tags(text)
    values, mistakes = tags.values, list(tags.mistakes)
    mistakes += [_no_tag(name) for name in values if name not in _KNOWN]
    reports = _addresses(values.get("rua", ""), "rua", mistakes)
    twice = [name for name in tags.repeated if name in ("p", "sp", "np")]
    if twice:
        said = f"{twice[0]}= stands there twice"
        mistakes = [one for one in mistakes if one != said]
        mistakes.insert(0, f"{said}: receivers that go by RFC 6376 section 3.2 ignore the record")
    mistakes += _failure_options(values.get("fo", "0"))
    wrong = [name for name in ("p", "sp", "np") if name in values and values[name].lower() not in POLICIES]
    if wrong or "p" not in values:
        said = "; ".join(f"{name}={values[name][:40]}: no such policy" for name in wrong) or "there is no p="
        # Who asks for reports is taken to say none, and nobody else to have a policy (RFC 7489 section 6.6.3).
        if not reports and not _has_other_uri(values.get("rua", "")):
            raise Mistake(said)
        mistakes.insert(0, f"{said}: receivers treat the whole record as p=none")
        values |= dict.fromkeys(("p", "sp", "np"), "none")
    return DmarcRecord(
        *_policies(values),
        _one_of(values, "adkim", ("r", "s"), mistakes),
        _one_of(values, "aspf", ("r", "s"), mistakes),
        _percent(values, mistakes),
        _one_of(values, "t", ("n", "y"), mistakes) == "y",
        _one_of(values, "psd", ("u", "y", "n"), mistakes),
        reports,
        _addresses(values.get("ruf", ""), "ruf", mistakes),
        tuple(mistakes[:MAX_MISTAKES]),
        bool(wrong or twice),
    )


def _policies(values: dict[str, str]) -> tuple[str, str, str]:
    """Return the policies for the domain, and for those below it that exist and that do not."""
    policy = values["p"].lower()
    subdomains = values.get("sp", policy).lower()
    return policy, subdomains, values.get("np", subdomains).lower()


def _failure_options(text: str) -> list[str]:
    options = [one.strip().lower() for one in text[:MAX_OPTION_CHARS].split(":")]
    return (
        [] if all(one in ("0", "1", "d", "s") for one in options) else [f"fo={text[:40]}: it must be of 0, 1, d and s"]
    )


def _no_tag(name: str) -> str:
    more = f", only {name.lower()}= is: names are in lower case" if name.lower() in _KNOWN else ""
    return f"{name[:40]}= is no tag of DMARC{more}"


def _has_other_uri(text: str) -> bool:
    """Return whether reports are asked for by a URI that is no mailto:."""
    return any(_URI.fullmatch(part.strip()) and part.strip()[:4].lower() == "http" for part in text.split(","))


def _one_of(values: dict[str, str], name: str, allowed: tuple[str, ...], mistakes: list[str]) -> str:
    value = values.get(name, allowed[0]).lower()
    if value in allowed:
        return value
    mistakes.append(f"{name}={values[name][:40]}: it must be one of {', '.join(allowed)}")
    return allowed[0]


def _percent(values: dict[str, str], mistakes: list[str]) -> int:
    text = values.get("pct", "100")
    if re.fullmatch(r"\d{1,3}", text, re.ASCII) and int(text) <= 100:
        return int(text)
    mistakes.append(f"pct={text[:40]}: it must be a number from 0 to 100")
    return 100


def _addresses(text: str, name: str, mistakes: list[str]) -> tuple[str, ...]:
    """Return the mailto addresses of a list of URIs."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        match = _URI.fullmatch(part)
        if not match:
            mistakes.append(f"{name}: {part[:60]!r} is no URI: write mailto: before the address")
        elif match[1].lower() == "mailto":
            address = match[2].partition("?")[0]
            if _ADDRESS.fullmatch(address) and not address.startswith("/"):
                found.append(address)
            else:
                mistakes.append(f"{name}: {part[:60]!r} holds no address")
    return tuple(found)
