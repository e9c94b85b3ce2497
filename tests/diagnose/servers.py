"""Servers that are well, broken or hostile, and what has to be said of each; the outside test data has what runs them.

A row names what differs from a healthy server. `must` are ids of which each has to be found (`=unknown` where it cannot
be told), `never` ids that may not fail; of a healthy server nothing may be said above info.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Server(NamedTuple):
    """One server, by the fields of the outside data's specifications."""

    name: str
    kind: str
    spec: dict[str, Any]
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    is_healthy: bool = False
    is_intrusive: bool = False
    relay: str = "one"


def _of(kind: str, name: str, must: str = "", *, never: str = "", **given: Any) -> Server:
    more = {key: given.pop(key) for key in ("is_healthy", "is_intrusive", "relay") if key in given}
    return Server(f"{name}-{kind}", kind, given, tuple(must.split()), tuple(never.split()), **more)


PLAIN_FIRST = ("smtp", "submission", "imap", "pop3", "sieve")
IMPLICIT = ("smtps", "imaps", "pop3s")
EVERY = (*PLAIN_FIRST, *IMPLICIT)
FORMS = ("plain", "pct", "quoted", "source-route", "bang", "null-sender", "own-sender", "ip-literal")
CERTIFICATES = {
    "expired": "tls.cert_expired",
    "not_yet_valid": "tls.cert_not_yet_valid",
    "expiring": "tls.cert_expiring",
    "wrong_name": "tls.cert_name",
    "self_signed": "tls.cert_self_signed",
    "other_ca": "tls.cert_untrusted",
    "no_intermediate": "tls.cert_untrusted",
    "weak_key": "tls.cert_weak_key",
    "sha1": "tls.cert_weak_signature",
}


def protocol(kind: str) -> str:
    """Return the protocol of a kind of port, as it begins an id."""
    return {"submission": "smtp", "smtps": "smtp", "imaps": "imap", "pop3s": "pop3"}.get(kind, kind)


def _per_protocol(kind: str) -> list[Server]:
    own = protocol(kind)
    stls = "STLS" if kind == "pop3" else "STARTTLS"
    return [
        _of(kind, "handshake-garbage", "tls.handshake_failed", never="*.plaintext_on_tls_port", tls_fail="garbage"),
        _of(kind, "handshake-close", "tls.handshake_failed", tls_fail="close"),
        _of(kind, "injection", f"{own}.starttls_injection", keep_plaintext=True, is_intrusive=True),
        _of(kind, "drip", f"{own}.timeout=unknown", never="tls.* *.starttls_missing", flood="drip"),
        _of(kind, "garbage", f"{own}.*=fail|unknown", never="tls.*", flood="garbage"),
        _of(kind, "endless-line", f"{own}.*=fail|unknown", never="tls.*", flood="line"),
        _of(kind, "closes-at-starttls", f"{own}.connection_lost", close_after=stls),
        _of(kind, "drop", "tcp.unreachable=unknown", tcp="drop"),
        _of(kind, "waits-for-tls", f"{own}.tls_on_plain_port", tls="implicit"),
        _of(kind, "no-starttls", f"{own}.starttls_missing", never="tls.*", starttls=False),
        _of(kind, "login-in-clear", f"{own}.auth_before_tls", never="tls.*", auth_plaintext=True),
    ]


_PTR = [
    _of("smtp", "ptr-servfail", "dns.resolver_error=unknown dns.ptr_missing=unknown", ptr_rcode="SERVFAIL"),
    _of("smtp", "ptr-missing", "dns.ptr_missing", ptr=()),
    _of("smtp", "ptr-two", never="dns.*", ptr=("gone.zoo.test.", "ptr-two-smtp.zoo.test.")),
    _of("smtp", "ptr-elsewhere", "dns.fcrdns_mismatch", ptr=("elsewhere.zoo.test.",)),
    _of("smtp", "name-servfail", "dns.resolver_error=unknown", never="dns.host_not_found", rcode="SERVFAIL"),
    _of("smtp", "name-missing", "dns.host_not_found", rcode="NXDOMAIN"),
]
_WORDS = [
    _of("smtp", "banner-without-name", "smtp.banner_mismatch", greeting=("220 ESMTP",)),
    _of("smtp", "banner-of-another", "smtp.banner_mismatch", greeting=("220 mx.example.test ESMTP",)),
    _of("smtp", "ehlo-localhost", "smtp.ehlo_invalid", ehlo_name="localhost"),
    _of("smtp", "ehlo-without-name", "smtp.ehlo_invalid", ehlo_name=" "),
    _of("smtp", "ehlo-escapes", "smtp.control_characters", ehlo_name="{host} \x1b[31mhi\x07"),
    _of("smtp", "ehlo-refused", "smtp.ehlo_refused", never="*.starttls_missing smtp.ext_missing", ehlo_refused=True),
    _of("smtp", "ehlo-endless", "smtp.protocol_error", flood_ehlo="multiline"),
    _of("smtp", "greeting-endless", "smtp.protocol_error", flood="multiline"),
    _of("smtp", "greets-421", "smtp.greeting_rejected", greeting=("421 4.3.2 {host} busy",)),
    _of("smtp", "greets-554", "smtp.greeting_rejected", greeting=("554 5.7.1 {host} no",)),
    _of("imap", "says-bye", "imap.greeting_rejected", greeting=("* BYE overloaded",)),
    _of("pop3", "says-err", "pop3.greeting_rejected", greeting=("-ERR go away",)),
    _of("imap", "speaks-http", "imap.protocol_error", protocol="pop3", tls="none", greeting=("HTTP/1.1 400 Bad",)),
    _of("smtp", "speaks-imap", "smtp.protocol_error", protocol="imap", tls="none"),
    _of("smtp", "no-extensions", "smtp.ext_missing", caps=(), caps_tls=()),
    _of("imap", "preauth", "imap.preauth", preauth=True),
    _of("imaps", "preauth", "imap.preauth", preauth=True),
    _of("smtp", "refuses-starttls", "smtp.starttls_refused", tls_fail="refuse"),
    _of("smtp", "vrfy", "smtp.vrfy_enabled", vrfy="250"),
    _of("smtp", "slow", never="smtp.slow_banner", greeting_delay_s=1.5),
]
_RELAYS = [
    _of("smtp", "sink", "smtp.open_relay=unknown", rcpt="sink", relay="all"),
    _of("smtp", "greylist", "smtp.open_relay=unknown", rcpt="greylist", relay="all"),
    _of("smtp", "closes-at-rcpt", "smtp.open_relay=unknown", close_after="RCPT", relay="all"),
    _of("smtp", "closes-at-mail", "smtp.open_relay=unknown", close_after="MAIL"),
    _of("smtp", "closes-at-vrfy", "smtp.vrfy_enabled=unknown", close_after="VRFY"),
]
_SMUGGLING = [
    _of("smtp", f"smuggle-{name}", "smtp.smuggling", end_of_data=ends, rcpt=rcpt, is_intrusive=True)
    for name, ends, rcpt in (
        ("lf-lf", ("\n.\n",), "catchall"),
        ("cr-cr", ("\r.\r",), "catchall"),
        ("cr-crlf", ("\r.\r\n",), "catchall"),
        ("lf-crlf", ("\n.\r\n",), "users"),
        ("two", ("\n.\n", "\r\n.\n"), "users"),
    )
]
_HEALTHY = [
    _of(
        "smtp", "waits-in-the-greeting", is_healthy=True, greeting=("220-{host} wait", "220 {host} E"), greeting_gap_s=1
    ),
    _of("smtp", "catch-all", is_healthy=True, is_intrusive=True, rcpt="catchall", relay="all"),
    _of("smtp", "vrfy-disabled", is_healthy=True, vrfy="502"),
    _of("smtps", "several-names", is_healthy=True, cert="many_names"),
    _of("pop3s", "wildcard", is_healthy=True, cert="wildcard"),
    *(_of(kind, "good", is_healthy=True, is_intrusive=True, relay="all") for kind in EVERY),
    *(_of(kind, "in-pieces", is_healthy=True, segment=3) for kind in EVERY),
]

SERVERS: tuple[Server, ...] = (
    *(server for kind in PLAIN_FIRST for server in _per_protocol(kind)),
    *(
        _of(kind, f"cert-{name}", finding, cert=name)
        for name, finding in CERTIFICATES.items()
        for kind in ("smtp", "imaps", "sieve")
    ),
    *(
        _of(kind, "any-password", f"{protocol(kind)}.any_password_accepted", any_password=True, is_intrusive=True)
        for kind in EVERY
    ),
    *(_of(kind, "old-too", "tls.old_version", tls_min="1.0") for kind in EVERY),
    *(_of(kind, "old-only", "tls.old_version", tls_min="1.0", tls_max="1.1") for kind in ("smtp", "imaps")),
    *(_of(kind, "tls12", "tls.no_tls13", never="tls.old_version", tls_max="1.2") for kind in ("smtp", "pop3s")),
    *(_of(kind, "in-clear", f"{protocol(kind)}.plaintext_on_tls_port", tls="none") for kind in IMPLICIT),
    *(_of(kind, "no-tls", "tls.handshake_failed", tls_fail="garbage") for kind in IMPLICIT),
    *_PTR,
    *_WORDS,
    *_RELAYS,
    *_SMUGGLING,
    *_HEALTHY,
)  # fmt: skip
RELAYS: tuple[Server, ...] = tuple(
    Server(f"relay-{form}-{kind}", kind, {"relay": (form,)}, ("smtp.open_relay",), ("tls.*",), relay="all")
    for kind, forms in (("smtp", FORMS), ("submission", ("plain",)), ("smtps", ("plain", "own-sender")))
    for form in forms
)
