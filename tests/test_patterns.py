"""Every regular expression of the program is linear on any input.

All are found, in the source and in what the modules hold, and each is attacked with strings from its own structure, in
the ways in which it is used, up to the length that it can be given.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache
from importlib import util
from pathlib import Path

import pytest

from mailmon.mail import caps
from mailmon.mail.auth import dkim
from mailmon.mail.bounce import prose
from mailmon.mail.message import read
from mailmon.mail.probe import modified, returned
from tests.attack import weaknesses
from tests.patterns import Found, find_all, modules

# What a pattern sees at most, in characters; one that is not listed here must bear the value of a field.
USUAL_CHARS = caps.MAX_VALUE_CHARS
SEES = {
    "mail.message.decoding._TAG": read.MAX_BODY_CHARS,
    "mail.message.decoding._BREAK": read.MAX_BODY_CHARS,
    "mail.message.decoding._CELL": read.MAX_BODY_CHARS,
    "mail.message.decoding._UNSEEN": read.MAX_BODY_CHARS,
    "mail.message.decoding._LONG_ENTITY": read.MAX_BODY_CHARS,
    "mail.bounce.ownership._MARK": read.MAX_BYTES,
    "mail.auth.dkim._BLANKS": dkim.MAX_SIGNED_BYTES,
    "mail.auth.dkim._WHITE_SPACE": dkim.MAX_HEAD_CHARS,
    "mail.auth.dkim.usable_signatures": dkim.MAX_HEAD_CHARS,
    "mail.bounce.dsn._BEGIN": read.MAX_BODY_CHARS,
    "mail.bounce.dsn._RECIPIENT": read.MAX_BODY_CHARS,
    "mail.message.read._GUESSED_BOUNDARY": read.MAX_BYTES,
    "mail.bounce.vendor_formats._UNFOLD": read.MAX_BODY_CHARS,
    "mail.bounce.prose._LISTED": prose.MAX_LINE_CHARS,
    "mail.bounce.prose._NAMED": prose.MAX_LINE_CHARS,
    "mail.bounce.prose._TO": prose.MAX_LINE_CHARS,
    "mail.probe.modified._PIXEL": modified.MAX_TEXT_BYTES,
    "mail.probe.probe._TOKEN": returned.MAX_BYTES,
}
# Given to another function, which uses it so.
MODES = {
    "mail.bounce.prose._LISTED": ("match",),
    "mail.bounce.prose._NAMED": ("match",),
    "mail.bounce.prose._TO": ("match",),
    "sandbox.imap_syntax._QUOTED": ("match",),
}
# Not known before the program runs: what they may become, and why nothing else.
BUILT: dict[str, tuple[str, tuple[str, ...]]] = {
    # The version is a word of the source: DMARC1, STSv1, TLSRPTv1.
    "mail.records.tags.begins": ("match", (r"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)",)),
    # One class of the delimiters that RFC 7208 section 7.1 allows.
    "mail.auth.spf.macros._transformed": ("split", (r"[\.]", r"[\-\.\+,/_=]")),
    # A configured secret, escaped: a literal. The look-ahead finds occurrences that overlap.
    "text.__call__": ("findall", (f"(?={re.escape('a' * 64)})", f"(?={re.escape('password()')})")),
    # The pattern of an option; its values come from the configuration, which only the user can write.
    "typedjson.declare.problem": ("fullmatch", ()),
}


def short(one: Found) -> str:
    return one.place.removeprefix("mailmon.")


@cache
def found() -> dict[str, list[Found]]:
    """Return the patterns by their places; some places have several."""
    places: dict[str, list[Found]] = {}
    for one in find_all(modules()):
        places.setdefault(short(one), []).append(one)
    return places


def test_no_pattern_takes_long_on_what_somebody_sends() -> None:
    weak = [
        f"{place}: {weakness}"
        for place, patterns in found().items()
        for one in patterns
        if one.pattern
        for weakness in weaknesses(one.pattern, MODES.get(place, one.modes), SEES.get(place, USUAL_CHARS))
    ]
    assert weak == []


def test_each_pattern_built_at_run_time_is_listed_with_its_possible_forms() -> None:
    built = {place for place, patterns in found().items() if any(one.pattern is None for one in patterns)}
    assert built == set(BUILT)


@pytest.mark.parametrize("place", BUILT)
def test_what_such_a_pattern_becomes_is_linear_too(place: str) -> None:
    mode, texts = BUILT[place]
    assert [weak for text in texts for weak in weaknesses(re.compile(text), [mode], USUAL_CHARS)] == []


def test_the_lists_name_patterns_that_are_there() -> None:
    assert {*SEES, *MODES} <= set(found())


BAD = [
    (r"(a+)+$", "search"),
    (r"(a|a)*b", "match"),
    (r"(?:a|ab|b)*c", "match"),
    (r"(x+x+)+y", "search"),
    (r"(\w+\s?)*$", "match"),
    (r".*,.*,.*!", "fullmatch"),
    (r"\d+\d+\d+x", "match"),
    (r"\w+@\w+\.com", "search"),
    (r"[^;]*;", "search"),
    (r"\s+$", "sub"),
    (r"<!--.*?-->", "sub"),
    (r"(?:\s*\r?\n)?\s+x", "search"),
    (r"(?=[a-z]*\d)[a-z0-9]+!", "search"),
    (r"(?m)^[ \t]*(?:.*\n)*end", "search"),
    # What was found in this program.
    (r"\s*[A-Za-z0-9-]{1,40}\s*;\s*", "sub"),
    (r"\s*\([^()]{0,300}\)?\s*$", "sub"),
    (r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?", "fullmatch"),
    (r"mailmon [0-9][0-9A-Za-z.+-]*?(?=[A-Z][A-Za-z-]*:|$)", "match"),
    (r"\[?b(['\"])(.*)\1\]?$", "sub"),
    (r"%(?:\{[^}]*\}|%|_|-)$", "search"),
]
GOOD = [
    (r"([^,]*,)*x", "fullmatch"),
    (r"<[^<>]*>", "sub"),
    (r"\s*\w+", "match"),
    (r"(?<!\w)\w++@\w++", "search"),
    (r"[ \t]*;", "match"),
    (r"(?:a|b)*+c", "match"),
]


@pytest.mark.parametrize(("text", "mode"), BAD)
def test_a_pattern_that_takes_long_is_found_out(text: str, mode: str) -> None:
    assert weaknesses(re.compile(text), [mode], USUAL_CHARS)


@pytest.mark.parametrize(("text", "mode"), GOOD)
def test_a_linear_pattern_is_not_accused(text: str, mode: str) -> None:
    assert weaknesses(re.compile(text), [mode], USUAL_CHARS) == []


SOURCE = """
import re
from re import fullmatch as _unused, search

ONE = re.compile(r"(a+)+$", re.I)
MANY = {"x": [re.compile("b+" "c+")]}
PART = "d"

def first(text):
    return ONE.match(text), re.sub(f"{PART}*", "", text), search("e|f", text)

def second(text, given):
    return re.split(given + "g", text)

SEVERAL = tuple(re.compile(text) for text in ("i", "j"))
HIDDEN = (lambda held: lambda: held)(re.compile("h*"))
"""


def test_patterns_are_found_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(textwrap.dedent(SOURCE))
    spec = util.spec_from_file_location("sample", file)
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    patterns = {one.pattern.pattern if one.pattern else "": one for one in find_all([module])}
    assert set(patterns) == {"(a+)+$", "b+c+", "d*", "e|f", "", "h*", "i", "j"}
    assert patterns["(a+)+$"].modes == ("match",)
    one = patterns["(a+)+$"].pattern
    assert one
    assert one.flags & re.IGNORECASE
    assert patterns["d*"].modes == ("sub",)
    assert patterns[""].place == "sample.second"
