"""Servers of outside data get the expected findings; rebuilt on loopback from the zones in place.

A file says what a domain publishes, and in its name what its server does: the server itself, its certificates and the
digests of its TLSA records are made here. The addresses are those of the file in a network of the test's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from mailmon.checks import dnsbl
from mailmon.checks.context import RunContext
from mailmon.diagnose.blocklists import LISTS
from mailmon.model.findings import Finding, Note
from tests.cli.programs import run
from tests.diagnose.authority import Authority, tlsa_words
from tests.diagnose.healthy import Certificate, Rules, Service
from tests.diagnose.unusual import PORTS, Doors
from tests.domain.nameserver import NameServer, serving
from tests.domain.test_field import SEEN
from tests.domain.web import Page, policy, web
from tests.field import case_of, files, needed, published

pytestmark = needed
alone = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare for a network namespace"
)

DOMAIN, MX = "firm.example", "mx1.firm.example"
PUBLIC = {"x11", "z01"}  # whose addresses are not of loopback
POLICY = "/.well-known/mta-sts.txt"


class Rebuilt(NamedTuple):
    """The server of a file, and what is said of it.

    `rebuilt` is what the file does not hold. `services` are those of each address, in the order of the file; a port is
    named where there are some. `pages` are those of the web server, `tlsa` is what the digest of its TLSA record is
    made of. `diagnosed` is all that diagnose reports above info ("severity id", "id?" where it cannot be told),
    `surveyed` the same of dns; `passes` are ids of either that pass, `words` stand in messages of diagnose, `proposed`
    in what dns proposes.
    """

    rebuilt: str
    services: tuple[tuple[Service, ...], ...]
    diagnosed: str = ""
    surveyed: str = "notice mtasts.none"
    words: tuple[str, ...] = ()
    passes: str = ""
    proposed: str = ""
    tlsa: str = ""
    pages: tuple[tuple[str, Page], ...] = ()
    arguments: tuple[str, ...] = ()
    timeout_s: str = "5"


def smtp(*certificates: Certificate, rules: Rules = (), **given: Any) -> tuple[Service, ...]:
    """Return the services of an address with port 25 alone."""
    return (Service("smtp", certificates=certificates or (LETS_ENCRYPT,), rules=rules, **given),)


LETS_ENCRYPT = Certificate(issuer="lets-encrypt")
SELF_SIGNED, PRIVATE = Certificate(issuer="self"), Certificate(issuer="private")
_LITERALS = (
    '"IMPLEMENTATION" {24}',
    'Dovecot "Pigeonhole" \\o/',
    '"SASL" {0+}',
    "",
    '"SIEVE" {8}',
    "fileinto",
    '"STARTTLS"',
    '"VERSION" "1.0"',
    "ok (TAG {3}",
    "a)b) {5}",
    "ready",
)
SERVERS: dict[str, Rebuilt] = {
    "a04": Rebuilt(
        "a certificate for all names of the domain",
        (smtp(LETS_ENCRYPT._replace(names=("*.firm.example",))),),
        "",
        "warning dns.caa_conflict, notice mtasts.none",
    ),
    "a06": Rebuilt(
        "a server that is well",
        (smtp(),),
        "",
        "notice dns.caa_conflict, notice mtasts.none",
    ),
    "g02": Rebuilt(
        "a server at each address",
        (smtp(),) * 5,
        "error dns.mx_dangling, error dns.mx_dangling",
        "error dkim.key_missing, error dns.mx_dangling, error dns.mx_dangling, notice dns.caa_conflict, "
        "notice mtasts.none, notice tlsrpt.none, warning dmarc.none, warning spf.none",
        words=("m6.firm.example has no address", "m7.firm.example has no address"),
        passes="smtp.open_relay tls.cert_name",
    ),
    "l02": Rebuilt(
        "a certificate of six days, two hours old",
        (smtp(Certificate(age_days=0.1, left_days=6.5, issuer="lets-encrypt")),),
        passes="tls.cert_expired",
    ),
    "l04": Rebuilt(
        "a certificate of 45 days, at half of its time",
        (smtp(Certificate(age_days=22.5, left_days=22.5, issuer="lets-encrypt")),),
        passes="tls.cert_expired",
    ),
    "l07": Rebuilt(
        "a self-signed certificate, and its digest in the TLSA record",
        (smtp(SELF_SIGNED),),
        passes="tls.cert_self_signed dane.tlsa_mismatch",
        proposed="TLSA 3 1 1 {leaf}",
        tlsa="{leaf}",
    ),
    "l09": Rebuilt(
        "a certificate of a private CA, and the CA's digest in the TLSA record",
        (smtp(PRIVATE),),
        passes="tls.cert_untrusted tls.cert_name dane.tlsa_mismatch",
        proposed="TLSA 2 1 1 {ca}",
        tlsa="{ca}",
    ),
    "l15": Rebuilt(
        "a self-signed certificate, and its digest in the TLSA record",
        (smtp(SELF_SIGNED),),
        "warning dane.tlsa_unusable, warning tls.cert_self_signed",
        "notice mtasts.none, warning dane.tlsa_unusable, warning tls.cert_self_signed",
        words=("usage 1 does not count",),
        proposed="TLSA 3 1 1 {leaf}",
        tlsa="{leaf}",
    ),
    "p03": Rebuilt(
        "a certificate for another name, and a policy whose mode is none",
        (smtp(Certificate(("elsewhere.example",), issuer="lets-encrypt")),),
        "warning tls.cert_name",
        "notice mtasts.mode_testing, warning tls.cert_name",
        words=("elsewhere.example, not for mx1.firm.example",),
        pages=((POLICY, policy("none", MX)),),
    ),
    "q02": Rebuilt(
        "a chain with its root, which an older root has signed with SHA-1",
        (smtp(LETS_ENCRYPT._replace(with_sha1_root=True)),),
        passes="tls.cert_weak_signature tls.cert_untrusted",
    ),
    "q19": Rebuilt(
        "a certificate of its own at each address, one renewed before the other",
        (
            smtp(Certificate(age_days=60, left_days=30, issuer="lets-encrypt")),
            smtp(Certificate(age_days=1, left_days=89, issuer="lets-encrypt")),
        ),
        "notice tls.cert_differs_between_ports",
        words=("its addresses show 2 different certificates",),
    ),
    "u11": Rebuilt(
        "a server that is well: it is asked whether it is on block lists",
        (smtp(),),
        "dnsbl.unavailable?",
        words=("zen.spamhaus.org cannot be queried from here: it refuses to answer this resolver (127.255.255.255)",),
        arguments=("--dnsbl",),
    ),
    "v01b": Rebuilt(
        "what Postfix says to a foreign recipient where relaying is deferred (Debian)",
        (smtp(relay="454 4.7.1 <{recipient}>: Relay access denied"),),
        passes="smtp.open_relay",
    ),
    "v04a": Rebuilt(
        "what Postfix says to each recipient of a client on a block list",
        (
            smtp(
                rules=(
                    (
                        "^RCPT",
                        "554 5.7.1 Service unavailable; Client host [{client}] blocked using zen.spamhaus.org; "
                        "https://www.spamhaus.org/query/ip/{client}",
                    ),
                )
            ),
        ),
        "smtp.open_relay?",
        words=("it refuses this machine (a block list, its address or its PTR record)", "test from another machine"),
    ),
    "v07a": Rebuilt(
        "what Postfix says to each recipient of a client that gives no full name",
        (smtp(rules=(("^RCPT", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"),)),),
        "smtp.open_relay?",
        words=("it refuses the name in EHLO: 504 5.5.2", "--helo"),
    ),
    "v18a": Rebuilt(
        "what a policy server says where SPF forbids the sender; none is asked of the null sender",
        (
            smtp(
                rules=(
                    (
                        "^RCPT .* FROM .*@example",
                        "550 5.7.23 <{recipient}>: Recipient address rejected: Message rejected due to: SPF fail - not "
                        "authorized. Please see http://www.open-spf.org/Why?s=mfrom;id={sender};ip={client};r=<UNKNOWN>",
                    ),
                )
            ),
        ),
        passes="smtp.open_relay",
    ),
    "v21a": Rebuilt(
        "what Exim says where a callout to the sender's host fails; none is made for the null sender",
        (
            smtp(
                relay="550 relay not permitted",
                rules=(
                    (
                        "^RCPT .* FROM .*@example",
                        "550-Verification failed for <{sender}>\n550-Called:   192.0.2.1\n550-Sent:     RCPT TO:"
                        "<{sender}>\n550-Response: 550 5.1.1 User unknown\n550 Sender verify failed",
                    ),
                ),
            ),
        ),
        passes="smtp.open_relay",
    ),
    "v24": Rebuilt(
        "a server that refuses an address literal in EHLO and HELO",
        (smtp(rules=((r"^(EHLO|HELO) \[", "501 5.5.2 Syntax error: a host name is required"),)),),
        "smtp.open_relay?, warning smtp.ehlo_refused",
        words=("EHLO [127.0.0.1] is refused: 501 5.5.2 Syntax error: a host name is required", "--helo"),
        arguments=("--helo", "[127.0.0.1]"),
    ),
    "w16": Rebuilt(
        "ManageSieve that sends capabilities and response codes as literals, and says ok",
        ((*smtp(), Service("sieve", greeting=_LITERALS, certificates=(LETS_ENCRYPT,))),),
        passes="sieve.greeting_rejected sieve.starttls_missing sieve.auth_before_tls",
    ),
    "x11": Rebuilt(
        "a server at the MX host's address, which is IPv6, and none at the other; in a network of its own",
        ((), smtp()),
        "warning dns.mx_ipv6_only",
        "notice dns.caa_conflict, notice mtasts.none, warning dns.mx_ipv6_only",
        passes="smtp.open_relay tls.cert_name dns.fcrdns_mismatch",
    ),
    "y01": Rebuilt(
        "nothing: the address is that of a web server",
        ((),),
        "",
        "error dkim.key_missing, notice dns.caa_conflict, warning dmarc.none",
        passes="dns.mx_none",
    ),
    "y03": Rebuilt(
        "nothing: the address is that of a web server",
        ((),),
        "dns.mx_none?, dns.resolver_error?",
        "dns.mx_none?, dns.resolver_error?, error dkim.key_missing, notice dns.caa_conflict, notice mtasts.none, "
        "notice tlsrpt.none, warning dmarc.none, warning spf.none",
        words=("no answer within",),
        timeout_s="1",
    ),
    "z01": Rebuilt(
        "a hosts file that gives the name to 127.0.1.1, as Debian's installer writes it; in a network of its own",
        (smtp(),),
        passes="dns.mx_private smtp.open_relay tls.cert_name",
    ),
}


def hosts_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses in a file, each with the first name that has it."""
    found: dict[str, str] = {}
    for name, records in document.items():
        for kind in ("A", "AAAA") if name.endswith(".example.") else ():
            for address in records.get(kind, ()):
                found.setdefault(address, name.rstrip("."))
    return found


class Looked(NamedTuple):
    """What both commands said of a domain, and the digests of its certificates by name."""

    diagnosed: dict[str, Any]
    surveyed: dict[str, Any]
    digests: dict[str, str]


class Field:
    """What the rebuilt servers share: a home for the commands, places to answer at, and who issues certificates."""

    def __init__(self, home: Path, doors: Doors, authority: Authority) -> None:
        self._home, self._doors, self._authority = home, doors, authority

    def look(self, path: Path, server: Rebuilt) -> Looked:
        """Let the server of a file answer, and ask both commands about its domain."""
        text = path.read_text("utf-8").replace("127.77.", f"127.{self._doors.net}.")
        text = text.replace(".77.127.", f".{self._doors.net}.127.")
        issued = []
        with contextlib.ExitStack() as stack:
            hosts = hosts_of(json.loads(text))
            for (address, host), services in zip(hosts.items(), server.services, strict=True):
                _, opened = self._doors.open(host, services, address)
                issued += [one for door in opened for one in door.issued]
            if server.pages:
                chain = self._authority.issue(Certificate(), f"mta-sts.{DOMAIN}").chain
                stack.enter_context(web(dict(server.pages), chain, (next(iter(hosts)), 443)))
            digests = tlsa_words(issued) if issued else {}
            text = re.sub(r'"(\d \d \d) [0-9a-f]+"', rf'"\1 {server.tlsa.format(**digests)}"', text)
            zones, faults, is_secure = published(text)
            names = stack.enter_context(serving(zones, faults, validates=is_secure))
            ports = {f"--port={PORTS[one.kind]}" for services in server.services for one in services}
            patience = ("--timeout", server.timeout_s)
            diagnosed = self._ask(names, "diagnose", DOMAIN, *ports, *patience, *server.arguments)
            return Looked(diagnosed, self._ask(names, "dns", DOMAIN, "--selector", "s1", *patience), digests)

    def _ask(self, names: NameServer, *arguments: str) -> dict[str, Any]:
        options = ("--ca-file", str(self._authority.ca_file), "--nameserver", f"127.0.0.1:{names.port}", "--json")
        done = run(self._home, *arguments, *options)
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@contextlib.contextmanager
def rebuilding(home: Path) -> Iterator[Field]:
    """Make a place for servers; skip where they cannot have their usual ports."""
    authority = Authority(home)
    with Doors(authority) as doors:
        if doors.offset:
            pytest.skip("the usual ports cannot be used here")
        yield Field(home, doors, authority)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with rebuilding(tmp_path_factory.mktemp("field")) as made:
        yield made


def reported(document: Mapping[str, Any]) -> list[str]:
    """Return what is reported above info."""
    found = [
        f"{one['id']}?" if one["status"] == "unknown" else f"{one['severity']} {one['id']}"
        for one in document["findings"]
        if one["status"] in ("fail", "unknown") and one["severity"] != "info"
    ]
    return sorted(found)


def without(looked: Looked, finding_id: str) -> Looked:
    """Return what was said but for one finding: that the test's own servers are on loopback."""

    def rest(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "findings": [one for one in document["findings"] if one["id"] != finding_id]}

    return looked._replace(diagnosed=rest(looked.diagnosed), surveyed=rest(looked.surveyed))


def labels(text: str) -> list[str]:
    """Return what stands in a label."""
    return sorted(filter(None, text.split(", ")))


def judge(looked: Looked, server: Rebuilt) -> None:
    """Hold what was said against the label."""
    assert reported(looked.diagnosed) == labels(server.diagnosed), looked.diagnosed["findings"]
    assert reported(looked.surveyed) == labels(server.surveyed), looked.surveyed["findings"]
    findings = [*looked.diagnosed["findings"], *looked.surveyed["findings"]]
    assert set(server.passes.split()) <= {one["id"] for one in findings if one["status"] == "pass"}
    said = "\n".join(one["message"] for one in looked.diagnosed["findings"] if one["status"] != "pass")
    assert [words for words in server.words if words not in said] == []
    proposed = [f"{row['type']} {row['expected']}" for row in looked.surveyed["records"]]
    assert not server.proposed or server.proposed.format(**looked.digests) in proposed


@pytest.mark.parametrize("path", files(SERVERS.keys() - PUBLIC), ids=lambda path: path.stem)
def test_a_server_that_people_reported_is_seen_as_it_is(path: Path, field: Field) -> None:
    server = SERVERS[case_of(path)]
    judge(without(field.look(path, server), "dns.mx_private"), server)


@alone
@pytest.mark.parametrize("path", files(PUBLIC), ids=lambda path: path.stem)
def test_a_server_at_a_public_address_is_seen_as_it_is(path: Path, tmp_path: Path) -> None:
    """In a network and with a hosts file of its own, in which the public addresses of the file are this machine's."""
    own = tmp_path / "hosts"
    own.write_text(f"127.0.0.1 localhost\n127.0.1.1 {MX} mx1\n")
    script = f"mount --bind {own} /etc/hosts && ip link set lo up"
    script += "".join(f" && ip addr add {one} dev lo" for one in hosts_of(json.loads(path.read_text("utf-8"))))
    code = "import sys; from tests.diagnose.test_field import act; act(*sys.argv[1:])"
    command = ["unshare", "-mn", "sh", "-ec", f'{script} && exec "$@"', "sh"]
    command += [sys.executable, "-c", code, str(path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    judge(Looked(*json.loads(done.stdout)), SERVERS[case_of(path)])


def act(path: str, home: str) -> None:
    """Look at the server of a file, and print what was said."""
    with rebuilding(Path(home)) as made:
        print(json.dumps(made.look(Path(path), SERVERS[case_of(Path(path))])))


@pytest.mark.parametrize("path", files({"u11"}), ids=lambda path: path.stem)
def test_the_check_of_block_lists_believes_no_list_that_refuses_to_answer(path: Path) -> None:
    zones, faults, _ = published(path.read_text("utf-8"))
    with serving(zones, faults) as names:
        host = dnsbl.ListedHost(MX, 0.0, LISTS, nameservers=(("127.0.0.1", names.port),))
        facts = list(dnsbl.run(cast(RunContext, None), host))
    assert [one.text for one in facts if isinstance(one, Note)] == [f"OK (not on {len(LISTS) - 1} lists)"]
    assert not any(isinstance(one, Finding) for one in facts)


def test_each_file_is_named_in_a_table_and_each_row_has_its_file() -> None:
    assert {case_of(path) for path in files()} == {*SERVERS, *SEEN}
    assert all(server.rebuilt for server in SERVERS.values())
