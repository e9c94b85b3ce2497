"""Class, reason and recipients of a bounce (mail/bounce/reasons.py, recipients.py)."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import classify
from mailmon.mail.bounce.values import Recipient
from tests.mail.bounce.notifications import dsn, report

UNKNOWN = [
    ("5.0.0", "550 No such user"),
    ("5.0.0", "550 Unknown user"),
    ("5.0.0", "550 Invalid recipient bob@example.org"),
    ("5.0.0", "550 user not found"),
    ("5.0.0", "550 User bob unknown"),
    ("5.0.0", "550 User <nobody.here> unknown"),
    ("5.0.0", "550 Mailbox bob@example.org does not exist"),
    ("5.0.0", "550 Recipient bob@example.org is not a known user here"),
    ("5.0.0", "550 MXIN501 mailbox <bob@example.org> unknown ;id=xx"),
    ("5.0.0", "554 RCPT (bob@example.org) dosn't exist"),
    ("5.0.0", "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)"),
    ("5.7.1", "550 5.7.1 <bob@example.org>: Recipient address rejected: User unknown in relay recipient table"),
    ("5.7.1", "550 5.7.1 No such recipient here"),
    ("5.7.1", "554 5.7.1 <bob@example.org>: Recipient address rejected: Not in recipient list"),
    ("5.1.1", "550 5.1.1 Recipient address rejected: Access denied"),
    ("5.1.1", "550 5.1.1 words that nobody knows"),
    ("5.1.1", ""),
]


@pytest.mark.parametrize(("status", "words"), UNKNOWN)
def test_an_unknown_user_is_hard_where_the_refused_command_is_not_known(status: str, words: str) -> None:
    assert outcome(status, words) == ("userunknown", True)


OURS = [
    ("4.7.1", "450 4.7.1 <a.example.net>: Helo command rejected: Host not found"),
    ("5.5.2", "550 5.5.2 <a.example.net>: Helo command rejected: Host not found"),
    ("5.7.1", "550 5.7.1 Invalid HELO: unknown host"),
    ("5.7.1", "550 EHLO name unknown host"),
    ("5.1.8", "553 5.1.8 <alice@example.com>: Sender address rejected: Domain not found"),
    ("5.1.8", "553 5.1.8 No such user"),
    ("5.0.0", "550 Unknown sender domain"),
    ("5.0.0", "550 Sender verify failed: no such user"),
    ("5.0.0", "550 Callback to <alice@example.com> failed: User unknown"),
    ("5.7.1", "550 5.7.1 [SDNF] Sender Domain Not Found"),
    ("5.7.1", "552 sorry, your envelope sender domain must exist (#5.7.1)"),
    ("5.7.1", "550 5.7.1 Client host rejected: host not found"),
    ("5.7.1", "554 5.7.1 Your reverse DNS does not exist"),
    ("5.7.1", "550 5.7.1 Return path domain does not exist"),
    ("5.7.27", "550 5.7.27 Sender address has null MX"),
    ("5.1.1", "550 5.1.1 <alice@example.com>: not here"),
    ("5.0.0", "550 example.com does not exist"),
    ("5.0.0", "550 unknown user alice@example.com (in reply to RCPT TO command)"),
    ("5.1.1", "550 5.1.1 <postmaster@example.com>: no such user (in reply to RCPT TO command)"),
    ("5.0.0", "550 Domain example.com does not exist"),
    ("5.4.4", "550 5.4.4 example.com: host unknown"),
    ("5.1.2", "550 5.1.2 mx.example.net host unknown"),
    ("5.0.0", "550 MX of example.com not found"),
    ("5.0.0", "550 User alice@example.com is not a known sender"),
    ("5.0.0", "554 URL domain does not exist in message body (in reply to end of DATA command)"),
    ("5.7.1", "554 5.7.1 Blocked for harvesting: invalid recipient rate too high"),
    ("5.7.1", "5.1.0 - Unknown address error 554-'5.7.1 spam message rejected'"),
    ("5.0.0", "550 Ismeretlen hiba"),
    ("5.0.0", "550 Erreur inconnue"),
    ("5.0.0", "550 unknown domain (in reply to MAIL FROM command)"),
    ("5.0.0", "550 5.1.1 unknown user (in reply to EHLO command)"),
    ("5.0.0", "550 Domain des Absenders existiert nicht"),
    ("5.0.0", "550 домен отправителя не найден"),
    ("5.0.0", "550 发件人域名不存在"),
    ("5.0.0", "550 送信元ドメインが存在しません"),
    ("5.0.0", "550 domínio do remetente inexistente"),
    ("5.0.0", "550 gönderen alan adı bulunamadı"),
    ("5.0.0", "550 unknown host, go away"),
    ("5.0.0", "550 IP 192.0.2.1 does not resolve: host not found"),
    ("5.0.0", "550 Domain example.com has no MX record, domain not found"),
    ("5.0.0", "550 Verification of the sender failed: mailbox unavailable"),
    ("5.0.0", "550 SRS address not valid"),
    ("5.0.0", "550 too many invalid recipients"),
    ("5.6.0", "550 5.6.0 invalid recipient header"),
    ("5.5.4", "504 5.5.4 unrecognized authentication type, user unknown"),
    ("5.0.0", "503 unknown user"),
]


@pytest.mark.parametrize(("status", "words"), OURS)
def test_trouble_with_our_host_or_sender_is_no_unknown_user_or_host(status: str, words: str) -> None:
    reason, is_hard = outcome(status, words)
    assert reason not in ("userunknown", "hostunknown", "hasmoved", "notaccept")
    assert not is_hard


# The same words about the recipient and about the sender: hard, and not.
LANGUAGES = [
    ("пользователь не найден", "отправитель не найден"),
    ("користувача не знайдено", "відправника не знайдено"),
    ("el usuario no existe", "el remitente no existe"),
    ("l'utilisateur n'existe pas", "l'expéditeur n'existe pas"),
    ("l'utente non esiste", "il mittente non esiste"),
    ("utilizatorul nu există", "expeditorul nu există"),
    ("korisnik ne postoji", "pošiljatelj ne postoji"),
    ("používateľ neexistuje", "odosielateľ neexistuje"),
    ("a címzett nem található", "a feladó nem található"),
    ("vastaanottajaa ei löydy", "lähettäjää ei löydy"),
    ("brugeren findes ikke", "afsenderen findes ikke"),
    ("địa chỉ không tồn tại", "người gửi không tồn tại"),
    ("alamat tidak ditemukan", "pengirim tidak ditemukan"),
    ("המשתמש לא קיים", "השולח לא קיים"),
    ("المستخدم غير موجود", "المرسل غير موجود"),
    ("宛先が見つかりません", "差出人が見つかりません"),
    ("用户不存在", "发件人不存在"),
]


@pytest.mark.parametrize(("recipient", "sender"), LANGUAGES)
def test_a_missing_recipient_is_hard_and_a_missing_sender_is_not_in_any_language(recipient: str, sender: str) -> None:
    assert outcome("5.0.0", f"550 {recipient}") == ("userunknown", True)
    assert outcome("5.0.0", f"550 {sender}")[1] is False


FOR_NOW = [
    ("4.0.0", "451 Could not complete recipient verify callout for <bob@example.org>", "networkerror"),
    ("4.0.0", "450 user unknown, try later", "userunknown"),
    ("5.0.0", "450 user unknown, try later", "userunknown"),
    ("4.1.2", "450 4.1.2 <bob@example.org>: Recipient address rejected: Domain not found", "hostunknown"),
    ("4.1.1", "450 4.1.1 Recipient address rejected: unverified address: verification in progress", "networkerror"),
    ("4.1.1", "450 4.1.1 Recipient address rejected: unverified address: connect to mx: refused", "networkerror"),
    ("4.1.1", "", "userunknown"),
    ("4.1.1", "450 4.1.1 <bob@example.org>: User unknown in virtual alias table", "userunknown"),
    ("5.4.4", "Name service error for domain example.org: Host not found, server failure", "networkerror"),
    ("5.1.2", "550 5.1.2 recipient domain not found (temporary)", "networkerror"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "words", "reason"), FOR_NOW)
def test_a_temporary_answer_is_not_hard(status: str, words: str, reason: str) -> None:
    assert outcome(status, words) == (reason, False)


FULL = [
    ("5.1.1", "550 5.1.1 MXIN505 mailbox bob@example.org is full"),
    ("5.1.1", "550 5.1.1 mailbox <bob@example.org> is full"),
    ("5.1.1", "550 5.1.1 the mailbox 'bob' is full"),
    ("5.0.0", "552 User bob has exceeded his quota"),
]


@pytest.mark.parametrize(("status", "words"), FULL)
def test_a_name_between_the_words_hides_none_of_them(status: str, words: str) -> None:
    assert outcome(status, words) == ("mailboxfull", False)


DOMAINS = [
    ("5.1.2", "550 5.1.2 Host unknown"),
    ("5.0.0", "550 unknown domain"),
    ("5.0.0", "550 <bob@example.org>: host not found"),
    ("5.4.4", "Host or domain name not found. Name service error for name=example.org type=AAAA: Host not found"),
]


@pytest.mark.parametrize(("status", "words"), DOMAINS)
def test_an_unknown_domain_of_the_recipient_is_hard(status: str, words: str) -> None:
    assert outcome(status, words) == ("hostunknown", True)


def test_a_host_named_after_its_trade_is_no_reason() -> None:
    words = "<bob@example.org>: host mx.zerospam.example[192.0.2.25] said: 554 5.7.1 Not in recipient list"
    assert outcome("5.7.1", "554 5.7.1 Not in recipient list", words) == ("userunknown", True)


CODES_ALONE = [("5.1.1", "userunknown", True), ("5.1.2", "hostunknown", True), ("5.0.0", "undefined", False),
               ("5.2.2", "mailboxfull", False), ("4.4.7", "expired", False), ("5.1.8", "rejected", False)]  # fmt: skip


@pytest.mark.parametrize(("status", "reason", "is_hard"), CODES_ALONE)
def test_a_code_without_words_decides_alone(status: str, reason: str, is_hard: bool) -> None:
    assert outcome(status, "") == (reason, is_hard)


def test_a_person_who_is_called_like_a_word_hides_nothing() -> None:
    fields = f"{group('disabled@example.org', '5.2.1', '550 5.2.1 Mailbox disabled, not accepting messages')}"
    (found,) = recipients(fields, "It failed.")
    assert found.reason == "suspend"


def test_unknown_user_is_uncertain_after_data_or_with_a_mailbox_code() -> None:
    refused = "<bob@example.org>: host mx.example.org said: 550 User unknown (in reply to end of DATA command)"
    assert outcome("5.0.0", "550 User unknown", refused) == ("filtered", False)
    assert outcome("5.2.1", "550 5.2.1 User unknown") == ("filtered", False)


GATEWAYS = [
    ("550 : User unknown", "It failed."),
    ("550 bob@example.org... No such user", "Failed to send to identified host,\nbob@example.org: 550 No such user"),
    ("550 5.7.1 550 User Unknown: bob@example.org", "It failed."),
]


@pytest.mark.parametrize(("words", "text"), GATEWAYS)
def test_gateways_that_are_known_to_tell_no_command_leave_an_unknown_user_unsure(words: str, text: str) -> None:
    assert outcome("5.0.0", words, text) == ("filtered", False)


BOTH = "<bob@example.org>: 550 5.1.1 User unknown"


@pytest.mark.parametrize("text", ["It failed.", BOTH, f"{BOTH}\n\n<cid@example.com>: later", "550 5.1.1 User unknown"])
@pytest.mark.parametrize("status", ["5.0.0", "4.0.0", "4.4.7"])
def test_what_is_said_of_one_recipient_is_not_said_of_another(text: str, status: str) -> None:
    fields = f"{group('cid@example.com', status)}{group('bob@example.org', '5.1.1', '550 5.1.1 User unknown')}"
    cid, bob = recipients(fields, text)
    assert (cid.status, cid.is_hard) == (status, False)
    assert cid.reason != "userunknown"
    assert (bob.status, bob.reason, bob.is_hard) == ("5.1.1", "userunknown", True)


def test_words_that_name_only_another_address_are_not_the_recipients() -> None:
    (cid,) = recipients(group("cid@example.com", "5.0.0"), BOTH)
    assert (cid.reason, cid.is_hard) == ("undefined", False)


def test_words_for_several_recipients_are_those_of_each() -> None:
    fields = f"{group('ann@example.org', '5.0.0')}{group('bob@example.org', '5.0.0')}"
    found = recipients(fields, "The mailboxes are over quota:\n\n  ann@example.org\n  bob@example.org\n")
    assert [recipient.reason for recipient in found] == ["mailboxfull", "mailboxfull"]


def test_an_unknown_mailbox_at_the_senders_domain_may_be_where_mail_is_forwarded_to() -> None:
    assert outcome("5.1.1", "550 5.1.1 <carol@example.com>... User unknown") == ("userunknown", True)


@pytest.mark.parametrize("words", ["550 mailbox temporarily not found, try later", "550 5.1.1 temporarily unavailable"])
def test_a_server_that_says_for_now_is_believed_against_its_code(words: str) -> None:
    assert not outcome("5.1.1", words)[1]


@pytest.mark.parametrize("actions", [("relayed", "failed"), ("failed", "relayed"), ("delayed", "failed")])
def test_an_address_that_is_reported_twice_has_failed_where_one_report_says_so(actions: tuple[str, str]) -> None:
    reports = {"relayed": "2.0.0", "delayed": "4.4.1", "failed": "5.2.1"}
    groups = (
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {reports[action]}\n\n"
        for address, action in zip(("bob@example.org", "Bob@Example.org"), actions, strict=True)
    )
    (found,) = recipients("".join(groups), "It failed.")
    assert (found.action, found.status) == ("failed", "5.2.1")


def test_an_unknown_local_user_of_exim_is_hard() -> None:
    text = (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be"
        " delivered to one or more of its\nrecipients. This is a permanent error. The following address(es)"
        " failed:\n\n  nobody@example.org\n    Unknown user\n"
    )
    (found,) = recipients(group("nobody@example.org", "5.0.0"), text)
    assert (found.reason, found.is_hard) == ("userunknown", True)


def test_an_unknown_user_told_by_courier_is_hard() -> None:
    fields = (
        "Final-Recipient: rfc822; nobody.here@example.org\nAction: failed\nStatus: 5.0.0\n"
        "Diagnostic-Code: unknown; 550 User <nobody.here> unknown\n\n"
    )
    (found,) = recipients(fields, "<nobody.here@example.org>:\n <<< 550 User <nobody.here> unknown\n")
    assert (found.reason, found.is_hard) == ("userunknown", True)


def outcome(status: str, words: str, text: str = "It failed.") -> tuple[str, bool]:
    """Return the reason of one recipient, and whether it is hard."""
    recipient = classify(dsn(status, words, text=text)).recipients[0]
    return recipient.reason, recipient.is_hard


def recipients(fields: str, text: str) -> tuple[Recipient, ...]:
    """Return the recipients of a notification with these groups of fields."""
    return classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}", text=text)).recipients


def group(address: str, status: str, diagnostic: str = "") -> str:
    """Return the fields of one recipient."""
    words = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\n{words}\n"
