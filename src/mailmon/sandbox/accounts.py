"""The users of the sandbox, their passwords and addresses."""

import base64
import hmac
from collections import Counter
from collections.abc import Mapping

from mailmon.sandbox.faults import Faults


class Accounts:
    """The users of the sandbox; their login names are their addresses."""

    def __init__(self, users: Mapping[str, str], faults: Faults, tokens: Mapping[str, str] | None = None) -> None:
        self.has_tokens = bool(tokens)
        self._tokens = {address.lower(): token for address, token in (tokens or {}).items()}
        self._names = {address.encode() for address in users}
        self.logins: Counter[tuple[str, str]] = Counter()
        self._passwords = {address.lower(): password for address, password in users.items()}
        self._faults = faults

    def login(self, service: str, name: bytes, password: bytes) -> str | None:
        """Return the user's address, or None if the login is refused; both are counted."""
        address = name.decode("utf-8", "replace").lower()
        expected = self._passwords.get(address, "").encode()
        takes_any = service in self._faults.any_password
        is_right = address in self._passwords and (takes_any or hmac.compare_digest(expected, password))
        if self._faults.exact_case and name not in self._names:
            is_right = False
        return self._counted(service, address, is_right=is_right)

    def login_with_token(self, service: str, answer: bytes) -> str | None:
        """Return the user's address for XOAUTH2, `user=NAME^Aauth=Bearer TOKEN^A^A`, None if the token is refused."""
        fields = dict(part.partition(b"=")[::2] for part in answer.split(b"\x01") if part)
        address = fields.get(b"user", b"").decode("utf-8", "replace").lower()
        token = fields.get(b"auth", b"").removeprefix(b"Bearer ")
        expected = self._tokens.get(address)
        is_right = expected is not None and hmac.compare_digest(expected.encode(), token)
        return self._counted(service, address, is_right=is_right)

    def _counted(self, service: str, address: str, *, is_right: bool) -> str | None:
        accepted = is_right and service not in self._faults.refuse_login
        self.logins[service, "ok" if accepted else "refused"] += 1
        return address if accepted else None

    def refusal(self, name: bytes, password: bytes) -> str:
        """Return the words of a refused login: with the credentials in them if the sandbox plays a hostile server."""
        if not self._faults.echo_credentials:
            return "Authentication credentials invalid"
        plain = base64.b64encode(b"\0" + name + b"\0" + password).decode()
        alone = base64.b64encode(password).decode()
        shown = password.decode("utf-8", "replace").encode("ascii", "backslashreplace").decode()
        return f"Wrong password {_printable(shown)} ({alone}, PLAIN {plain})"

    def owner(self, address: str) -> str | None:
        """Return the user who gets mail for this address; user+detail is user's (RFC 5233)."""
        local, at, domain = address.lower().rpartition("@")
        owner = f"{local if self._faults.no_detail else local.partition('+')[0]}{at}{domain}"
        return owner if owner in self._passwords else None


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
