"""SPF records as terms; one syntax error makes the whole record invalid (RFC 7208 sections 4.6, 12)."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from mailmon.mail.auth.spf.macros import is_macro_string
from mailmon.mail.caps import MAX_RECORD_CHARS

_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9._-]*)(?:([:/])(.*))?", re.DOTALL)
_CIDR = r"(?:/(0|[1-9]\d{0,2}))"
_DUAL = re.compile(rf"(.*?){_CIDR}?(?:/{_CIDR})?", re.DOTALL | re.ASCII)
# Letters, digits and hyphens: neither digits alone nor a hyphen at either end.
_TOP_LABEL = re.compile(r"(?=[0-9]*+[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?")
_ENDS_IN_MACRO = re.compile(r"%(?:\{[^%{}]*+\}|%|_|-)$")
_NEEDS_DOMAIN, _MAY_HAVE_DOMAIN = ("include", "exists"), ("a", "mx", "ptr")


class SyntaxMistake(ValueError):
    """The record cannot be used; the text says why."""


class Directive(NamedTuple):
    """A mechanism with its qualifier. `network` is that of ip4 and ip6; `bits4` and `bits6` are of a and mx."""

    text: str
    qualifier: str
    name: str
    domain: str = ""
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    bits4: int = 32
    bits6: int = 128


class Record(NamedTuple):
    """All terms of a record; `unknown` are modifiers that nobody knows, which are passed over (section 6)."""

    directives: tuple[Directive, ...]
    redirect: str = ""
    explanation: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def lets_send(self) -> bool:
        """Return whether it may let somebody send."""
        return bool(self.redirect) or any(one.qualifier == "+" for one in self.directives)


def is_spf(text: str) -> bool:
    """Return whether a TXT record is one of SPF (section 4.5).

    >>> is_spf("v=spf1 -all"), is_spf("v=spf10 -all")
    (True, False)
    """
    return bool(_VERSION.match(text))


def read_record(text: str) -> Record:
    """Return the terms of a record. Raises SyntaxMistake."""
    if len(text) > MAX_RECORD_CHARS:
        raise SyntaxMistake(f"the record has {len(text)} characters, more than {MAX_RECORD_CHARS} are not read")
    if not text.isascii():
        raise SyntaxMistake("the record holds characters that are not ASCII")
    directives: list[Directive] = []
    modifiers: dict[str, str] = {}
    unknown: list[str] = []
    for term in text[len("v=spf1") :].split(" "):
        if not term:
            continue
        modifier = _MODIFIER.fullmatch(term)
        if not modifier:
            directives.append(_read_directive(term))
            continue
        name, value = modifier[1].lower(), modifier[2]
        if name in modifiers and name in ("redirect", "exp"):
            raise SyntaxMistake(f"{name}= stands there twice")
        if name in ("redirect", "exp"):
            _check_domain(value, term)
        elif not is_macro_string(value):
            raise SyntaxMistake(f"{term}: a wrong macro")
        else:
            unknown.append(term)
        modifiers[name] = value
    return Record(tuple(directives), modifiers.get("redirect", ""), modifiers.get("exp", ""), tuple(unknown))


def _read_directive(term: str) -> Directive:
    match = _DIRECTIVE.fullmatch(term)
    if not match:
        raise SyntaxMistake(f"{term}: this is no term")
    name, mark, rest = match[2].lower(), match[3] or "", match[4] or ""
    made = Directive(term, match[1] or "+", name)
    if name == "all" and not mark:
        return made
    if name in ("ip4", "ip6") and mark == ":":
        return made._replace(network=_read_network(name, rest, term))
    if name in _NEEDS_DOMAIN and mark == ":":
        _check_domain(rest, term)
        return made._replace(domain=rest)
    if name in _MAY_HAVE_DOMAIN:
        return _with_domain(made, mark, rest, term)
    raise SyntaxMistake(f"{term}: there is no such mechanism")


def _with_domain(made: Directive, mark: str, rest: str, term: str) -> Directive:
    text = f"/{rest}" if mark == "/" else rest
    if made.name == "ptr":
        domain, bits4, bits6 = text, None, None
    else:
        match = _DUAL.fullmatch(text)
        if match is None:
            raise SyntaxMistake(f"{term}: a wrong network length")
        domain, bits4, bits6 = match[1], match[2], match[3]
    if mark == ":" or domain:
        _check_domain(domain, term)
    if int(bits4 or 0) > 32 or int(bits6 or 0) > 128:
        raise SyntaxMistake(f"{term}: a network length beyond 32 or 128")
    return made._replace(
        domain=domain, bits4=32 if bits4 is None else int(bits4), bits6=128 if bits6 is None else int(bits6)
    )


def _read_network(name: str, text: str, term: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    address, slash, bits = text.partition("/")
    most = 32 if name == "ip4" else 128
    if slash and not (re.fullmatch(r"0|[1-9]\d{0,2}", bits, re.ASCII) and int(bits) <= most):
        raise SyntaxMistake(f"{term}: a wrong network length")
    try:
        made = ipaddress.IPv4Address(address) if name == "ip4" else ipaddress.IPv6Address(address)
        return ipaddress.ip_network(f"{made}/{bits or most}", strict=False)
    except ValueError as exc:
        raise SyntaxMistake(f"{term}: this is no {'IPv4' if name == 'ip4' else 'IPv6'} address") from exc


def _check_domain(text: str, term: str) -> None:
    """Raise unless the text is a domain-spec: macros, and at the end a macro or a top label (section 7.1)."""
    if not text or not is_macro_string(text):
        raise SyntaxMistake(f"{term}: a wrong domain or macro")
    if _ENDS_IN_MACRO.search(text):
        return
    before, dot, top = text.removesuffix(".").rpartition(".")
    if not dot or not before or not _TOP_LABEL.fullmatch(top):
        raise SyntaxMistake(f"{term}: this is no full domain name")
