"""How does foreign text stand in a cell, so that no spreadsheet takes it for a formula? (OWASP, CSV injection)"""

from __future__ import annotations

import re

from mailmon.text import fit_characters, visible

# A cell of Excel holds 32,767; what is longer is cut.
MAX_CHARS = 32_000
# A program with another separator may see cells begin behind one; the fullwidth forms are taken for the plain ones.
_TRIGGER = re.compile(r"(^|;)([\s'\"]*)(?=[=+\-@＝＋－﹣﹢＠﹫])")


def safe_cell(text: str) -> str:
    """Return text of one line that is no formula: a quote stands before what could begin one, control characters are
    shown as escapes.

    >>> safe_cell('=HYPERLINK("http://192.0.2.1")'), safe_cell("550 no"), safe_cell("a\\r\\n-1")
    ('\\'=HYPERLINK("http://192.0.2.1")', '550 no', 'a\\\\r\\\\n-1')
    """
    if text.isprintable() and len(text) < MAX_CHARS and ";" not in text and not _TRIGGER.match(text):
        return text  # nearly all are like that
    return fit_characters(_TRIGGER.sub(r"\1\2'", visible(text, MAX_CHARS)), MAX_CHARS)
