"""The same as in reason_hosts.py of providers of single countries and of filters."""

from __future__ import annotations

MORE_HOSTS: tuple[tuple[str, str], ...] = (
    (
        "ofr_ | ofr0 | lpn0 | orange.fr | wanadoo | laposte",
        """
userunknown: Orange, La Poste
    _416 | d au moins un destinataire
mailboxfull: Orange, La Poste
    _417 | boite du destinataire pleine | boite pleine
suspend: La Poste, Orange
    _426 | boite aux lettres bloquee | account is blocked
toomanyconn: Orange
    _104 | _109 | trop de connexions
rejected: Orange, of the sender
    _405 | _403 | _402 | _415 | _201 | emetteur invalide | invalid sender
spamdetected: Orange, La Poste
    _506 | _507 | _515 | _519 | mail rejete
blocked: Orange
    _999 | _102 | _103
""",
    ),
    (
        "free.fr | proxad | sfr.fr",
        """
speeding: Free
    too many spams from your ip | too many errors from your ip
blocked: SFR, Free
    spam.refused | please use the smtp server of your isp
""",
    ),
    (
        "nemesis | kundenserver | gmx. | web.de | 1and1",
        """
toomanyconn: GMX, Web.de, 1&1
    too many connections | too many simultaneous
speeding: GMX, Web.de, 1&1
    mail rate limit | rate limit exceeded | sending limit
requireptr: GMX, Web.de, 1&1
    bad dns ptr | dynamic ip address | non-existent ptr
notcompliantrfc: GMX, Web.de, 1&1
    header does not comply | invalid header | from header | message is not conform
""",
    ),
    (
        "t-online",
        """
blocked: T-Online
    bad reputation. ask your postmaster | a problem occurred. ask your postmaster | a problem occurred. (ask your
    none/bad reputation | ask your postmaster for help
""",
    ),
    (
        "libero | iol.local | italiaonline | aruba.it | tiscali",
        """
blocked: Libero, Aruba, Tiscali
    ip blacklisted by csi | blacklisted | csi. for remediation
spamdetected: Libero, Aruba, Tiscali
    message rejected * spam | message identified as spam
""",
    ),
    (
        "mail.ru",
        """
suspend: Mail.ru
    account is disabled | user is terminated | account is blocked
userunknown: Mail.ru, at the end of DATA too
    invalid mailbox | local mailbox * is unavailable
mailboxfull: Mail.ru
    mailbox is full | user over quota
blocked: Mail.ru
    access from ip | access from your ip | ip address * blocked
requireptr: Mail.ru
    dynamic ip or generic | generic dns ptr
speeding: Mail.ru
    ratelimit exceeded | try again later | too many messages
""",
    ),
    (
        "yandex | ya.ru | ya.cc",
        """
userunknown: Yandex, which answers with codes of policy
    no such user | user not found
spamdetected: Yandex
    under suspicion of spam
speeding: Yandex
    message rate limit | too many mails | sessions per minute
""",
    ),
    (
        "qq.com | exmail | tencent",
        """
speeding: Tencent, of a recipient that gets too much; of a domain or sender that sends too much
    mailbox unavailable or access denied | domain frequency limited | sender frequency limited
    recipient frequency limited
toomanyconn: Tencent
    connection frequency limited | ip frequency limited | connection denied
rejected: Tencent, of the sender
    domain may not exist | dns check failed | mail from address must be same | sender address
filtered: Tencent
    rejected by recipient
spamdetected: Tencent
    content denied | content rejected | suspected spam | suspected bounce | suspected virus | spam * email
userunknown: Tencent
    mailbox not found | 该用户不存在 | 用户不存在 | 未开通 | no such mailbox
mailboxfull: Tencent
    空间不足
""",
    ),
    (
        "163.com | 126.com | netease | 163 mx | dt:sp | dt:rb | dt:su | mi: | rp: | hl: | wm:bl | coremail",
        """
spamdetected: NetEase, of the content
    dt:spm | dt:spa | dt:spb
notcompliantrfc: NetEase, of From and sender that differ
    dt:sum
blocked: NetEase, block lists and refused hosts
    dt:rbl | wm:bli | wm:blu | ip is rejected | ip in blacklist | hl:itc | hl:ihu | hl:ipb | is in blacklist
toomanyconn: NetEase, sessions at once, recipients and messages in a session
    hl:icc | mi:dmc | rp:drc
speeding: NetEase, messages and recipients in a time, wrong commands
    hl:ifc | mi:sfq | mi:stc | rp:qrc | rp:rcl | rp:trc | mi:cel | mi:ccl | rp:cel | rp:ccl
badreputation: NetEase, many unknown recipients or forged senders
    hl:rep | hl:mep
authfailure: NetEase
    mi:spf | mi:dma
rejected: NetEase, of the sender
    mi:spb | mi:imf | fake sender | null sender
norelaying: NetEase
    rp:frl
suspend: NetEase
    user suspended | user locked | user hangup
""",
    ),
    (
        "naver | nsmtp | daum | hanmail | kakao",
        """
toomanyconn: Naver, Daum
    exceeded maximum concurrent | too many concurrent | maximum session
blocked: Naver, Daum
    ip blocked | is blocked from this server
suspend: Naver, Daum
    dormant
""",
    ),
    (
        "docomo | ezweb | softbank | nifty | biglobe | ocn.ne | vodafone",
        """
filtered: Japanese carriers and providers, what the person has set
    rejected by recipient | recipient's setting | mail filter | 受信拒否
""",
    ),
    (
        "mimecast",
        """
rejected: Mimecast, of the sender
    anti-spoofing policy | rejected by header based | sender address blacklisted | manually blocked | blocked sender
blocked: Mimecast, of the host
    poor reputation sender | found on rbl | ip found on | ip blacklisted | rejected by rbl
virusdetected: Mimecast
    malware | virus
securityerror: Mimecast
    starttls must be | tls is required | smtp auth
expired: Mimecast, greylisting
    internal resource temporarily unavailable | resources temporarily unavailable | greylist
toomanyconn: Mimecast
    too many connections | concurrent connections
norelaying: Mimecast
    open relay not allowed | open relay
""",
    ),
    (
        "fortinet | fortimail | fortispam | sophos | barracuda | messagelabs | trend micro | trendmicro",
        """
spamdetected: Fortinet, Sophos and the like, of the content
    fortispam | fortiguard-antispam | found spam | fortiguard - antispam
blocked: Barracuda, Trend Micro, of the host
    blocked using | ers-
""",
    ),
    (
        "bizsmtp | //x.co/ | secureserver.net",
        """
requireptr: GoDaddy, no or bad reverse DNS
    reverse dns | ib108
blocked: GoDaddy, of the host
    ib10 | ib11 | connection refused
toomanyconn: GoDaddy
    ib007 | too many concurrent
speeding: GoDaddy
    ib607 | ib603 | ib605 | ib610 | ib705 | rlbounce
spamdetected: GoDaddy, of the content
    ib212 | content judged to be spam
rejected: GoDaddy, of the sender
    ib504
""",
    ),
)
