"""Other ways of running a cycle, as far as they are installed here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.commands import Command
from bench.environment import Environment, Ports

PLUGINS = Path("/usr/lib/nagios/plugins")
PACKAGES = (
    "apt-get install -y --no-install-recommends swaks curl monitoring-plugins-contrib libmail-imapclient-perl "
    "libio-socket-ssl-perl libnet-smtp-ssl-perl libauthen-sasl-perl"
)

# One send, then a search on a new connection until it finds; at last both commands of the deletion on one more.
_SWAKS_AND_CURL = r"""
set -eu
token=bench-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
swaks --server "$HOST" --port "$SENDING" -tls --tls-ca-path "$BUNDLE" --tls-verify -a PLAIN -au "$NAME" \
  -ap "$PASSWORD" -f "$NAME" -t "$NAME" --header "Subject: $token" --silent 2
url=imaps://$HOST:$READING/INBOX
imap() { curl -sS --cacert "$BUNDLE" -u "$NAME:$PASSWORD" "$@"; }
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  uid=$(imap "$url" -X "UID SEARCH SUBJECT $token" | tr -cd '0-9')
  [ -z "$uid" ] || break
  sleep 0.05
done
imap "$url" -X "UID STORE $uid +FLAGS.SILENT (\\Deleted)" --next -sS --cacert "$BUNDLE" -u "$NAME:$PASSWORD" \
  "$url" -X "UID EXPUNGE $uid"
"""

_CHECK_EMAIL_DELIVERY = r"""
set -eu
token=bench-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
cd "$PLUGINS"
exec ./check_email_delivery --wait "$WAIT" \
  -p "./check_smtp_send -H $HOST --ssl --port $SENDING -U $NAME -P $PASSWORD --mailfrom $NAME --mailto $NAME \
      --header 'Subject: $token' --body x" \
  -p "./check_imap_receive -H $HOST --ssl --port $READING --ssl-ca-file $BUNDLE -U $NAME -P $PASSWORD \
      -s SUBJECT -s $token --delete --imap-check-interval 1"
"""


class Peer(NamedTuple):
    """Another tool. `sending` names the service it sends by; `is_slow`: it waits for seconds before it looks."""

    name: str
    at: Callable[[Ports], Command]
    sending: str = "submission"
    is_slow: bool = False


def installed(environment: Environment) -> list[Peer]:
    """Return the peers that are here; say how to get those that are not."""
    found = []
    if shutil.which("swaks") and shutil.which("curl"):
        found.append(Peer("swaks + curl", lambda ports: _shell(environment, _SWAKS_AND_CURL, ports)))
    else:
        print(f"skipped: swaks + curl are not installed ({PACKAGES})")
    plugins = [PLUGINS / name for name in ("check_email_delivery", "check_smtp_send", "check_imap_receive")]
    if all(os.access(plugin, os.X_OK) for plugin in plugins):
        found.append(
            Peer(
                "check_email_delivery",
                lambda ports: _shell(environment, _CHECK_EMAIL_DELIVERY, ports),
                sending="smtps",
                is_slow=True,
            )
        )
    else:
        print(f"skipped: check_email_delivery is not installed ({PACKAGES})")
    return found


def _shell(environment: Environment, script: str, ports: Ports) -> Command:
    bed = environment.bed
    named = {
        "HOST": bed.host,
        "SENDING": str(ports.sending),
        "READING": str(ports.reading),
        "BUNDLE": str(environment.ca_bundle),
        "NAME": bed.user,
        "PASSWORD": bed.password,
        "PLUGINS": str(PLUGINS),
        "WAIT": "5",
    }
    return Command(["/bin/sh", "-c", script], environment.environ | named)
