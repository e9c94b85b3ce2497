"""Signing of outgoing and verification of incoming mail (RFC 6376, OpenDKIM as a milter)."""

import base64
import subprocess
from pathlib import Path
from string import Template

from .settings import DOMAIN, Settings, make_directory, write

SELECTOR = "tb"

_OPENDKIM_CONF = Template("""\
Syslog no
UMask 000
Mode sv
Socket local:$dir/dkim/milter.sock
Domain $domain
Selector $selector
KeyFile $dir/dkim/private.key
RequireSafeKeys false
Canonicalization relaxed/relaxed
# must not hold 127.0.0.1: mail from an internal host is signed and never verified
InternalHosts file:$dir/dkim/internal
PeerList file:$dir/dkim/peers
AuthservID $domain
AlwaysAddARHeader true
OversignHeaders From
# instead of ResolverConfiguration: OpenDKIM 2.11 reads that through a parser of libunbound that is not safe with
# threads, and dies of it when several mails come at once ("fatal flex scanner internal error")
TestPublicKeys $dir/dkim/public-keys
Background no
""")


def socket_path(directory: Path) -> Path:
    """Name the milter's socket."""
    return directory / "dkim" / "milter.sock"


def configure(settings: Settings) -> str:
    """Write OpenDKIM's files and return the record that publishes the key."""
    dkim = make_directory(settings.directory / "dkim")
    record = _key_record(dkim / "private.key")
    conf = _OPENDKIM_CONF.substitute(dir=settings.directory, domain=DOMAIN, selector=SELECTOR)
    write(settings.directory / "opendkim.conf", conf)
    write(dkim / "public-keys", f"{SELECTOR}._domainkey.{DOMAIN} {record}\n")
    write(dkim / "internal", "192.0.2.1\n")
    write(dkim / "peers", "192.0.2.2\n")
    return record


def _key_record(key: Path) -> str:
    if not key.exists():
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True, timeout=60)
        key.chmod(0o600)
    export = ["openssl", "rsa", "-in", str(key), "-pubout", "-outform", "DER"]
    public = subprocess.run(export, check=True, capture_output=True, timeout=60).stdout
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
