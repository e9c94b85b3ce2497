"""Notifications in every language, by their words or by their structure."""

from __future__ import annotations

import base64

import pytest

from mailmon.mail.bounce import Kind, classify

BOB = "bob@example.org"
MACHINE = (
    "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'"
)
ORIGINAL = (
    "Received: from srv1.example.org (192.0.2.7) by srv1.example.org\nMessage-ID: <1@lists.example.net>\n"
    "Subject: Newsletter\nTo: bob@example.org\nFrom: news@lists.example.net\n"
)


def mail(subject: str, text: str, kind: str = "text/plain", charset: str = "utf-8") -> bytes:
    """Return what Exchange sends: from the postmaster, with an empty return path, as an answer."""
    words = base64.b64encode(subject.encode(charset)).decode()
    body = base64.encodebytes(text.encode(charset)).decode()
    return (
        "Return-Path: <>\nFrom: postmaster@example.org\nTo: news@lists.example.net\nAuto-Submitted: auto-replied\n"
        f"Subject: =?{charset}?b?{words}?=\nMIME-Version: 1.0\nContent-Type: {kind}; charset={charset}\n"
        f"Content-Transfer-Encoding: base64\n\n{body}"
    ).encode()


# The subject and the line above the recipient, as Exchange writes them.
FAILURES = {
    "de": ("Unzustellbar: Rundbrief", "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:"),
    "fr": ("Non remis : Lettre", "Échec de la remise aux destinataires ou groupes suivants :"),
    "es": ("No se puede entregar: Boletín", "No se pudo entregar el mensaje a estos destinatarios o grupos:"),
    "it": ("Non recapitabile: Rassegna", "Recapito non riuscito nei confronti dei seguenti destinatari o gruppi:"),
    "pt": ("Não é possível entregar: Boletim", "A entrega falhou para estes destinatários ou grupos:"),
    "nl": ("Niet te bezorgen: Nieuwsbrief", "Uw bericht kan niet worden bezorgd bij deze geadresseerden of groepen:"),
    "pl": ("Niedostarczalne: Biuletyn", "Dostarczenie do następujących adresatów lub grup nie powiodło się:"),
    "cs": ("Nedoručitelné: Zpravodaj", "Doručení následujícím příjemcům nebo skupinám se nezdařilo:"),
    "sv": ("Olevererbart: Nyhetsbrev", "Det gick inte att leverera till följande mottagare eller grupper:"),
    "da": ("Kan ikke leveres: Nyhedsbrev", "Levering mislykkedes til følgende modtagere eller grupper:"),
    "no": ("Kan ikke leveres: Nyhetsbrev", "Levering mislyktes til disse mottakerne eller gruppene:"),
    "fi": ("Ei voi toimittaa: Uutiskirje", "Toimitus epäonnistui näille vastaanottajille tai ryhmille:"),
    "hu": ("Kézbesíthetetlen: Hírlevél", "Nem sikerült a kézbesítés a következő címzetteknek vagy csoportoknak:"),
    "tr": ("Teslim Edilemedi: Bülten", "Şu alıcılara veya gruplara teslim edilemedi:"),
    "ro": ("Nelivrabil: Buletin", "Livrarea nu a reușit la acești destinatari sau grupuri:"),
    "el": ("Δεν παραδόθηκε: Ενημέρωση", "Η παράδοση απέτυχε σε αυτούς τους παραλήπτες ή ομάδες:"),
    "ru": ("Недоставленное: Рассылка", "Не удалось выполнить доставку следующим получателям или группам:"),
    "uk": ("Не доставлено: Розсилка", "Не вдалося доставити таким одержувачам або групам:"),
    "ja": ("配信不能: お知らせ", "次の受信者またはグループへの配信に失敗しました:"),
    "zh": ("未送达: 五月通讯", "未能向以下收件人或组传递邮件:"),
    "zh-tw": ("無法傳遞: 五月通訊", "傳遞至下列收件者或群組失敗:"),
    "ko": ("배달되지 않음: 소식지", "다음 받는 사람 또는 그룹에게 배달하지 못했습니다:"),
    "ar": ("غير قابل للتسليم: نشرة", "فشل التسليم إلى هؤلاء المستلمين أو المجموعات:"),
    "he": ("לא ניתן למסור: עלון", "המסירה נכשלה לנמענים או לקבוצות אלה:"),
    "a language that no table knows": ("Xyzzy plugh: Abc", "Xyzzy plugh foo bar:"),
}


@pytest.mark.parametrize("language", FAILURES)
def test_a_failure_with_the_words_of_the_server_is_read(language: str) -> None:
    subject, words = FAILURES[language]
    text = f"{words}\n\n{BOB}<mailto:{BOB}>\nxyzzy plugh.\n\nXyzzy: srv1.example.org\n\n{BOB}\n{MACHINE}\n\n{ORIGINAL}"
    for one in (text, text.partition("\nReceived")[0]):
        found = classify(mail(subject, one))
        assert found.kind is Kind.BOUNCE
        assert [(one.address, one.status, one.is_hard) for one in found.recipients] == [(BOB, "5.1.10", True)]


@pytest.mark.parametrize("language", list(FAILURES)[:-1])
def test_a_failure_in_words_only_is_read_and_nobody_is_hard(language: str) -> None:
    subject, words = FAILURES[language]
    found = classify(mail(subject, f"{words}\n\n{BOB}\n"))
    assert found.kind is Kind.BOUNCE
    assert [(one.address, one.is_hard) for one in found.recipients] == [(BOB, False)]


# The subject, the line above the recipient, and what is said of the tries to come.
DELAYS = {
    "en": (
        "Delivery delayed: News",
        "Delivery is delayed to these recipients or groups:",
        "It hasn't been delivered yet.",
    ),
    "de": (
        "Verzögerte Zustellung: Rundbrief",
        "Die Zustellung an folgende Empfänger verzögert sich:",
        "Es wird versucht.",
    ),
    "fr": (
        "Retard de la remise : Lettre",
        "La remise à ces destinataires est retardée :",
        "Il n'a pas encore été remis.",
    ),
    "es": ("Retraso en la entrega: Boletín", "La entrega se ha retrasado:", "No se ha entregado todavía."),
    "it": ("Recapito ritardato: Rassegna", "Il recapito è in ritardo:", "Non è stato ancora recapitato."),
    "pt": ("Entrega Atrasada: Boletim", "A entrega está atrasada:", "Esta mensagem ainda não foi entregue."),
    "nl": ("Vertraagde bezorging: Nieuwsbrief", "De bezorging is vertraagd:", "Het is nog niet bezorgd."),
    "pl": ("Opóźnione dostarczenie: Biuletyn", "Dostarczenie jest opóźnione:", "Nie została jeszcze dostarczona."),
    "cs": ("Zpožděné doručení: Zpravodaj", "Doručení je zpožděno:", "Zpráva zatím nebyla doručena."),
    "sv": ("Fördröjd leverans: Nyhetsbrev", "Leverans är fördröjd:", "Meddelandet har inte levererats än."),
    "da": ("Forsinket levering: Nyhedsbrev", "Leveringen er forsinket:", "Den er endnu ikke leveret."),
    "fi": ("Toimitus viivästyy: Uutiskirje", "Toimitus viivästyy:", "Viestiä ei ole vielä toimitettu."),
    "hu": ("Késleltetett kézbesítés: Hírlevél", "A kézbesítés késik:", "Az üzenet még nem kézbesíthető."),
    "tr": ("Teslimat Gecikti: Bülten", "Teslimat gecikti:", "İleti henüz teslim edilmedi."),
    "ru": ("Доставка задержана: Рассылка", "Доставка задерживается:", "Сообщение еще не доставлено."),
    "ja": ("配信遅延: お知らせ", "次の受信者への配信が遅延しています:", "メッセージはまだ配信されていません。"),
    "zh": ("传递延迟: 通讯", "以下收件人的传递延迟:", "此邮件尚未送达。将继续尝试。"),
    "ko": ("배달 지연: 소식지", "다음 받는 사람에게 배달이 지연되고 있습니다:", "아직 배달되지 않았습니다."),
    "a language that no table knows": ("Xyzzy plugh: Abc", "Xyzzy plugh:", "Xyzzy 1 plugh, 19 foo xy 56 barbar."),
}


@pytest.mark.parametrize("language", DELAYS)
def test_a_delay_is_read(language: str) -> None:
    subject, words, more = DELAYS[language]
    found = classify(mail(subject, f"{words}\n\n{BOB}\n\nSubject: X\n\n{more}\n"))
    assert found.kind is Kind.DELAYED
    assert [(one.address, one.action, one.is_hard) for one in found.recipients] == [(BOB, "delayed", False)]


def test_only_temporary_codes_in_an_unknown_language_are_a_delay() -> None:
    text = f"Xyzzy plugh foo:\n\n{BOB}\n\n452 4.2.2 Mailbox full\n\n{ORIGINAL}"
    assert classify(mail("Xyzzy plugh", text)).kind is Kind.DELAYED
    assert classify(mail("Xyzzy plugh", text.replace("452 4.2.2", "552 5.2.2"))).kind is Kind.BOUNCE


PAGE = (
    "<html><head><style>body{{}}</style></head><body><h1>{words}</h1><table><tr><th>{name}</th><td>{bob}</td></tr>"
    "<tr><td><div>{words}</div><div>550 5.1.1 Address does not exist (in reply to RCPT TO command)</div></td></tr>"
    "</table></body></html>"
)
PAGES = [
    ("gb2312", "系统退信", "收件人：", "很抱歉，您的邮件被退回来了"),
    ("big5", "郵件退回", "收件者：", "無法送達"),
    ("euc-kr", "반송된 메일", "받는 사람:", "메일을 배달하지 못했습니다"),
    ("koi8-r", "Недоставленное сообщение", "Получатель:", "Сообщение не доставлено"),
    ("windows-1251", "Недоставленное сообщение", "Получатель:", "Сообщение не доставлено"),
    ("windows-1252", "Unzustellbar", "Empfänger:", "Die Nachricht konnte nicht zugestellt werden"),
    ("iso-2022-jp", "配信不能", "宛先:", "メールを配信できませんでした"),
    ("shift_jis", "配信不能", "宛先:", "メールを配信できませんでした"),
]


@pytest.mark.parametrize(("charset", "subject", "name", "words"), PAGES, ids=[page[0] for page in PAGES])
def test_html_alone_is_read_in_its_charset(charset: str, subject: str, name: str, words: str) -> None:
    page = PAGE.format(words=words, name=name, bob=BOB)
    found = classify(mail(subject, page, "text/html", charset))
    assert found.kind is Kind.BOUNCE
    assert [one[:2] for one in found.recipients] == [(BOB, "5.1.1")]


def test_html_that_names_its_charset_itself_is_read_so() -> None:
    page = PAGE.format(words="您的邮件被退回", name="收件人：", bob=BOB).replace(
        "<head>", '<head><meta http-equiv="Content-Type" content="text/html; charset=gb2312">'
    )
    raw = mail("退信", page, "text/html", "gb2312").replace(b"text/html; charset=gb2312", b"text/html")
    assert [one[:2] for one in classify(raw).recipients] == [(BOB, "5.1.1")]
