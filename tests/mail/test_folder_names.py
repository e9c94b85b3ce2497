"""Folder names: encoded and decoded as RFC 3501 section 5.1.3 says, and what is advised where one is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.folder_names import ListedFolder, advice_on, decode, encode, on_wire, read_listed_folder

NAMES = [
    ("INBOX", "INBOX"),
    ("Entwürfe & Müll", "Entw&APw-rfe &- M&APw-ll"),
    ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # the RFC's own example
    ("Gelöschte Elemente", "Gel&APY-schte Elemente"),
    ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
    ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
    ("R&D", "R&-D"),
    ("&", "&-"),
    ("&&", "&-&-"),
    ("&-", "&--"),
    ("😀", "&2D3eAA-"),
    ("a😀b", "a&2D3eAA-b"),
    ("", ""),
]


@pytest.mark.parametrize(("name", "wire"), NAMES)
def test_a_name_is_encoded_and_decoded(name: str, wire: str) -> None:
    assert encode(name) == wire
    assert decode(wire) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_comes_back(name: str) -> None:
    wire = encode(name)
    assert wire.isascii()
    assert decode(wire) == name
    assert decode(on_wire(name)) in (name, decode(name))


@given(st.text(st.characters(codec="ascii")))
def test_whatever_a_server_lists_can_be_shown(wire: str) -> None:
    assert isinstance(decode(wire), str)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Entwürfe", "Entw&APw-rfe"),
        ("Entw&APw-rfe", "Entw&APw-rfe"),  # as it had to be written before
        ("R&-D", "R&-D"),
        ("R&D", "R&-D"),
        ("Tom & Jerry", "Tom &- Jerry"),
        ("A&BC-", "A&-BC-"),  # no whole character of UTF-16
        ("[Gmail]/Bin", "[Gmail]/Bin"),
    ],
)
def test_a_name_that_is_encoded_already_is_sent_as_it_is(name: str, wire: str) -> None:
    assert on_wire(name) == wire


@pytest.mark.parametrize(
    ("item", "folder"),
    [
        (b'(\\HasNoChildren) "/" "Entw&APw-rfe"', ListedFolder("Entwürfe", "/", (b"\\hasnochildren",))),
        (b'(\\HasNoChildren) "." INBOX.Junk', ListedFolder("INBOX.Junk", ".", (b"\\hasnochildren",))),
        (b"() NIL INBOX", ListedFolder("INBOX", "")),
        (b'() "\\\\" "a\\"b"', ListedFolder('a"b', "\\")),
        (b'(\\Noselect) "/" "[Gmail]"', ListedFolder("[Gmail]", "/", (b"\\noselect",))),
        ((b'() "/" {5}', b'a "b"'), ListedFolder('a "b"', "/")),
        (b"garbage", None),
        (b"", None),
        (None, None),
    ],
)
def test_a_listed_folder_is_read(item: object, folder: ListedFolder | None) -> None:
    assert read_listed_folder(item) == folder


@given(st.binary() | st.tuples(st.binary(), st.binary()))
def test_any_answer_can_be_read(item: object) -> None:
    read_listed_folder(item)


def listed(*names: str, separator: str = "/") -> list[ListedFolder]:
    return [ListedFolder(name, separator) for name in names]


@pytest.mark.parametrize(
    ("wanted", "there", "words"),
    [
        ("Junk", listed("INBOX", "INBOX.Junk", separator="."), 'begin with "INBOX." here: use "INBOX.Junk".'),
        ("Sent", listed("INBOX", "INBOX/Sent"), 'begin with "INBOX/" here: use "INBOX/Sent".'),
        ("junk", listed("INBOX", "Junk"), 'Use "Junk"'),
        ("INBOX.Junk", listed("INBOX", "Junk"), 'Use "Junk"'),
        ("Spamm", listed("INBOX", "Spam", "Trash"), 'Use "Spam"'),
        ("Entwurfe", listed("INBOX", "Entwürfe"), 'Use "Entwürfe"'),
        ("Nowhere", listed("INBOX", "Trash"), 'Create it, or name another one. There are: "INBOX", "Trash".'),
        ("Junk", [], "Create the folder"),
        ("Junk", [ListedFolder("Junk", "/", (b"\\noselect",))], "Create the folder"),
    ],
)
def test_the_name_that_was_meant_is_advised(wanted: str, there: list[ListedFolder], words: str) -> None:
    assert words in advice_on(wanted, there)


def test_ten_thousand_folders_make_a_short_advice() -> None:
    advice = advice_on("Junk", listed(*(f"\x1b[31mfolder {n}" for n in range(10_000)), "INBOX"))
    assert len(advice) < 500
    assert advice.isprintable()
    assert "9991 more" in advice


@given(st.text(max_size=50), st.lists(st.builds(ListedFolder, st.text(max_size=20), st.text(max_size=1))))
def test_any_folders_can_be_advised(wanted: str, there: list[ListedFolder]) -> None:
    assert advice_on(wanted, there).isprintable()
