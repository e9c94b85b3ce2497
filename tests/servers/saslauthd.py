"""Logins against /etc/shadow for servers that ask Cyrus SASL: Postfix, Sendmail and Cyrus."""

from __future__ import annotations

from tests.servers.machine import Machine

PACKAGES = ("sasl2-bin", "libsasl2-modules")
CONF = "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\n"
_PLACE = "/run/saslauthd"
# In a chroot /var/run is no link.
_BELOW = "/var/run/saslauthd"


def configure(machine: Machine, user: str, chroot: str = "") -> None:
    """Let a user ask, also from inside a chroot."""
    machine.run("adduser", "--quiet", user, "sasl")
    if chroot:
        place = machine.path(f"{chroot}{_BELOW}")
        place.mkdir(parents=True, exist_ok=True)


def start(machine: Machine, chroot: str = "") -> None:
    """Start the daemon unless it runs, and show its socket inside the chroot."""
    if not machine.run("pgrep", "-x", "saslauthd", check=False):
        machine.run("install", "-d", "-m", "750", "-g", "sasl", _PLACE)
        machine.run("saslauthd", "-a", "shadow", "-m", _PLACE, "-n", "2")
    if chroot and machine.run("mountpoint", f"{chroot}{_BELOW}", check=False).endswith("is not a mountpoint\n"):
        machine.run("mount", "--bind", _PLACE, f"{chroot}{_BELOW}")
