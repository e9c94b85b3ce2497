"""Findings of a host in a step of a run, of which each line is one that people grep."""

from __future__ import annotations

from mailmon.checks.check import failing
from mailmon.findings import Findings
from mailmon.model import Finding


def test_a_fix_of_several_lines_is_one_line_in_a_run() -> None:
    found = Findings("mail.example.org:25")
    found.fail("smtp.vrfy_enabled", "it tells which mailboxes exist")
    facts = failing(found.all, "mail.example.org", (), "diagnose.unknown", "1 passed")
    (fix,) = [one.fix for one in facts if isinstance(one, Finding)]
    assert fix == (
        "do not tell strangers which mailboxes exist; for example Postfix, main.cf: disable_vrfy_command = yes"
    )
