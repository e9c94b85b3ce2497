"""Phrases by which mail systems name the SMTP command that was refused.

A line at the margin says which systems write so, the lines below hold their phrases, parted by `|`, in lower case; `*`
stands for any words between. By what a notification is recognised: mail/phrases.py.
"""

from __future__ import annotations

# A field of the returned message, where nothing parts it from the words above.
END_FIELDS = ("received:", "return-path:", "dkim-signature:", "x-received:")

# Which SMTP command was refused: words of the client that tell it, by the command (RFC 5321 section 4.1.1).
COMMANDS = """
RCPT: Postfix, Exim, GMX; qmail and its kin; DragonFly; Yahoo; carriers and gateways; Exchange Online
    in reply to rcpt | after rcpt | does not like recipient | our rcpt | [rcpt_to] | smtp:rcpt | following rcpt
    rcpt to response | to rcpt to | rejected recipient | rejected address | >>> rcpt to: | state 14 | 550: <
    unknown recipient or mailbox | rejected by a remote mail server | rcpt to command | rcpt_to | sent: rcpt
    remote smtp server has rejected address | response to rcpt | rcpt command | recipient was rejected by
DATA: the same
    in reply to end of data | in reply to data | after end of data | after data | end of data | our data
    failed on data
    after i sent the message | our final data | (data) | [data] | >>> data | command data | smtp command data
    after pipelined end of data | response to data | sent: data
MAIL: the same
    in reply to mail from | after mail from | sender was rejected | our mail from | [mail_from] | smtp:mail | >>> mail
    after pipelined mail from | mail from command | sent: mail | response to mail
EHLO: the same, and a server that refuses the connection
    in reply to ehlo | in reply to helo | after ehlo | after helo | after initial connection | refused to talk to me
    initial server greeting | our ehlo | our helo | >>> ehlo | >>> helo | while talking to * .: <<< 4
    while talking to * .: <<< 5 | sent: ehlo | sent: helo | connected to * but greeting failed
"""
