"""What records of DMARC, TLS-RPT and DKIM were meant to say: typing mistakes repaired where they are clear. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mailmon.mail.caps import MAX_RECORD_CHARS, number
from mailmon.mail.message.address import dns_name
from mailmon.mail.records.dkim import DkimKey, read_key
from mailmon.mail.records.dmarc import POLICIES, is_dmarc, read_dmarc
from mailmon.mail.records.mta_sts import MAX_AGE_S, MODES, Policy
from mailmon.mail.records.tags import Mistake

MAX_URIS = 20
DAY_S, WEEK_S = 86400, 604800
# The shortest RSA key that anybody has published, of 512 bits.
MIN_RSA_BYTES = 64
_PATTERN = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_NEAR_DMARC = re.compile(
    r"[\s\"'\\]*+(?:(?:v\W{0,4}+)?d-?m(?:ar|ra)c(?!\w*\.)|p\s*+=\s*+(?:none|quarantine|reject)(?!\w))", re.IGNORECASE
)
_DMARC_TAG = re.compile(
    r"(?:^|(?<=[\s;,\"'\\.|]))(v|p|policy|sp|np|adkim|aspf|fo|ru[afg]|rau|rfu|rf|ri|pct|t|psd)\s*+[=:](?!/)",
    re.IGNORECASE,
)
_DKIM_TAG = re.compile(r"(?:^|(?<=[\s;,\"'\\|]))([vhknpst])\s*+[=:]", re.IGNORECASE)
_MAILBOX = re.compile(
    r"[A-Za-z0-9._%+~/=^&{}|$#-]{1,64}+@([^\s@<>,;!\"'\\()\[\]]{1,253}+)(!\d{1,9}[kmgt]?)?", re.IGNORECASE
)
_HTTP = re.compile(r"https?:/{0,3}([^\s,;!\"'<>\\]{3,500}+)", re.IGNORECASE)
_NEAR_RPT = re.compile(r"[\s\"'\\]*+(?:v\s*+[=:]?\s*+)?(?:(?:smtp-?)?tls-?_?rpt|rua\s*+=)", re.IGNORECASE)
_NEAR_STS = re.compile(
    r"[\s\"'\\]*+(?:v\s*+[=:]\s*+(?:mta-?_?)?sts|(?:mta-?_?)?stsv\s*+\d|id\s*+=)(?!\w*\.)", re.IGNORECASE
)
_WORDS = {
    "none": ("monitor", "monitoring", "nothing", "no", "off", "0"),
    "quarantine": ("spam", "junk", "hold", "tag", "mark", "q"),
    "reject": ("deny", "block", "discard", "drop", "refuse", "bounce", "strict", "delete", "fail", "r"),
}
# A SubjectPublicKeyInfo of RSA in base64, without the name of its tag.
_BARE_KEY = re.compile(r"(?<![A-Za-z0-9+/=])MII[A-Za-z0-9+/]{100,2000}+={0,2}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_WORD_END = re.compile(r"[\s;,\\]")
_ALIGNMENT = {"s": "s", "strict": "s", "r": "r", "relaxed": "r"}


def looks_like_dmarc(text: str) -> bool:
    """Return whether a TXT record was meant to be one of DMARC.

    >>> looks_like_dmarc("V=dmarc1; p=none"), looks_like_dmarc("p=none; v=DMARC1"), looks_like_dmarc("v=spf1 -all")
    (True, True, False)
    """
    text = text[:MAX_RECORD_CHARS]
    return bool(_NEAR_DMARC.match(text)) or any(
        name == "v" and is_dmarc(f"v={value}") for name, value in _pieces(_DMARC_TAG, text)
    )


def looks_like_tls_rpt(text: str) -> bool:
    """Return whether a TXT record was meant to be one of TLS-RPT."""
    return bool(_NEAR_RPT.match(text[:MAX_RECORD_CHARS]))


def looks_like_sts(text: str) -> bool:
    """Return whether a TXT record was meant to be one of MTA-STS.

    >>> looks_like_sts("v = STSv1; id = 1"), looks_like_sts("google-site-verification=abcSTSdef")
    (True, False)
    """
    return bool(_NEAR_STS.match(text[:MAX_RECORD_CHARS]))


def dmarc_record(domain: str, texts: Sequence[str], *, takes_mail: bool = True) -> str:
    """Return the DMARC record that should stand: one, with the strictest policy and all mailboxes of those there are.

    At least p=quarantine where there is a record, and p=none where there is none yet; reports are asked for. A domain
    that takes no mail has no mailbox for them, and nothing to wait for.

    >>> dmarc_record("example.org", ["v=DMARC1 p=reject; rua=d@example.org"])
    'v=DMARC1; p=reject; rua=mailto:d@example.org'
    """
    own = (f"mailto:postmaster@{domain}",) if takes_mail else ()
    if not texts:
        return f"v=DMARC1; p=none; rua={own[0]}" if own else "v=DMARC1; p=reject"
    if len(texts) == 1 and _is_good(texts[0], has_reports=takes_mail):
        return texts[0]
    meant = sorted((_dmarc(text) for text in texts), key=lambda one: -_rank(one.policy))
    tags: dict[str, str] = {}
    for name, value in (pair for one in meant for pair in one.tags.items()):
        tags.setdefault(name, value)
    reports, failures = _joined(one.reports for one in meant), _joined(one.failures for one in meant)
    if not any(uri.startswith("mailto:") for uri in reports):
        reports = (*reports, *own)
    if not failures:
        tags.pop("fo", None)  # it speaks of failure reports only
    policy = POLICIES[max(1, _rank(meant[0].policy))]
    below = {
        "sp": _strictest([one.subdomains or one.policy for one in meant if len(meant) > 1 or one.subdomains], policy),
        "np": _strictest([one.missing for one in meant if one.missing], policy),
    }
    ordered = {"v": "DMARC1", "p": policy, **below, **tags, "rua": ",".join(reports), "ruf": ",".join(failures)}
    return "; ".join(f"{name}={value}" for name, value in ordered.items() if value)


def _rank(policy: str) -> int:
    return POLICIES.index(policy) if policy else 0


def _strictest(policies: Sequence[str], above: str) -> str:
    """Return the strictest policy for what is below, "" where it is that of the domain, or none at all."""
    found = POLICIES[max(map(_rank, policies), default=0)]
    return "" if found in ("none", above) else found


def tls_rpt_record(domain: str, texts: Sequence[str]) -> str:
    """Return the TLS-RPT record that should stand, with all addresses of those there are (RFC 8460 section 3).

    >>> tls_rpt_record("example.org", ["v = TLSRPTv1; rua = t@example.org"])
    'v=TLSRPTv1; rua=mailto:t@example.org'
    """
    uris = _joined(_uris(text) for text in texts) or (f"mailto:postmaster@{domain}",)
    return f"v=TLSRPTv1; rua={','.join(uri.partition('!')[0] for uri in uris)}"


def policy_text(text: str, hosts: Sequence[str]) -> str:
    """Return the MTA-STS policy that should be served: what was meant, with each MX host named (RFC 8461 section 3.2).

    A mode that is not clear becomes testing, and a short or senseless max_age a week.

    >>> policy_text("version: STSv1\\nmode: enforced\\nmax_age: 60", ["mx.example.org"]).splitlines()
    ['version: STSv1', 'mode: enforce', 'mx: mx.example.org', 'max_age: 604800']
    """
    values: dict[str, list[str]] = {}
    for line in text[:MAX_RECORD_CHARS].splitlines():
        name, _, value = line.replace("=", ":", 1).partition(":")
        values.setdefault(name.strip().lower(), []).append(value.strip().lower().rstrip("."))
    close = difflib.get_close_matches((values.get("mode") or [""])[0][:40], MODES, 1, 0.7)
    patterns = [one for one in values.get("mx", []) if _PATTERN.fullmatch(one)]
    known = Policy("testing", WEEK_S, tuple(patterns))
    patterns += [host for host in hosts if not known.covers(host)]
    age = number((values.get("max_age") or [""])[0])
    age = age if age is not None and DAY_S <= age <= MAX_AGE_S else WEEK_S
    lines = ["version: STSv1", f"mode: {close[0] if close else 'testing'}", *(f"mx: {one}" for one in patterns)]
    return "\n".join([*dict.fromkeys(lines), f"max_age: {age}"])


def key_record(texts: Sequence[str]) -> str:
    """Return the key record that should stand; "" where it is not clear which key is meant.

    >>> key_record(["v=DKIM1\\\\; k=ed25519\\\\; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="])
    'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='
    """
    keys = {made.data: (text, made) for text in texts for text, made in _keys(text)}
    if len(keys) != 1:
        return ""
    ((record, _),) = keys.values()
    return record


class _Meant(NamedTuple):
    """What one DMARC record was meant to say; `policy` is "" where that is not clear."""

    policy: str = ""
    subdomains: str = ""
    missing: str = ""
    reports: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    tags: dict[str, str] = {}  # noqa: RUF012 -- never changed


def _is_good(text: str, *, has_reports: bool) -> bool:
    """Return whether there is nothing to improve in a record, with `has_reports` also not by asking for reports."""
    if not is_dmarc(text):
        return False
    try:
        record = read_dmarc(text)
    except Mistake:
        return False
    is_strict = "none" not in (record.policy, record.subdomains, record.missing)
    return (
        is_strict
        and not record.mistakes
        and bool(record.reports or not has_reports)
        and record.percent == 100
        and not record.is_testing
    )


def _dmarc(text: str) -> _Meant:
    values: dict[str, str] = {}
    for name, value in _pieces(_DMARC_TAG, text[:MAX_RECORD_CHARS]):
        known = {"policy": "p", "rau": "rua", "rug": "rua", "rfu": "ruf"}.get(name, name)
        values.setdefault(known, value)
        if known in ("rua", "ruf") and value not in values[known]:
            values[known] += f",{value}"
    tags: dict[str, str] = {}
    for name in ("adkim", "aspf"):
        if meant := _ALIGNMENT.get(_WORD_END.split(values.get(name, "").lower(), 1)[0]):
            tags[name] = meant
    fo = [one for one in re.split(r"[:,\s]+", values.get("fo", "").lower()) if one in ("0", "1", "d", "s")]
    tags |= {"fo": ":".join(dict.fromkeys(fo))} if fo else {}
    tags |= {"psd": values["psd"].lower()} if values.get("psd", "").lower() in ("y", "n") else {}
    for name in ("rf", "ri"):
        if re.fullmatch(r"[A-Za-z0-9:]{1,20}", values.get(name, "")):
            tags[name] = values[name]
    # Between a policy and the next tag that is known may stand one that is not.
    policy, subdomains, missing = (_policy(_WORD_END.split(values.get(name, ""), 1)[0]) for name in ("p", "sp", "np"))
    stray = next(
        (word for word in re.findall(r"[A-Za-z]{5,12}", text[:MAX_RECORD_CHARS]) if word.lower() in POLICIES), ""
    )
    if not policy and "p" not in values:
        policy = stray.lower()
    return _Meant(policy, subdomains, missing, _uris(values.get("rua", "")), _uris(values.get("ruf", "")), tags)


def _pieces(pattern: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """Return names and values by where names begin, for what should stand between them may be missing."""
    found = list(pattern.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        (match[1].lower(), text[match.end() : end].strip(" \t\r\n;,\"'\\|."))
        for match, end in zip(found, ends, strict=False)
    ]


def _policy(value: str) -> str:
    """Return the policy that a value was meant to be, "" where that is not clear."""
    word = re.sub(r"[^a-z0-9]", "", value[:40].lower())
    if word in POLICIES or not word:
        return word
    by_word = next((policy for policy, words in _WORDS.items() if word in words), "")
    by_letters = next((policy for policy in POLICIES if sorted(policy) == sorted(word)), "")
    close = difflib.get_close_matches(word, POLICIES, 1, 0.7)
    return by_word or by_letters or (close[0] if close else "")


def _uris(text: str) -> tuple[str, ...]:
    """Return the URIs to which reports were meant to go, as they follow each other."""
    text = text[:MAX_RECORD_CHARS]
    found = [(match.start(), f"https://{match[1]}") for match in _HTTP.finditer(text)]
    for match in _MAILBOX.finditer(_HTTP.sub(lambda web: " " * len(web[0]), text)):
        try:
            domain = dns_name(match[1].strip("."))
        except ValueError:
            continue
        local = match[0].partition("@")[0].removeprefix("rua=").removeprefix("ruf=").removeprefix("//")
        if all(map(_LABEL.fullmatch, domain.split("."))):
            found.append((match.start(), f"mailto:{local}@{domain}{match[2] or ''}"))
    return tuple(uri for _, uri in sorted(found) if _is_usable(uri))[:MAX_URIS]


def _is_usable(uri: str) -> bool:
    """Return whether a URI can stand in a record."""
    return uri.isascii() and uri.isprintable() and not read_dmarc(f"v=DMARC1; p=none; rua={uri}").mistakes


def _joined(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return each URI once, whatever size it is limited to."""
    found: dict[str, str] = {}
    for uri in (uri for uris in lists for uri in uris):
        found.setdefault(uri.partition("!")[0].lower(), uri)
    return tuple(found.values())


def _keys(text: str) -> list[tuple[str, DkimKey]]:
    """Return the usable keys that a record holds, each as a record of its own."""
    key = _usable_key(text)
    if key:
        return [(_without_test(text), key)]
    pieces = _pieces(_DKIM_TAG, text[:MAX_RECORD_CHARS])
    hashes = next((re.findall(r"sha(?:1|256)(?![0-9a-z])", value.lower()) for name, value in pieces if name == "h"), [])
    kept = [f"h={':'.join(dict.fromkeys(hashes))}"] if "sha256" in hashes else []
    kept += [f"n={value}" for name, value in pieces if name == "n" and re.fullmatch(r"[A-Za-z0-9 .:_-]{1,100}", value)]
    found = []
    texts = [value for name, value in pieces if name == "p" and value] or _BARE_KEY.findall(text[:MAX_RECORD_CHARS])
    for data in [re.sub(r"[\s\"'\\]|-----[A-Z ]{1,40}-----", "", value) for value in texts]:
        kind = "ed25519" if len(data) == 44 else "rsa"
        record = "; ".join(["v=DKIM1", f"k={kind}", *kept[:2], f"p={data}"])
        if key := _usable_key(record):
            found.append((record, key))
    return found


def _usable_key(text: str) -> DkimKey | None:
    """Return the key of a record with which nothing is wrong, and that is long enough for its kind."""
    try:
        key = read_key(text)
    except Mistake:
        return None
    is_whole = len(key.data) >= MIN_RSA_BYTES if key.kind == "rsa" else bool(key.data)
    return key if is_whole and not key.mistakes else None


def _without_test(text: str) -> str:
    """Return a key record without what keeps receivers from relying on it: t=y and h=sha1 alone."""
    key = read_key(text)
    parts = []
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "t" and key.is_testing:
            flags = [flag for flag in value.split(":") if flag.strip().lower() not in ("y", "")]
            if not flags:
                continue
            part = f"{name}={':'.join(flags)}"
        if name.strip() == "h" and key.hashes and "sha256" not in key.hashes:
            continue
        parts.append(part)
    return ";".join(parts).strip()
