"""Server texts are shown safely."""

from __future__ import annotations

import html
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.text import MASK, Masker, fit_bytes, fit_characters, format_duration, join_words, visible

SECRET = "correct-horse-battery"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"250 ok", "250 ok"),
        (b"550 no\x1b[31m such\r\nuser", "550 no\\x1b[31m such\\r\\nuser"),
        (b"tab\tbell\x07nul\x00del\x7f", "tab\\tbell\\x07nul\\x00del\\x7f"),
        ("grün ✓".encode(), "grün ✓"),
        (b"gr\xfcn", "gr\N{REPLACEMENT CHARACTER}n"),
        ("right\u202eleft\u2028line\x9b31m", "right\\u202eleft\\u2028line\\x9b31m"),
        ("lone \ud800", "lone \\ud800"),
        (b"", ""),
    ],
)
def test_control_characters_are_shown_as_escapes(raw: bytes | str, shown: str) -> None:
    assert visible(raw) == shown


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert visible(b"x" * 500, 10) == "x" * 10 + "…"


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_become_one_printable_line(raw: bytes, limit: int) -> None:
    shown = visible(raw, limit)
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("text", "limit", "fitted"),
    [("grün", 5, "grün"), ("grün", 4, "g…"), ("grün und rot", 6, "gr…"), ("🚨🚨", 7, "🚨…"), ("🚨🚨", 6, "…")],
)
def test_bytes_are_cut_between_characters(text: str, limit: int, fitted: str) -> None:
    assert fit_bytes(text, limit) == fitted


@settings(deadline=None)
@given(TEXT, st.integers(3, 50))
def test_a_text_that_was_cut_fits_in_bytes_and_ends_in_an_ellipsis(text: str, limit: int) -> None:
    fitted = fit_bytes(text, limit)
    assert len(fitted.encode()) <= limit
    assert fitted == text or (fitted.endswith("…") and text.startswith(fitted[:-1]))


@settings(deadline=None)
@given(TEXT, st.integers(1, 50))
def test_a_text_that_was_cut_fits_in_characters(text: str, limit: int) -> None:
    assert len(fit_characters(text, limit)) <= limit


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        ([SECRET], f"535 wrong password {SECRET}, sorry", f"535 wrong password {MASK}, sorry"),
        ([SECRET], f"a {SECRET} b {SECRET}", f"a {MASK} b {MASK}"),
        ([SECRET], b64encode(SECRET.encode()).decode(), MASK),
        ([SECRET], b64encode(f"\0user@example.org\0{SECRET}".encode()).decode(), MASK),
        (['a"b\\c'], 'LOGIN user "a\\"b\\\\c"', f'LOGIN user "{MASK}"'),
        (["tab\tin it"], "echo tab\\tin it", f"echo {MASK}"),
        (["short", "shorter"], "shorter short", f"{MASK} {MASK}"),
        (["a.c*"], "abc a.c*", f"abc {MASK}"),
        (["", SECRET], "nothing here", "nothing here"),
        ([], "anything", "anything"),
    ],
)
def test_credentials_are_masked_in_every_form(secrets: list[str], text: str, masked: str) -> None:
    assert Masker(secrets, ["user@example.org"])(text) == masked


def test_no_part_of_two_overlapping_credentials_is_left() -> None:
    assert "battery" not in Masker(["correct-horse", "horse-battery"])("echo correct-horse-battery")


# How servers, libraries and web pages write a credential that they quote.
ESCAPES: dict[str, Callable[[str], str]] = {
    "url": lambda s: quote(s, safe=""),
    "url in small letters": lambda s: re.sub("%..", lambda m: m[0].lower(), quote(s, safe="")),
    "a path of a url": quote,
    "a form": quote_plus,
    "every byte": lambda s: "".join(f"%{byte:02X}" for byte in s.encode()),
    "url twice": lambda s: quote(quote(s, safe=""), safe=""),
    "json": lambda s: json.dumps(s)[1:-1],
    "json with slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "json in unicode": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "json twice": lambda s: json.dumps(json.dumps(s))[3:-3],
    "json in full": lambda s: "".join(f"\\u{ord(one):04X}" for one in s),
    "repr": lambda s: repr(s)[1:-1],
    "repr of bytes": lambda s: repr(s.encode())[2:-1],
    "ascii": lambda s: ascii(s)[1:-1],
    "html": html.escape,
    "html twice": lambda s: html.escape(html.escape(s)),
    "html in numbers": lambda s: "".join(f"&#{ord(one)};" for one in s),
    "imap": lambda s: s.replace("\\", "\\\\").replace('"', '\\"'),
    "capitals": lambda s: s.upper() if len(s.upper()) == len(s) == len(s.upper().lower()) else s,
    "hex": lambda s: s.encode().hex(),
    "hex in capitals": lambda s: s.encode().hex().upper(),
    "base64": lambda s: b64encode(s.encode()).decode(),
    "base64 for urls": lambda s: urlsafe_b64encode(b"client:" + s.encode() + b"\n").decode(),
    "base64 of a login": lambda s: b64encode(f"user@example.org\0user@example.org\0{s}".encode()).decode(),
    "visible": visible,
}


@pytest.mark.parametrize("how", ESCAPES)
@pytest.mark.parametrize(
    "secret",
    [
        "sentinel-password-71",
        "sentinel\"pass\\word'72 ",
        "sentinel-Pässwörd-€-😀",
        "a<b>%s{0}$H&7/4+\tx",
        "\\\\x\\\\yz\\",
        "0000000µ",
        "straße-ſecret-ς",
    ],
)
def test_a_credential_is_masked_however_it_is_escaped(secret: str, how: str) -> None:
    written = ESCAPES[how](secret)
    assert Masker([secret], ["user@example.org"])(f"no: <{written}>, sorry").startswith("no: <")
    for text in (f"no: <{written}>, sorry", f"no: <{visible(written)}>, sorry"):
        assert written not in (shown := Masker([secret], ["user@example.org"])(text))
        assert MASK in shown


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=30), st.sampled_from(list(ESCAPES)))
def test_no_escape_gets_past_the_masker(secret: str, how: str) -> None:
    assert ESCAPES[how](secret) not in Masker([secret], ["user@example.org"])(f"<{ESCAPES[how](secret)}>")


def test_a_credential_is_masked_without_the_blank_at_its_end() -> None:
    assert Masker(['a"b c '])('250 a"b c') == "250 ****"
    assert Masker(['a"b c '])('250 a\\"b c') == "250 ****"


def test_a_credential_that_was_cut_off_is_masked_as_far_as_it_goes() -> None:
    masker = Masker(["sentinel-password-71"])
    assert masker(visible(b"x" * 390 + b"sentinel-password-71")) == "x" * 390 + MASK + "…"
    assert masker("for sentinel") == "for sentinel"


@pytest.mark.parametrize("piece", ["\\", "%", "&", "&amp;", "a", "\\u00", "&#0", "sentinel-passwor", "%73%65"])
@pytest.mark.parametrize("secret", ["sentinel-password-71", "aaaaaaaaaaaa", "\\\\\\\\\\\\", "\\a\\a\\a\\a"])
def test_a_text_that_is_an_attack_on_the_masker_takes_no_time(secret: str, piece: str) -> None:
    masker, text = Masker([secret]), piece * (65536 // len(piece))
    masker("%")
    started_s = time.process_time()
    masker(text)
    assert time.process_time() - started_s < 0.25


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=20), TEXT, TEXT)
def test_a_masked_text_never_holds_the_credential(secret: str, before: str, behind: str) -> None:
    assert secret not in Masker([secret])(before + secret + behind).replace(MASK, "\n")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3.0, "0.0 s"),
        (0.04, "0.0 s"),
        (3.44, "3.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60, "1 min"),
        (61.4, "1 min 1 s"),
        (119.6, "2 min"),
        (452, "7 min 32 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (3605, "1 h"),
        (7260, "2 h 1 min"),
        (86399.4, "23 h 59 min"),
        (86399.9, "1 d"),
        (93784, "1 d 2 h"),
        (86400 * 400, "400 d"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


@pytest.mark.parametrize(
    ("words", "sentence"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_as_in_a_sentence(words: list[str], sentence: str) -> None:
    assert join_words(words) == sentence
