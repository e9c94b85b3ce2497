"""check_host(), the evaluation of SPF for one client (RFC 7208 sections 4 to 6)."""

from __future__ import annotations

import ipaddress
from functools import cached_property
from typing import NoReturn

from mailmon.mail.auth.spf.macros import expand, fitting, is_macro_string, is_name
from mailmon.mail.auth.spf.record import Directive, Record, SyntaxMistake, is_spf, read_record
from mailmon.mail.auth.spf.values import (
    MAX_LOOKUPS,
    MAX_NAMES,
    MAX_VOID,
    Address,
    Ask,
    Client,
    Found,
    Result,
    Step,
    Verdict,
)

_QUALIFIERS = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


def check_host(client: Client, ask: Ask, domain: str = "") -> Verdict:
    """Return the verdict on a client, for the domain of its sender unless another one is given; never raises.

    `ask` is called for each question to DNS, at most some 120 times.
    """
    mapped = getattr(client.address, "ipv4_mapped", None)
    evaluation = _Evaluation(client._replace(address=mapped or client.address), ask)
    return evaluation.run(domain or client.domain)


class _Stop(Exception):
    """The evaluation ends here with an error."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result, self.reason = result, reason


class _Evaluation:
    """One evaluation, with its counts."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._client = client
        self._ask_dns = ask
        self._lookups = self._void = 0
        self._trace: list[Step] = []
        self._explanation = ("", "")
        self._record = ""

    def run(self, domain: str) -> Verdict:
        """Evaluate; every way to stop ends here."""
        try:
            result, reason = self._check(domain, is_first=True)
        except _Stop as stop:
            result, reason = stop.result, stop.reason
        explanation = self._explain() if result is Result.FAIL else ""
        return Verdict(result, explanation, reason, self._lookups, self._void, tuple(self._trace), self._record)

    def _check(self, domain: str, *, is_first: bool = False, is_included: bool = False) -> tuple[Result, str]:
        domain = domain.removesuffix(".")
        if not is_name(domain):
            return Result.NONE, f"{domain or 'an empty name'} is no full domain name"
        found = self._ask_dns(domain, "TXT")
        if found.is_error:
            _stop(Result.TEMPERROR, f"{domain}: TXT: {found.why or 'no answer'}")
        records = [text for text in found.values if is_spf(text)]
        if not records:
            return Result.NONE, f"{domain} has no SPF record"
        if len(records) > 1:
            _stop(Result.PERMERROR, f"{domain} has {len(records)} SPF records")
        if is_first:
            self._record = records[0]
        try:
            record = read_record(records[0])
        except SyntaxMistake as exc:
            _stop(Result.PERMERROR, f"{domain}: {exc}")
        return self._evaluate(record, domain, is_included=is_included)

    def _evaluate(self, record: Record, domain: str, *, is_included: bool) -> tuple[Result, str]:
        for directive in record.directives:
            is_match = self._matches(directive, domain)
            self._note(domain, directive.text, "match" if is_match else "no match")
            if is_match:
                result = _QUALIFIERS[directive.qualifier]
                if not is_included:
                    self._explanation = (record.explanation, domain)
                return result, f"{domain}: {directive.text}"
        if not record.redirect:
            return Result.NEUTRAL, f"{domain}: no term matches"
        self._count(f"redirect={record.redirect}")
        target = fitting(self._expand(record.redirect, domain))
        self._note(domain, f"redirect={record.redirect}", target)
        result, reason = self._check(target, is_included=is_included)
        if result is Result.NONE:
            _stop(Result.PERMERROR, f"{domain}: redirect: {reason}")
        return result, reason

    def _matches(self, directive: Directive, domain: str) -> bool:
        if directive.name == "all":
            return True
        if directive.network is not None:
            return self._client.address in directive.network
        self._count(directive.text)
        target = fitting(self._expand(directive.domain, domain)) if directive.domain else domain
        if directive.name == "ptr":
            return any(_is_below(name, target) for name in self._validated_names)
        if not is_name(target) and directive.name != "include":
            return False
        if directive.name == "include":
            return self._includes(target, directive.text)
        if directive.name == "exists":
            return bool(self._ask(target, "A", directive.text).values)
        hosts = [target] if directive.name == "a" else self._exchangers(target, directive.text)
        return any(self._has_address(host, directive) for host in hosts)

    def _includes(self, target: str, term: str) -> bool:
        result, reason = self._check(target, is_included=True)
        if result is Result.NONE:
            _stop(Result.PERMERROR, f"{term}: {reason}")
        return result is Result.PASS

    def _exchangers(self, target: str, term: str) -> list[str]:
        found = self._ask(target, "MX", term)
        if len(found.values) > MAX_NAMES:
            _stop(Result.PERMERROR, f"{term}: {len(found.values)} MX records, more than {MAX_NAMES}")
        return [value.rpartition(" ")[2] for value in found.values]

    def _has_address(self, host: str, directive: Directive) -> bool:
        if not is_name(host):
            return False
        is_four = self._client.address.version == 4
        found = self._ask(host, "A" if is_four else "AAAA", directive.text, is_counted=directive.name == "a")
        bits = directive.bits4 if is_four else directive.bits6
        return any(self._client.address in _network(value, bits) for value in found.values)

    @cached_property
    def _validated_names(self) -> tuple[str, ...]:
        """The names of the client that lead back to it (section 5.5); errors just make them fewer."""
        address = self._client.address
        names = self._ask_dns(address.reverse_pointer, "PTR").values[:MAX_NAMES]
        kind = "A" if address.version == 4 else "AAAA"
        found = []
        for name in names:
            values = self._ask_dns(name.removesuffix("."), kind).values if is_name(name) else ()
            if any(_address(value) == address for value in values):
                found.append(name.removesuffix("."))
        return tuple(found)

    def _validated_name(self, domain: str) -> str:
        names = self._validated_names
        near = [name for name in names if name.lower() == domain.lower()]
        near += [name for name in names if _is_below(name, domain)]
        return (near or names or ["unknown"])[0]

    def _expand(self, text: str, domain: str) -> str:
        return expand(text, self._client, domain, lambda: self._validated_name(domain))

    def _explain(self) -> str:
        """Return what the domain says of the failure; anything wrong with it is as if there were none (section 6.2)."""
        text, domain = self._explanation
        if not text:
            return ""
        target = fitting(self._expand(text, domain))
        found = self._ask_dns(target, "TXT") if is_name(target) else Found()
        words = found.values[0] if len(found.values) == 1 else ""
        if not words.isascii() or not is_macro_string(words, is_explanation=True):
            return ""
        shown = self._expand(words, domain)
        return shown if shown.isascii() and shown.isprintable() else ""

    def _ask(self, name: str, kind: str, term: str, *, is_counted: bool = True) -> Found:
        found = self._ask_dns(name, kind)
        if found.is_error:
            _stop(Result.TEMPERROR, f"{term}: {name} {kind}: {found.why or 'no answer'}")
        if not found.values and is_counted:
            self._void += 1
            if self._void > MAX_VOID:
                _stop(Result.PERMERROR, f"{term}: more than {MAX_VOID} look-ups that find nothing")
        return found

    def _count(self, term: str) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            _stop(Result.PERMERROR, f"{term}: more than {MAX_LOOKUPS} terms that ask DNS")

    def _note(self, domain: str, term: str, outcome: str) -> None:
        self._trace.append(Step(domain, term, outcome, self._lookups))


def _stop(result: Result, reason: str) -> NoReturn:
    raise _Stop(result, reason)


def _is_below(name: str, domain: str) -> bool:
    name, domain = name.lower().removesuffix("."), domain.lower().removesuffix(".")
    return name == domain or name.endswith(f".{domain}")


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str, bits: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(f"{text}/{bits}", strict=False)
