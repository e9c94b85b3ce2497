"""What an SPF record was meant to say: typing mistakes repaired where the meaning is clear, records joined. Pure."""

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from mailmon.mail.auth.spf.record import Directive, Record, SyntaxMistake, read_record
from mailmon.mail.caps import MAX_RECORD_CHARS
from mailmon.mail.message.address import dns_name

MAX_TERMS, MAX_RANGE = 200, 8
_NEAR = re.compile(r"[\s\"'\\]*+(?:v\s*+[=:]\s*+s(?:pf|fp)|s(?:pf|fp)\s*+(?:v?[12](?![a-z0-9])|[=:]))", re.IGNORECASE)
# Word processors make dashes and quotes of their own, and blanks that are none.
_TYPED = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u00a0\u2007\u202f\t\r\n;", " ")
    | dict.fromkeys("\u200b\u200c\u200d\ufeff\"'\\\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb", "")
)
_SPACED = re.compile(
    r"(?<![^ ,+~?-])(v|ipv?[46]?|include|exists|redirect|exp|a|mx|ptr) *+([:=]) *+(?=[^ ])", re.IGNORECASE
)
_LONELY_SIGN = re.compile(r"(?<![^ ])([-+~?]) ++(?=[A-Za-z])")
_LONELY_LENGTH = re.compile(r"(?<=[\d:]) ++(/\d)", re.ASCII)
_VERSION = re.compile(r"v?[=:]?s(?:pf|fp)v?[12]?(?:\.0)?(?:/[a-z,]++)?", re.IGNORECASE)
_GLUED = re.compile(r"[-+~?]?(?:ipv?[46]|include|exists|redirect|exp)[:=]", re.IGNORECASE)
_PARTS = re.compile(r"([-+~?]*+)([^:/=]*+)([:/=]?)(.*)", re.DOTALL)
_QUAD = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?::\d{1,5})?(?:/(\d{1,3}))?", re.ASCII)
_SHORT = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:\.\*|(?=/))(?:\.\*)?(/\d{1,2})?", re.ASCII)
_NAMES = ("include", "exists", "redirect", "exp", "ptr", "mx", "a", "all")
_ADDRESS_NAMES = ("ip4", "ip6", "ipv4", "ipv6", "ip", "ip4v", "ipv", "ip4s", "ipaddress", "addr")
_ALL_NAMES = ("all", "al", "alll", "aall", "a11", "any")


class Draft(NamedTuple):
    """A record in the making. `unclear` are terms whose meaning cannot be told."""

    directives: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    redirect: str = ""
    modifiers: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def record(
        self,
        missing: Iterable[str] = (),
        without: Collection[str] = (),
        *,
        is_included: bool = False,
        default: str = "",
    ) -> str:
        """Return the record: `missing` addresses let in, some terms left out; `default` where nobody is named.

        The strictest `all` that stands there is kept, and ~all is the least. With `is_included` the record that a
        redirect names is included, where it does not say what holds for all others.
        """
        kept = [term for term in self.directives if term not in without]
        redirect = "" if f"redirect={self.redirect}" in without else self.redirect
        if redirect and (self.ends or is_included):
            # Beside `all` a redirect is never read (RFC 7208 section 6.1).
            kept += [f"include:{redirect}"] if is_included and not self.ends else []
            redirect = ""
        kept = _with_addresses(kept, missing)
        is_closed = "-all" in self.ends and not self.directives and not self.unclear
        if not kept and not redirect and not is_closed:
            kept = [default] if default else []
        end = [] if redirect else ["-all" if "-all" in self.ends else "~all"]
        return " ".join(["v=spf1", *kept, *end, *([f"redirect={redirect}"] if redirect else []), *self.modifiers])


def looks_like_spf(text: str) -> bool:
    """Return whether a TXT record was meant to be one of SPF.

    >>> looks_like_spf('"v=spf1 mx -all"'), looks_like_spf("v=spf mx"), looks_like_spf("google-site-verification=spf1")
    (True, True, False)
    """
    return bool(_NEAR.match(text[:MAX_RECORD_CHARS]))


def draft(texts: Sequence[str]) -> Draft:
    """Return what one record, or several together, were meant to say.

    >>> draft(["v=spf1 ipv4:192.0.2.7~all"]).record()
    'v=spf1 ip4:192.0.2.7 ~all'
    """
    made = Draft()
    seen: set[object] = set()
    for text in texts:
        ends = len(made.ends)
        for token in _tokens(text)[:MAX_TERMS]:
            made = _with_token(made, token, seen)
        if made.redirect and len(texts) > 1:
            # What follows in the one record must not cut off where the other leads.
            own = made._replace(redirect="")
            made = own if len(made.ends) > ends else _with_token(own, f"include:{made.redirect}", seen)
            seen.discard("redirect")
    return made


def _with_token(made: Draft, token: str, seen: set[object]) -> Draft:
    terms = _terms(token)
    if terms is None:
        return made._replace(unclear=(*made.unclear, token[:100]))
    for term in terms:
        try:
            record = read_record(f"v=spf1 {term}")
        except SyntaxMistake:
            return made._replace(unclear=(*made.unclear, token[:100]))
        key = _key(record, term)
        if key in seen:
            continue
        seen.add(key)
        if record.redirect:
            made = made._replace(redirect=made.redirect or record.redirect)
        elif not record.directives:
            made = made._replace(modifiers=(*made.modifiers, term))
        elif record.directives[0].name == "all":
            made = made._replace(ends=(*made.ends, f"{record.directives[0].qualifier}all"))
        else:
            made = made._replace(directives=(*made.directives, term))
    return made


def _key(record: Record, term: str) -> object:
    """Return by what two terms are the same, however they are written."""
    if not record.directives:
        return "redirect" if record.redirect else term.partition("=")[0].lower()
    one = record.directives[0]
    return one._replace(text="", domain=one.domain.lower().rstrip("."))


def _tokens(text: str) -> list[str]:
    text = text[:MAX_RECORD_CHARS]
    if not text.isascii():
        with contextlib.suppress(UnicodeError):  # else it is not what it looks like, and stays
            text = text.encode("latin-1").decode("utf-8")
    text = _LONELY_SIGN.sub(r"\1", _SPACED.sub(r"\1\2", text.translate(_TYPED)))
    text = _LONELY_LENGTH.sub(r"\1", text)
    found: list[str] = []
    for token in text.split():
        for piece in [token] if "{" in token else token.split(","):
            found += _unglued(piece)
    return [token for token in found if token.strip(".,:") and not _VERSION.fullmatch(token)]


def _unglued(token: str) -> list[str]:
    """Return the terms that stand in one word, for want of a blank; the sign of `all` may stand behind it."""
    if token.lower().startswith("v=spf1") and len(token) > 6:
        token = token[6:]
    end = []
    if token.lower() in ("all-", "all~", "all?"):
        token = f"{token[3]}all"
    if len(token) > 4 and token[-4:].lower() in ("-all", "~all", "?all", "+all"):
        token, end = token[:-4], [token[-4:]]
    at = [0, *(match.start() for match in _GLUED.finditer(token) if match.start()), len(token)]
    return [token[start:stop] for start, stop in pairwise(at) if token[start:stop]] + end


def _terms(token: str) -> list[str] | None:
    """Return the terms that a word was meant to be; None where that is not clear."""
    match = _PARTS.fullmatch(token)
    assert match is not None
    signs, name, mark, value = match.groups()
    sign = "-" if "-" in signs else signs[:1].replace("+", "")
    name = name.lower().strip(".,")
    if name in _ALL_NAMES and (name == "all" or signs) and not value.strip(".,:"):
        return [f"{sign or '+'}all"]
    if name in _ADDRESS_NAMES:
        return _networks(sign, value)
    bare = _networks(sign, token[len(signs) :]) if name[:1].isdigit() or (mark == ":" and ":" in value) else None
    if bare:
        return bare
    if name not in _NAMES:
        if not mark and name.count(".") > 1 and _domain(name):
            return [f"{sign}a:{_domain(name)}"]
        if mark == "=" and value and not difflib.get_close_matches(name, ("include", "redirect", "exists"), 1, 0.75):
            return [token]  # a modifier that is not known is passed over (RFC 7208 section 6)
        close = difflib.get_close_matches(name, ("include", "redirect", "exists"), 1, 0.75)
        if not close:
            return None
        name = close[0]
    return _named(sign, name, mark, value.strip())


def _named(sign: str, name: str, mark: str, value: str) -> list[str] | None:
    if name in ("redirect", "exp"):
        domain = _domain(value)
        return [f"{name}={domain}"] if domain else None
    if name in ("include", "exists"):
        return _networks(sign, value) if _is_numeric(value) else _with_domain(sign, name, value)
    if mark == "/":
        return [f"{sign}{name}/{value}"]
    if not value.strip("."):
        return [f"{sign}{name}"]
    domain, slash, bits = value.partition("/")
    if _is_numeric(domain):
        return _networks(sign, value)
    domain = _domain(domain)
    return [f"{sign}{name}:{domain}{slash}{bits}"] if domain else None


def _with_domain(sign: str, name: str, value: str) -> list[str] | None:
    domain = _domain(value)
    return [f"{sign}{name}:{domain}"] if domain else None


def _domain(value: str) -> str:
    """Return the name in a value, "" where there is none."""
    if "%" in value:
        return value
    name = value.strip("<>[](){}.,:").lower()
    name = name.removeprefix("http://").removeprefix("https://").partition("/")[0].rpartition("@")[2]
    try:
        return dns_name(name)
    except ValueError:
        return ""


def _is_numeric(value: str) -> bool:
    return bool(_network(value))


def _networks(sign: str, value: str) -> list[str] | None:
    """Return the terms for an address, a network, or a range of addresses; of a host name the term `a`."""
    value = value.strip("[]()<>.,")
    first, dash, last = value.partition("-")
    if dash and "/" not in value:
        try:
            ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            found = list(ipaddress.summarize_address_range(*ends))
        except (ValueError, TypeError):
            return None
        return [_term(sign, str(one)) for one in found] if len(found) <= MAX_RANGE else None
    network = _network(value)
    if network:
        return [_term(sign, network)]
    name = _domain(value)
    is_host = name.count(".") > 0 and name.rpartition(".")[2].isalpha()
    return [f"{sign}a:{name}"] if is_host else None


def _term(sign: str, network: str) -> str:
    host = network.removesuffix("/32") if "." in network else network.removesuffix("/128")
    return f"{sign}ip{6 if ':' in network else 4}:{host}"


def _network(value: str) -> str:
    """Return an address or network as a record has it, "" where it is none.

    >>> _network("192.0.2.1/255.255.255.0"), _network("192.0.2.*"), _network("192.0.02.1:25"), _network("192.0.2")
    ('192.0.2.0/24', '192.0.2.0/24', '192.0.2.1', '')
    """
    address, slash, bits = value.partition("/")
    quad = _QUAD.fullmatch(value)
    if quad:
        address = ".".join(str(int(part)) for part in quad.groups()[:4])
        # A length that no network has: then it is the address that is meant.
        bits = quad[5] if quad[5] and int(quad[5]) <= 32 else ""
        value = f"{address}/{bits}" if bits else address
    elif short := _SHORT.fullmatch(value):
        parts = [part for part in short.groups()[:3] if part]
        value = ".".join([*parts, *["0"] * (4 - len(parts))]) + (short[4] or f"/{8 * len(parts)}")
    try:
        network = ipaddress.ip_network(value, strict=False)
        own = ipaddress.ip_address(address)
    except ValueError:
        try:
            return str(ipaddress.ip_network(value, strict=False))
        except ValueError:
            return ""
    if network.prefixlen == network.max_prefixlen:
        return str(own)
    return f"{own}/{network.prefixlen}" if slash and bits.isdigit() else str(network)


def _with_addresses(terms: Sequence[str], missing: Iterable[str]) -> list[str]:
    """Let addresses in: in front of what refuses somebody, and in place of what refuses just them."""
    added = [_term("", str(ipaddress.ip_address(address))) for address in missing]
    if not added:
        return list(terms)
    read = [(term, read_record(f"v=spf1 {term}").directives[0]) for term in terms]
    kept = [term for term, one in read if not _refuses_just(one, added)]
    refusing = [term for term, one in read if one.qualifier != "+" and term in kept]
    at = kept.index(refusing[0]) if refusing else len(kept)
    return [*kept[:at], *added, *kept[at:]]


def _refuses_just(one: Directive, added: Sequence[str]) -> bool:
    if one.qualifier == "+" or one.network is None or one.network.prefixlen != one.network.max_prefixlen:
        return False
    return _term("", str(one.network.network_address)) in added
