"""DNS records by name and type: found, NXDOMAIN, NODATA and failed kept apart, each question asked once (dnspython)."""

from __future__ import annotations

import copy
import ipaddress
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdtypes.ANY.TLSA
import dns.resolver
import dns.reversename

from mailmon.clients.dns import make_resolver, trouble_of
from mailmon.mail.auth.spf import Found
from mailmon.mail.message.address import dns_name

# RFC 9715: answers up to this size come unfragmented; larger ones are asked for again by TCP.
EDNS_BYTES = 1232
MAX_RECORDS = 500
# A name has 253 bytes at most (RFC 1035 section 2.3.4); IDNA takes quadratic time to find a longer one too long.
MAX_NAME_CHARS = 1000
# Name servers that were never heard and did not answer so often are not waited for again.
MAX_SILENCES = 2

# dnspython takes a whole answer for lost where a TLSA record has a digest of the wrong length; it is to be judged here.
dns.rdtypes.ANY.TLSA.TLSA._cert_length_by_mtype = {}


class Answered(StrEnum):
    """How a question ended. `failed` (SERVFAIL, a refusal, silence) says nothing of whether the record exists."""

    FOUND = "found"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    FAILED = "failed"


class Answer(NamedTuple):
    """`values` are texts in zone-file form; `is_authentic` is the resolver's word that DNSSEC validated (RFC 4035).

    `is_bogus` says that there is an answer, which the resolver gives only to who does not want it validated.
    `canonical` is where aliases led in the end, also where nothing stands there, and `alias` where the first one leads.
    """

    kind: Answered
    values: tuple[str, ...] = ()
    why: str = ""
    is_authentic: bool = False
    ttl_s: int = 0
    canonical: str = ""
    is_bogus: bool = False
    alias: str = ""


class Records:
    """A resolver with a cache for one run. Without `nameservers` it asks those of the system. Safe for threads."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = (), timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Answer] = {}
        self._silences = 0
        self._resolver = make_resolver(nameservers)
        self._resolver.use_edns(0, dns.flags.DO, EDNS_BYTES)
        self._resolver.flags = dns.flags.RD | dns.flags.AD
        # One silent server must not take the time of the next.
        self._resolver.timeout = max(timeout_s / max(2, len(self._resolver.nameservers)), 0.5)

    def ask(self, name: str, kind: str) -> Answer:
        """Return what is known under a name; never raises for what DNS says or does not say."""
        key = (name.lower().rstrip("."), kind)
        with self._lock:
            known = self._known.get(key)
            if known is None and self._silences >= MAX_SILENCES:
                return Answer(Answered.FAILED, why="the name servers do not answer")
        if known is None:
            known = self._ask(name, kind)
            with self._lock:
                self._known[key] = known
        return known

    def addresses(self, host: str) -> tuple[tuple[str, ...], Answer | None]:
        """Return the addresses of a host, IPv4 first, and the answer that explains why there may be more or none."""
        found = [self.ask(host, kind) for kind in ("A", "AAAA")]
        values = tuple(value for answer in found for value in answer.values)
        failed = next((answer for answer in found if answer.kind is Answered.FAILED), None)
        return values, failed or (None if values else found[0])

    def pointers(self, address: str) -> Answer:
        """Return the names that an address has (PTR)."""
        return self.ask(dns.reversename.from_address(address).to_text(), "PTR")

    def _ask(self, name: str, kind: str) -> Answer:
        try:
            found = self._resolve_plainly(name, kind)
        except dns.resolver.NXDOMAIN as exc:
            self._silences = -MAX_RECORDS
            canonical, alias = _led_to(exc)
            return Answer(Answered.NXDOMAIN, (), "no such name (NXDOMAIN)", canonical=canonical, alias=alias)
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.IDNAException):
            return Answer(Answered.NXDOMAIN, why="no name that DNS could hold")
        except dns.resolver.NoNameservers as exc:
            if _is_servfail(exc.kwargs["errors"]) and self._answers_unchecked(name, kind):
                return Answer(Answered.FAILED, why="its DNSSEC signatures do not validate (bogus)", is_bogus=True)
            return Answer(Answered.FAILED, why=trouble_of(exc).said)
        except dns.exception.Timeout as exc:
            self._silences += 1
            return Answer(Answered.FAILED, why=_why_late(exc, self._timeout_s))
        except OSError as exc:
            return Answer(Answered.FAILED, why=f"cannot query the name servers: {(exc.strerror or '?').lower()}")
        except (dns.exception.DNSException, ValueError):
            return Answer(Answered.FAILED, why="invalid answer from the name servers")
        self._silences = -MAX_RECORDS  # they are there; one that is slow now and then is asked on
        is_authentic = bool(found.response.flags & dns.flags.AD)
        canonical, alias = str(found.canonical_name).rstrip("."), _first_alias(found.chaining_result)
        if found.rrset is None:
            return Answer(Answered.NODATA, (), f"no {kind} record", is_authentic, canonical=canonical, alias=alias)
        # Servers turn the order from answer to answer; what is shown and compared must not.
        values = tuple(sorted(_text(rdata) for rdata in list(found.rrset)[:MAX_RECORDS]))
        return Answer(Answered.FOUND, values, "", is_authentic, found.rrset.ttl, canonical, alias=alias)

    def _resolve(self, resolver: dns.resolver.Resolver, name: str, kind: str) -> dns.resolver.Answer:
        return resolver.resolve(_name(name), kind, raise_on_no_answer=False, search=False, lifetime=self._timeout_s)

    def _resolve_plainly(self, name: str, kind: str) -> dns.resolver.Answer:
        """Ask with EDNS, and without where a server does not know it (RFC 6891 section 7: FORMERR, NOTIMP)."""
        try:
            return self._resolve(self._resolver, name, kind)
        except dns.resolver.NoNameservers as exc:
            if not any(_rcode(error) in _NO_EDNS for error in exc.kwargs["errors"]):
                raise
        plain = copy.copy(self._resolver)
        plain.use_edns(-1)
        return self._resolve(plain, name, kind)

    def _answers_unchecked(self, name: str, kind: str) -> bool:
        """Return whether a question is answered when nothing need validate (the CD bit: RFC 4035 section 3.2.2)."""
        unchecked = copy.copy(self._resolver)
        unchecked.flags = dns.flags.RD | dns.flags.CD
        try:
            self._resolve(unchecked, name, kind)
        except dns.resolver.NXDOMAIN:
            return True
        except (dns.exception.DNSException, OSError, ValueError):
            return False
        return True


def spf_questions(records: Records) -> Callable[[str, str], Found]:
    """Return how SPF asks DNS (mail/spf)."""

    def ask(name: str, kind: str) -> Found:
        answer = records.ask(name, kind)
        return Found(answer.values, answer.kind is Answered.FAILED, answer.why)

    return ask


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _name(text: str) -> dns.name.Name:
    """Return a name as it stands: what macros and foreign records put into it is no zone-file syntax."""
    if len(text) > MAX_NAME_CHARS:
        raise dns.name.NameTooLong
    if not text.isascii():
        try:
            text = dns_name(text.removesuffix("."))
        except ValueError as exc:
            raise dns.name.IDNAException(idna_exception=exc) from exc  # type: ignore[no-untyped-call]
    return dns.name.Name([*(label.encode("ascii") for label in text.removesuffix(".").split(".")), b""])


def _text(rdata: Any) -> str:
    """Return a record's text: a name without its final dot; TXT in one piece (RFC 7208 section 3.3), latin-1."""
    if hasattr(rdata, "strings"):
        return b"".join(rdata.strings).decode("latin-1")
    return str(rdata.to_text()).rstrip(".")


def _led_to(exc: dns.resolver.NXDOMAIN) -> tuple[str, str]:
    """Return where aliases led that end in nothing, and where the first of them leads."""
    for response in exc.kwargs.get("responses", {}).values():
        try:
            chain = response.resolve_chaining()
        except (dns.exception.DNSException, ValueError):
            continue
        return str(chain.canonical_name).rstrip("."), _first_alias(chain)
    return "", ""


def _first_alias(chain: dns.message.ChainingResult) -> str:
    """Return the target of the first alias, "" where there is none."""
    return str(chain.cnames[0][0].target).rstrip(".") if chain.cnames else ""


_Error = tuple[object, bool, int, object, dns.message.Message | None]
_NO_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP)


def _rcode(error: _Error) -> dns.rcode.Rcode | None:
    return error[-1].rcode() if error[-1] is not None else None


def _is_servfail(errors: Sequence[_Error]) -> bool:
    return _rcode(errors[-1]) == dns.rcode.SERVFAIL


def _why_late(exc: dns.exception.Timeout, timeout_s: float) -> str:
    """Return why time ran out: silence, or name servers that were asked again and again after something else."""
    trouble = trouble_of(exc).said
    return f"no answer within {timeout_s:.3g} s" if "do not answer" in trouble else trouble
