"""Domains of which nothing bad is said."""

from __future__ import annotations

from tests.domain.cases import Case, Changes, strings

_NO_MAIL: Changes = {
    "@ MX": ["0 ."],
    "@ TXT": ['"v=spf1 -all"'],
    "mx1 A": None,
    "mx1 AAAA": None,
    "mx2 A": None,
    "s1._domainkey TXT": ['"v=DKIM1; p="'],
    "_imaps._tcp SRV": None,
    "_submissions._tcp SRV": None,
}
_NINE = " ".join(f"include:i{number}.firm.example" for number in range(8))

HEALTHY = (
    Case("everything is published", "", own_addresses=("9.9.9.9",)),
    Case("it takes no mail, and says so", "dkim.key_revoked", _NO_MAIL, selectors=()),
    Case("an alias of a key and of a policy, at the provider", "", {
        "s1._domainkey TXT": None, "s1._domainkey CNAME": ["key.carrier.example."],
        "_mta-sts TXT": None, "_mta-sts CNAME": ["policy.carrier.example."],
    }),
    Case("one of its MX hosts is the provider's, by IPv6 only", "", {
        "@ MX": ["10 mx1.firm.example.", "20 mx6.carrier.example."],
    }),
    Case("SPF by a redirect, and by macros", "", {
        "@ TXT": ['"v=spf1 exists:%{i}._spf.%{d} redirect=_spf.carrier.example"'],
    }),
    Case("SPF with nine look-ups, in several strings", "", {
        "@ TXT": [strings(f"v=spf1 mx {_NINE} {' '.join(f'ip4:9.9.9.{n}' for n in range(20))} -all")],
        **{f"i{number} TXT": [f'"v=spf1 ip4:9.9.9.{number} -all"'] for number in range(8)},
    }),
    Case("a subdomain lives by the policy of its organisation", "", {
        "sub MX": ["10 mx1.firm.example."], "sub TXT": ['"v=spf1 mx -all"'],
        "_mta-sts.sub TXT": ['"v=STSv1; id=1"'], "_smtp._tls.sub TXT": ['"v=TLSRPTv1; rua=https://r.firm.example/"'],
        "s1._domainkey.sub CNAME": ["key.carrier.example."],
    }, domain="sub.firm.example"),
    Case("an Ed25519 key beside the RSA key", "", {
        "ed._domainkey TXT": ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'],
    }, selectors=("s1", "ed")),
    Case("reports go to a service that wants them", "", {
        "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:x@carrier.example"'],
    }),
)  # fmt: skip
