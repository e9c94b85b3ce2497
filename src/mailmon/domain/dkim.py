"""DKIM: the keys that verify signatures (RFC 6376 section 3.6), and key files."""

from __future__ import annotations

import base64
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.certificate import UNREADABLE
from mailmon.domain.context import NOBODY, RecordCheck
from mailmon.errors import MailmonError
from mailmon.mail.auth.spf.record import SyntaxMistake, is_spf, read_record
from mailmon.mail.records.dkim import DkimKey, read_key
from mailmon.mail.records.organisation import effective, walk
from mailmon.mail.records.repair import key_record
from mailmon.mail.records.tags import Mistake
from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.text import visible

# Selectors that signers use by default, or that providers tell their customers to publish, by signer or provider:
COMMON = (
    "default", "dkim", "mail", "email", "smtp", "mx", "key1", "key2", "key3", "rsa", "ed25519",
    "dkim1", "dkim2", "dkim3", "s1", "s2", "s3", "s1024", "s2048", "sel1", "sel2", "sig1",
    "k1", "k2", "k3", "m1", "m2", "x", "dk", "rspamd", "modoboa",
    "selector", "selector1", "selector2",  # Microsoft 365
    "google", "20161025", "20210112", "20230601",  # Google Workspace, gmail.com
    "fm1", "fm2", "fm3", "mesmtp",  # Fastmail
    "protonmail", "protonmail2", "protonmail3",  # Proton Mail
    "zoho", "zmail", "zc",  # Zoho Mail, Zoho Campaigns
    "mailru", "yandex", "titan1", "titan2", "neo1", "soverin", "mxvault", "privateemail",
    "mailo", "krs", "pic", "mg", "mta", "mailgun",  # Mailgun
    "amazonses", "ses", "awsses",  # as in guides for Amazon SES; its own names are random
    "mandrill", "mte1", "mte2", "pm", "resend", "scph0316", "smtpapi", "api", "mailjet",
    "brevo1", "brevo2", "sib", "litesrv", "ml", "cm", "hs1", "hs2", "ctct1", "ctct2", "kl", "kl2",
    "fd", "fdm", "zendesk1", "zendesk2", "intercom", "acdkim1", "everlytickey1", "turbo-smtp",
    "gm1", "gm2", "gm3",  # Gandi
    "mbo0001", "mbo0002", "mbo0003", "mbo0004",  # mailbox.org
    "dkim02", "dkim03",  # SimpleLogin, beside dkim
    "s1-ionos", "s2-ionos", "strato-dkim-0002", "strato-dkim-0003",
    "hostingermail1", "hostingermail-a", "hostingermail-b", "hostingermail-c",
)  # fmt: skip
# Signers that name keys by date: mox by the year, with a to d, Stalwart by the month, with r or e. The first FEW are
# tried beside the given selectors: old keys, and those of another signer.
FEW = 36
_OF_YEAR, _OF_MONTH, YEARS, MONTHS = "ab", "re", 3, 4
GOOD_RSA_BITS, LEAST_RSA_BITS = 2048, 1024
PURPOSE = "DKIM key"
MAX_KEY_FILE_BYTES = 65536
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def common(now: datetime) -> tuple[str, ...]:
    """Return the selectors to try if none is given.

    >>> common(datetime(2026, 1, 7))[-4:]
    ('202511r', '202511e', '202510r', '202510e')
    """
    years = [f"{now.year - back}{letter}" for back in range(YEARS) for letter in _OF_YEAR]
    months = [divmod(now.year * 12 + now.month - 1 - back, 12) for back in range(MONTHS)]
    return (*COMMON, *years, *(f"{year}{month + 1:02}{letter}" for year, month in months for letter in _OF_MONTH))


def run(check: RecordCheck) -> None:
    """Judge the keys of the given selectors, and of common ones."""
    given = tuple(dict.fromkeys(check.context.options.selectors))
    tried = COMMON[:FEW] if given else common(datetime.now(UTC))
    guessed = [name for name in tried if name not in given]
    names = [*given, NOBODY, *guessed]
    answers = dict(zip(names, check.context.ask_all([(_at(check, name), "TXT") for name in names]), strict=True))
    everywhere = answers.pop(NOBODY)
    for name in given:
        _judge_given(check, name, answers[name])
    is_signing = any(answers[name].values for name in given)
    for name in guessed:
        answer = answers[name]
        if answer.values and answer.values != everywhere.values and _is_key(answer):
            is_signing = True
            _judge_key(check, name, answer, is_guessed=True)
        elif _is_dangling(answer) and answer.canonical != everywhere.canonical:
            _judge_missing(check, name, answer, is_guessed=True)
    if not given and not is_signing and check.context.is_null_mx:
        check.found.skipped("dkim.none", "it accepts no mail, so it may send none either")
    elif not given and not is_signing:
        _judge_absence(check, answers[guessed[0]])


def _at(check: RecordCheck, selector: str) -> str:
    return f"{selector}._domainkey.{check.domain}"


def _is_key(answer: Answer) -> bool:
    return any("p=" in text.replace(" ", "").lower() for text in answer.values)


def _is_dangling(answer: Answer) -> bool:
    """Return whether a name is an alias (CNAME) whose target has no such record."""
    return bool(answer.alias) and answer.kind in (Answered.NXDOMAIN, Answered.NODATA)


def _judge_given(check: RecordCheck, name: str, answer: Answer) -> None:
    if answer.kind is Answered.FAILED:
        check.row(_at(check, name), "TXT", PURPOSE, check.context.options.dkim_key, answer)
        check.report_unknown("dkim.dns_temperror", f"the key of the selector {name}", answer)
    elif not answer.values:
        _judge_missing(check, name, answer, is_guessed=False)
    else:
        _judge_key(check, name, answer, is_guessed=False)


def _judge_missing(check: RecordCheck, name: str, answer: Answer, *, is_guessed: bool) -> None:
    wanted = "" if is_guessed else check.context.options.dkim_key
    check.row(_at(check, name), "TXT", PURPOSE, wanted, answer, is_bad=not is_guessed)
    severity = Severity.NOTICE if is_guessed else None
    if _is_dangling(answer):
        what = "which does not exist" if answer.kind is Answered.NXDOMAIN else "which has no TXT record"
        said = f"the selector {name} is an alias (CNAME) of {answer.canonical}, {what}"
        said += "" if is_guessed else ": signatures made with it fail"
        fix = "have the target's operator publish the key there, or remove the alias"
        check.found.fail("dkim.key_missing", said, severity, expected=_at(check, name), found=answer.why, fix=fix)
        return
    said = f"the selector {name} has no key: signatures made with it fail"
    check.found.fail("dkim.key_missing", said, severity, expected=_at(check, name), found=answer.why)


def _judge_key(check: RecordCheck, name: str, answer: Answer, *, is_guessed: bool) -> None:
    """Judge the key of a selector; a guessed one may be unused, so its faults are notices."""
    since = len(check.found.all)
    _judge_published_key(check, name, answer, is_guessed=is_guessed)
    is_bad = check.has_failed("dkim.", since)
    if is_guessed:
        check.found.all[since:] = [_as_notice(one) for one in check.found.all[since:]]
    signed_with = "" if is_guessed else check.context.options.dkim_key
    wanted = signed_with or _proposal(answer, is_bad=is_bad)
    check.row(_at(check, name), "TXT", PURPOSE, wanted, answer, is_bad=is_bad)


def _as_notice(one: Finding) -> Finding:
    is_weak = one.id in ("dkim.key_weak", "dkim.key_testing")
    return one if one.status is not Verdict.FAIL or is_weak else one._replace(severity=Severity.NOTICE)


def _proposal(answer: Answer, *, is_bad: bool) -> str:
    """Return the key record that should be published, "" if it is unknown."""
    if not is_bad:
        return answer.values[0]
    made = key_record(answer.values)
    try:
        return made if made and _bits(read_key(made)) >= _least(read_key(made)) else ""
    except Mistake:
        return ""


def _least(key: DkimKey) -> int:
    return GOOD_RSA_BITS if key.kind == "rsa" else 1


def _judge_published_key(check: RecordCheck, name: str, answer: Answer, *, is_guessed: bool) -> None:
    found = check.found
    if len(answer.values) > 1:
        said = f"the selector {name} has {len(answer.values)} TXT records: which one applies is undefined"
        found.fail("dkim.key_multiple", said)
        return
    try:
        key = read_key(answer.values[0])
        bits = _bits(key)
    except Mistake as exc:
        found.fail("dkim.key_syntax", f"the key of {name}: {exc}", found=visible(answer.values[0], 300))
        return
    if key.is_revoked:
        severity = Severity.NOTICE if is_guessed else None
        found.fail("dkim.key_revoked", f"the key of {name} is revoked (p= is empty)", severity)
        return
    if not is_guessed:
        _compare(check, name, key)
    found.passed("dkim.key_missing", f"the selector {name} has a key: {key.kind} {bits} bit")
    if key.kind == "rsa":
        said = f"the key of {name} has {bits} bits"
        severity = Severity.ERROR if bits < LEAST_RSA_BITS else None
        if bits < GOOD_RSA_BITS:
            found.fail("dkim.key_weak", said, severity, expected=f">= {GOOD_RSA_BITS}", found=str(bits))
        else:
            found.passed("dkim.key_weak", said)
    if key.is_testing:
        found.fail("dkim.key_testing", f"the key of {name} has t=y: receivers may ignore its signatures")
    if key.hashes and "sha256" not in key.hashes:
        found.fail("dkim.sha1", f"the key of {name} allows only {', '.join(key.hashes)}", expected="sha256")
    for mistake in key.mistakes:
        found.fail("dkim.key_syntax", f"the key of {name}: {mistake}", Severity.WARNING)


def _compare(check: RecordCheck, name: str, key: DkimKey) -> None:
    """Compare a published key with the one that mail is signed with, if that is known."""
    if not check.context.options.dkim_key:
        return
    is_same = read_key(check.context.options.dkim_key).data == key.data
    said = f"the published key of {name} is not the given one: signatures made with it fail"
    check.found.judge("dkim.key_mismatch", is_same, f"the published key of {name} is the given one", said)


def _bits(key: DkimKey) -> int:
    """Return the bits of a key, 0 if it is revoked. Raises Mistake."""
    if key.is_revoked or key.kind == "ed25519":
        return 256 if key.data else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded = load_der_public_key(key.data)
        except UNREADABLE as exc:
            raise Mistake("p= is base64, but no public key: often only a part of it") from exc
    if not isinstance(loaded, rsa.RSAPublicKey):
        raise Mistake(f"p= is a key of another kind than k={key.kind}")
    return loaded.key_size


def _judge_absence(check: RecordCheck, sample: Answer) -> None:
    """Judge the absence of keys: they may have any name, so only NXDOMAIN at _domainkey proves that there is none."""
    answer = check.context.records.ask(f"_domainkey.{check.domain}", "TXT")
    if answer.kind is Answered.NXDOMAIN:
        check.row(_at(check, "mail"), "TXT", PURPOSE, "", sample)
        severity = Severity.NOTICE if _may_sign_nothing(check) else None
        check.found.fail("dkim.none", "there is no DKIM key: nothing is published below _domainkey", severity)
    elif answer.kind is Answered.FAILED:
        check.report_unknown("dkim.dns_temperror", "its DKIM keys", answer)
    else:
        said = "it may have DKIM keys, but none with a common selector: see s= in the DKIM-Signature of its mail"
        check.found.skipped("dkim.none", f"{said}; name it with --selector (in the configuration: selectors)")


def _may_sign_nothing(check: RecordCheck) -> bool:
    """Return whether the domain sends no mail, or is below one whose DMARC policy and keys apply to it."""
    texts = [text for text in check.context.records.ask(check.domain, "TXT").values if is_spf(text)]
    try:
        if len(texts) == 1 and not read_record(texts[0]).lets_send:
            return True
    except SyntaxMistake:
        return False
    source = effective(walk(check.domain, check.context.ask_for_spf))
    return source is not None and source.domain != check.domain and source.psd != "y"


def read_key_file(path: Path) -> str:
    """Return the record of a key in a file; of a private key only the public half is used. Raises MailmonError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_KEY_FILE_BYTES)
    except OSError as exc:
        raise MailmonError(f"{path}: cannot be read: {exc.strerror}", "Run as a user that may read it.") from exc
    if b"-----BEGIN" in raw:
        return _of_pem(raw, path)
    text = raw.decode("latin-1")
    # opendkim-genkey and rspamadm write a line of a zone file, with the record in strings.
    record = "".join(_STRING.findall(text)) or text.strip()
    try:
        read_key(record)
    except Mistake as exc:
        raise MailmonError(f"{path}: no DKIM key record: {exc}", "Name the .txt file or a PEM file.") from exc
    return record


def _of_pem(raw: bytes, path: Path) -> str:
    try:
        key = load_pem_private_key(raw, None).public_key() if b"PRIVATE" in raw else load_pem_public_key(raw)
    except UNREADABLE:
        raise MailmonError(f"{path}: this key cannot be read", "It must be PEM, without a password.") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        kind, data = "ed25519", key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    elif isinstance(key, rsa.RSAPublicKey):
        kind, data = "rsa", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raise MailmonError(f"{path}: DKIM knows RSA and Ed25519 keys only")
    return f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode()}"
