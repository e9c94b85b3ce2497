"""Are the keys there that signatures are verified with? (DKIM: RFC 6376 section 3.6)"""

from __future__ import annotations

import warnings

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.certificate import UNREADABLE
from mailmon.domain.scene import Area
from mailmon.mail.records.dkim import DkimKey, read_key
from mailmon.mail.records.tags import Mistake
from mailmon.mail.text import visible
from mailmon.model.facts import Severity

# Names that signers use by default, or that large providers have their customers publish.
COMMON = (
    "default", "dkim", "mail", "email", "smtp", "mx", "key1", "key2", "rsa", "ed25519", "dkim1", "dkim2",
    "s1", "s2", "s1024", "s2048", "sel1", "sel2", "sig1", "k1", "k2", "k3",
    "selector", "selector1", "selector2", "google", "20230601",
    "fm1", "fm2", "fm3", "protonmail", "protonmail2", "protonmail3", "zoho", "zmail", "mandrill", "pm", "resend",
    "mailo", "krs", "gm1", "gm2", "cm", "hs1", "hs2", "mg", "mxvault",
)  # fmt: skip
# No signer has this one: what is found there is found everywhere.
NOBODY = "mailmon-asks-for-nothing"
GOOD_RSA_BITS, LEAST_RSA_BITS = 2048, 1024


def look(area: Area) -> None:
    """Judge the keys of the selectors that are known, and of those that are common."""
    given = tuple(dict.fromkeys(area.scene.options.selectors))
    guessed = [name for name in COMMON if name not in given]
    names = [*given, NOBODY, *guessed]
    answers = dict(zip(names, area.scene.ask_all([(_at(area, name), "TXT") for name in names]), strict=True))
    everywhere = answers.pop(NOBODY).values
    for name in given:
        _judge_given(area, name, answers[name])
    found = [name for name in guessed if answers[name].values and answers[name].values != everywhere]
    is_signing = any(answers[name].values for name in given)
    for name in found:
        if _is_key(answers[name]):
            is_signing = True
            area.row(_at(area, name), "TXT", "DKIM key", answers[name].values[0], answers[name])
            _judge_key(area, name, answers[name], is_guessed=True)
    if not given and not is_signing and area.scene.is_null_mx:
        area.found.skipped("dkim.none", "it takes no mail, so it may well send none")
    elif not given and not is_signing:
        _judge_absence(area, answers[guessed[0]])


def _at(area: Area, selector: str) -> str:
    return f"{selector}._domainkey.{area.domain}"


def _is_key(answer: Answer) -> bool:
    return any("p=" in text.replace(" ", "") for text in answer.values)


def _judge_given(area: Area, name: str, answer: Answer) -> None:
    wanted = area.scene.options.dkim_key or (answer.values[0] if answer.values else "")
    area.row(_at(area, name), "TXT", "DKIM key", wanted, answer)
    if answer.kind is Answered.FAILED:
        area.tell_unknown("dkim.dns_temperror", f"the key of the selector {name}", answer)
    elif not answer.values:
        said = f"the selector {name} has no key: signatures made with it fail"
        area.found.fail("dkim.key_missing", said, expected=_at(area, name), found=answer.why)
    else:
        _judge_key(area, name, answer, is_guessed=False)


def _judge_key(area: Area, name: str, answer: Answer, *, is_guessed: bool) -> None:
    found = area.found
    if len(answer.values) > 1:
        said = f"the selector {name} has {len(answer.values)} TXT records: which one counts is not defined"
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
        _compare(area, name, key)
    found.passed("dkim.key_missing", f"the selector {name} has a key: {key.kind} {bits} bit")
    if key.kind == "rsa":
        said = f"the key of {name} has {bits} bits"
        severity = Severity.ERROR if bits < LEAST_RSA_BITS else None
        if bits < GOOD_RSA_BITS:
            found.fail("dkim.key_weak", said, severity, expected=f">= {GOOD_RSA_BITS}", found=str(bits))
        else:
            found.passed("dkim.key_weak", said)
    if key.is_testing:
        found.fail("dkim.key_testing", f"the key of {name} says t=y: receivers may ignore its signatures")
    if key.hashes and "sha256" not in key.hashes:
        found.fail("dkim.sha1", f"the key of {name} allows only {', '.join(key.hashes)}", expected="sha256")
    for mistake in key.mistakes:
        found.fail("dkim.key_syntax", f"the key of {name}: {mistake}", Severity.WARNING)


def _compare(area: Area, name: str, key: DkimKey) -> None:
    """Hold a published key against the one that mail is signed with, where that is known."""
    if not area.scene.options.dkim_key:
        return
    is_same = read_key(area.scene.options.dkim_key).data == key.data
    said = f"the key of {name} that is published is not the one that was given: signatures made with it fail"
    area.found.judge("dkim.key_mismatch", is_same, f"the key of {name} is the one that was given", said)


def _bits(key: DkimKey) -> int:
    """Return the size of a key, 0 of one that is revoked. Raises Mistake."""
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


def _judge_absence(area: Area, sample: Answer) -> None:
    """Without a selector a key may have any name; that there is none shows only where nothing is below _domainkey."""
    answer = area.scene.records.ask(f"_domainkey.{area.domain}", "TXT")
    if answer.kind is Answered.NXDOMAIN:
        area.row(_at(area, "mail"), "TXT", "DKIM key", "", sample)
        area.found.fail("dkim.none", "there is no DKIM key: nothing stands below _domainkey")
    elif answer.kind is Answered.FAILED:
        area.tell_unknown("dkim.dns_temperror", "its DKIM keys", answer)
    else:
        said = "it may have DKIM keys, but none by a common name: name one with --selector"
        area.found.unknown("dkim.none", said)
