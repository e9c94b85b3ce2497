"""Whatever a zone holds, the findings are printable, in time, and no bug."""

from __future__ import annotations

import os
import random

from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.render.domain import found_values, markdown, spf_lines, wanted_lines
from tests.domain.cases import DOMAIN, Case, healthy, zones_of
from tests.domain.nameserver import serving

RUNS = int(os.environ.get("MAILMON_FUZZ", "40"))
_MORE = (
    b"",
    b"\x00",
    b"\x1b[31m",
    b"\xff\xfe",
    b";;;",
    b"=" * 50,
    b"p=",
    b"%{i}%{",
    b"include:",
    b"redirect=",
    b"\n|`",
)
_TXT = [name for name in healthy() if name.endswith("TXT")]


def escaped(raw: bytes) -> str:
    """Return bytes as strings of a zone file, at most 255 bytes each."""
    pieces = [raw[at : at + 255] for at in range(0, len(raw), 255)] or [b""]
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in piece) + '"' for piece in pieces)


def mutated(text: str, rng: random.Random) -> str:
    raw = bytearray(text.replace('" "', "").strip('"').encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(raw) + 1)
        match rng.randint(0, 3):
            case 0:
                raw[at:at] = rng.choice(_MORE)
            case 1:
                del raw[at : at + rng.randint(1, 9)]
            case 2:
                raw[at:at] = raw[: rng.randint(0, 60)]
            case _:
                raw[at : at + 1] = bytes([rng.randrange(256)])
    return escaped(bytes(raw[:2000]))


def test_whatever_is_published_can_be_told() -> None:
    rng = random.Random(20261127)
    for number in range(RUNS):
        changes = {name: [mutated(value, rng) for value in healthy()[name]] for name in _TXT}
        with serving(zones_of(Case("", "", changes))) as server:
            options = Options((("127.0.0.1", server.port),), 2.0, 10.0, connects=False, selectors=("s1",))
            result = survey(DOMAIN, options)
        assert "mailmon.bug" not in [one.id for one in result.findings], (number, changes)
        assert result.duration_s < 5
        shown = [text for one in result.findings for text in (one.message, one.expected, one.found, one.evidence)]
        shown += [text for row in result.records for text in (row.name, row.type, *found_values(row))]
        shown += [*markdown(result), *spf_lines(result), *wanted_lines(result)]
        for text in shown:
            assert text.isprintable() or not text, (number, text)
