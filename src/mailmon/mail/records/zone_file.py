"""Records written for a zone file (RFC 1035 sections 3.3.14 and 5.1)."""

from __future__ import annotations

MAX_STRING = 255
_ENDING_IN_A_NAME = ("MX", "SRV", "PTR", "CNAME", "NS", "DNAME")


def quoted(text: str) -> str:
    r"""Return the strings of a TXT record: pieces of at most 255 bytes, each in quotes.

    >>> quoted('v=spf1 -all')
    '"v=spf1 -all"'
    """
    raw = text.encode("utf-8", "replace")
    pieces = [raw[at : at + MAX_STRING] for at in range(0, len(raw), MAX_STRING)] or [b""]
    return " ".join(f'"{_escaped(piece)}"' for piece in pieces)


def line(name: str, kind: str, value: str) -> str:
    """Return one line of a zone file; all names in it are absolute, the root too.

    >>> line("example.org", "MX", "10 mail.example.org"), line("example.org", "MX", "0 .")
    ('example.org. IN MX 10 mail.example.org.', 'example.org. IN MX 0 .')
    """
    shown = quoted(value) if kind == "TXT" else f"{value.rstrip('.')}." if kind in _ENDING_IN_A_NAME else value
    return f"{name}. IN {kind} {shown}"


def _escaped(piece: bytes) -> str:
    return "".join(
        f"\\{char}" if char in '"\\' else char if " " <= char <= "~" else f"\\{ord(char):03d}"
        for char in piece.decode("latin-1")
    )
