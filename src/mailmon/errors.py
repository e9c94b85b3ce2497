"""What can go wrong, whose fault it is, and the exit code that says so (docs/exit-codes.md)."""

from __future__ import annotations

from enum import StrEnum

_PACKAGE = __file__.rpartition("/")[0] + "/"


class MailmonError(Exception):
    """An error that ends the command with one clear line.

    `advice` says what to do about it, in a sentence of its own.
    """

    exit_code = 70
    code = "internal"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class ConfigError(MailmonError):
    """The configuration cannot be used; `problems` holds every mistake that was found."""

    exit_code = 78
    code = "config"

    def __init__(self, source: str, problems: list[str], advice: str = "") -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems), advice)
        self.problems = problems

    @classmethod
    def of(cls, told: list[tuple[str, str]], advice: str = "") -> ConfigError:
        """Return an error of mistakes in several places: a file, a variable, an option."""
        error = cls("", [problem for _, problem in told], advice)
        error.message = "\n".join(f"{source}: {problem}" for source, problem in told)
        error.args = (error.message,)
        return error


class UsageError(MailmonError):
    """A command or use case was called with a value that it cannot take: that of `field`, where it is given."""

    exit_code = 2
    code = "usage"

    def __init__(self, message: str, advice: str = "", *, field: str = "") -> None:
        super().__init__(message, advice)
        self.field = field


class UnknownNameError(MailmonError):
    """A name that the configuration does not have: wrong usage."""

    exit_code = 2
    code = "usage"


class StateError(MailmonError):
    """The state file, its lock or its key cannot be read or written."""

    exit_code = 74
    code = "state"


class LockHeldError(MailmonError):
    """Another run holds the lock."""

    exit_code = 75
    code = "locked"


class StuckLockError(StateError):
    """Another run holds the lock for far longer than a run may take: it hangs, or was stopped.

    `holder` is what that run wrote of itself, the same as long as it holds the lock.
    """

    def __init__(self, message: str, advice: str = "", *, holder: str = "") -> None:
        super().__init__(message, advice)
        self.holder = holder


class MissingExtraError(MailmonError):
    """An optional part of mailmon is not installed."""

    exit_code = 78
    code = "missing_extra"


class MalformedError(MailmonError):
    """Bytes from outside that no parser can make sense of: a reply, a bounce, a header."""

    exit_code = 1
    code = "malformed"


class Stage(StrEnum):
    """Where in a conversation with a mail server something happened."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    CERTIFICATE = "certificate"
    GREETING = "greeting"
    EHLO = "EHLO"
    LOGIN = "login"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    SELECT = "select"
    ARRIVAL = "arrival"
    CLEANUP = "cleanup"


class StageError(MailmonError):
    """A conversation with a mail server ended at `stage`; `finding_id` names the problem (docs/findings.md).

    `ours` is true only with positive evidence that the trouble is on our side (no route at all).
    `lost` says that the connection broke, as against an answer that was a refusal.
    `is_silence` says that nothing came back, so that it could be our own trouble as well as the server's.
    `is_temporary` is a transient negative reply (RFC 5321 section 4.2.1).
    `is_critical` says that mail is exposed, not just delayed.
    """

    exit_code = 1
    code = "check"

    def __init__(
        self,
        finding_id: str,
        stage: Stage,
        target: str,
        said: str,
        advice: str = "",
        *,
        ours: bool = False,
        lost: bool = False,
        is_temporary: bool = False,
        is_silence: bool = False,
        is_critical: bool = False,
    ) -> None:
        temporary = " (temporary)" if is_temporary else ""
        super().__init__(f"{target}: {stage}: {said}{temporary}", advice)
        self.finding_id = finding_id
        self.stage = stage
        self.target = target
        self.said = said
        self.ours = ours
        self.lost = lost
        self.is_temporary = is_temporary
        self.is_silence = is_silence
        self.is_critical = is_critical


class DeliveryError(MailmonError):
    """An alert did not reach its channel; it stays in the outbox.

    `is_permanent`: the channel refused it in a way that a repetition will not change (401, 403, 404).
    `retry_after_s`: seconds that the channel asked us to wait, None when it did not.
    """

    exit_code = 69
    code = "delivery"

    def __init__(
        self, message: str, advice: str = "", *, is_permanent: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, advice)
        self.is_permanent = is_permanent
        self.retry_after_s = retry_after_s


def place_of(exc: BaseException) -> str:
    """Return the deepest place in mailmon that an exception passed; no values, which could be secrets."""
    place, trace = "?", exc.__traceback__
    while trace:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(_PACKAGE):
            place = f"{path.removeprefix(_PACKAGE)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
