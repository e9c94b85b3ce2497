"""Notifications as systems other than Postfix write them: most are plain text only.

Each is a template with {hostname} {sender} {recipient} {reason} {date}, behind which the returned message stands.
"""

from types import MappingProxyType

_FROM = "Return-Path: <>\nDate: {date}\nFrom: {daemon}\nTo: {sender}\n"
_MAILER = "Mail Delivery System <MAILER-DAEMON@{hostname}>"


def _form(subject: str, text: str, fields: str = "", daemon: str = _MAILER) -> str:
    return f"{_FROM.replace('{daemon}', daemon)}Subject: {subject}\n{fields}\n{text}"


_QMAIL = """\
Hi. This is the qmail-send program at {hostname}.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{recipient}>:
Remote host said: 550 {reason}

--- Below this line is a copy of the message.

"""
_EXIM = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    {reason}

------ This is a copy of the message, including all the headers. ------

"""
_EXIM_DELAY = """\
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on {hostname}.

The address to which the message has not yet been delivered is:

  {recipient}
    Delay reason: {reason}

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered.

"""
_SENDMAIL = """\
   ----- The following addresses had permanent fatal errors -----
<{recipient}>

   ----- Transcript of session follows -----
... while talking to {hostname}.:
>>> RCPT To:<{recipient}>
<<< 550 {reason}
550 <{recipient}>... {reason}

   ----- Unsent message follows -----
"""
_MAILENABLE = """\
MailEnable: Message could not be delivered to some recipients.
The following recipient(s) could not be reached:

\tRecipient: [SMTP:{recipient}]
\tReason: Remote SMTP Server Returned: 550 {reason}


Message headers follow:

"""
_GERMAN = """\
Ihre Nachricht konnte nicht zugestellt werden. Der Server antwortete für {recipient}:

550 {reason}

----- Ursprüngliche Nachricht -----
"""
_FRENCH = """\
Votre message n'a pas pu être remis à {recipient}. Réponse du serveur :

550 {reason}

----- Message d'origine -----
"""
# Postfix, delay_warning_time: what the DSN of a delay says differs from that of a failure in a few words only.
POSTFIX_DELAY = "postfix_delay"
FORMS = MappingProxyType(
    {
        "qmail": _form("failure notice", _QMAIL, daemon="MAILER-DAEMON@{hostname}"),
        "exim": _form(
            "Mail delivery failed: returning message to sender",
            _EXIM,
            "X-Failed-Recipients: {recipient}\nAuto-Submitted: auto-replied\n",
            "Mail Delivery System <Mailer-Daemon@{hostname}>",
        ),
        "exim_delay": _form("Warning: message 1abcde-000000-XY delayed 24 hours", _EXIM_DELAY),
        "sendmail": _form("Returned mail: see transcript for details", _SENDMAIL),
        "mailenable": _form("Message Delivery Failure", _MAILENABLE, daemon="Postmaster <postmaster@{hostname}>"),
        "german": _form("Unzustellbar: mailmon", _GERMAN, "Content-Type: text/plain; charset=utf-8\n"),
        "french": _form(
            "=?utf-8?q?Non_remis_=3A_mailmon?=", _FRENCH, "Content-Type: text/plain; charset=utf-8\n",
            "Messagerie <systeme@{hostname}>",
        ),
    }
)  # fmt: skip
