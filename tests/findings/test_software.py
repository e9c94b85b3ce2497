"""A server's software is recognised by its words, and gets the fix for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailmon.findings import Findings
from mailmon.findings.registry import entries
from mailmon.findings.software import identify, names
from mailmon.findings.software_fixes import fix_for, general_fix, sections, with_software
from mailmon.text import one_line

GREETINGS = [
    [field.strip() for field in line.split("|")]
    for line in Path(__file__).with_name("greetings.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
# For whom each fix has to have lines or a sentence, by protocol.
MAIN = {
    "smtp": ("Postfix", "Exim", "Sendmail", "OpenSMTPD", "Courier"),
    "imap": ("Dovecot", "Cyrus", "Courier"),
    "pop3": ("Dovecot", "Cyrus", "Courier"),
}
# What names each program: its own name, and how its options begin.
_OPTIONS = {
    "Postfix": r"postfix|smtpd_tls|main\.cf|master\.cf|myhostname|inet_protocols",
    "Dovecot": r"dovecot|doveadm|ssl_min_protocol|inet_listener|auth_allow_cleartext",
    "Exim": r"exim|tls_advertise|acl_smtp|primary_hostname|tls_on_connect",
    "Sendmail": r"sendmail|define\(|DAEMON_OPTIONS",
    "OpenSMTPD": r"opensmtpd|listen on (?:ADDRESS|::)|smtpd\.conf|\bpki ",
    "Courier": r"courier|TLS_CERTFILE|BOFHNO|IMAP_TLS_REQUIRED",
    "Cyrus": r"cyrus|tls_server_cert|allowplaintext",
    "Exchange": r"exchange|Set-\w+Connector",
    "Haraka": r"haraka",
    "chasquid": r"chasquid",
    "maddy": r"maddy",
    "hMailServer": r"hmailserver",
}


def ids_of(key: str) -> list[str]:
    """Return the finding ids that a text is for."""
    return [key] if key in entries() else sorted(one for one in entries() if one.partition(".")[2] == key[2:])


def protocols_of(finding_id: str) -> tuple[str, ...]:
    area = finding_id.partition(".")[0]
    return tuple(MAIN) if area in ("tls", "tcp") else (area,) if area in MAIN else ()


CASES = [(one, protocol) for key in sections() for one in ids_of(key) for protocol in protocols_of(one)]


@pytest.mark.parametrize("fields", GREETINGS, ids=lambda fields: f"{fields[0]} {fields[1]}")
def test_software_is_recognised_by_its_words_and_never_by_its_host_name(fields: list[str]) -> None:
    name, protocol, greeting, *more = fields
    assert identify(protocol, greeting, more[0].split(" // ") if more else ()) == name


def test_each_text_is_for_findings_that_there_are() -> None:
    assert all(ids_of(key) for key in sections())


@pytest.mark.parametrize(("finding_id", "protocol"), CASES)
def test_each_fix_tells_the_servers_that_are_most_in_use(finding_id: str, protocol: str) -> None:
    for software in MAIN[protocol]:
        assert software in fix_for(finding_id, software, protocol).partition(";")[2], (finding_id, software)
    examples = general_fix(finding_id)
    assert "; for example " in examples
    assert {"smtp": "Postfix", "imap": "Dovecot", "pop3": "Dovecot"}[protocol] in examples


@pytest.mark.parametrize("software", names())
def test_no_fix_for_one_program_names_another(software: str) -> None:
    own = {software, *{"mailcow": ("Postfix", "Dovecot"), "Zimbra": ("Postfix",)}.get(software, ())}
    others = "|".join(pattern for name, pattern in _OPTIONS.items() if name not in own)
    for finding_id, protocol in CASES:
        fix = fix_for(finding_id, software, protocol)
        found = re.search(others, fix, re.IGNORECASE)
        # Units and tools of the same name, such as Courier's sendmail, are not meant here.
        assert not found or found[0].lower() in software.lower(), (finding_id, fix)


def test_lines_to_copy_fit_a_terminal_of_80_columns() -> None:
    for blocks in sections().values():
        for line in (line for block in blocks for line in block.lines):
            assert len(line) <= 74, line


def test_dovecot_gets_both_forms_where_its_version_is_not_known() -> None:
    fix = fix_for("imap.auth_before_tls", "Dovecot", "imap")
    assert "auth_allow_cleartext = no" in fix
    assert "disable_plaintext_auth = yes" in fix
    assert "Postfix" not in fix


def test_other_software_gets_the_sentence_and_no_strangers_options() -> None:
    fix = fix_for("smtp.ext_missing", "Axigen", "smtp")
    assert fix.endswith("(see the documentation of Axigen)")
    assert "Postfix" not in fix


def test_only_a_fix_of_the_registry_is_replaced() -> None:
    found = Findings("mail.example.org:25")
    found.fail("smtp.vrfy_enabled", "it tells")
    found.fail("smtp.vrfy_enabled", "it tells", fix="ask your provider")
    found.fail("dns.ptr_missing", "there is none")
    found.passed("tls.old_version", "only new ones")
    shown = [with_software(one, "Exim", "smtp").fix for one in found.all]
    assert "acl_smtp_vrfy = deny" in shown[0]
    assert shown[1:] == [one.fix for one in found.all[1:]]
    assert [with_software(one, "", "smtp") for one in found.all] == found.all


def test_examples_for_a_server_of_mail_are_none_for_mailboxes() -> None:
    found = Findings("mail.example.org:25")
    found.fail("tls.old_version", "TLSv1.1 is still taken")
    assert "Dovecot" in found.all[0].fix
    shown = with_software(found.all[0], "", "smtp").fix
    assert "for example Postfix" in shown
    assert "Dovecot" not in shown


def test_a_fix_is_one_line_where_it_must_be() -> None:
    assert one_line(fix_for("smtp.vrfy_enabled", "Exim", "smtp")) == (
        "do not tell strangers which mailboxes exist; Exim, main section: acl_smtp_vrfy = deny; acl_smtp_expn = deny"
    )
