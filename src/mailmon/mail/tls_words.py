"""OpenSSL's verdicts on certificates and its reasons for a failed TLS connection, in words, each with advice.

`keys` of the configuration stand in backticks: whoever shows the advice names them as the person's file does.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """What a failure is called: the finding without a protocol, what to say, and what to do about it."""

    finding_id: str
    said: str
    advice: str = ""


EXPIRED, NOT_YET_VALID, SELF_SIGNED, WRONG_NAME, WRONG_ADDRESS = 10, 9, 18, 62, 64
# Of these the server's certificate may be good all the same: then it can be pinned, or its CA can be trusted.
UNTRUSTED = (2, 18, 19, 20, 21, 24, 27)
PLAINTEXT = "plaintext"

_UNTRUSTED, _HANDSHAKE, _INCOMPLETE = "tls.cert_untrusted", "tls.handshake_failed", "tls.cert_chain_incomplete"
_SERVE = "Let the server send the whole chain, and set `ca_file` where its CA is your own."
_REISSUE = "Have the certificate issued again."
_LOOK = "Look at the server's log, and at its TLS with `mailmon diagnose`."

# By OpenSSL's number (x509_vfy.h).
VERDICTS: dict[int, Words] = {
    2: Words(_UNTRUSTED, "the chain ends in a certificate whose issuer is unknown", _SERVE),
    4: Words(_UNTRUSTED, "the signature of a certificate cannot be read", _REISSUE),
    5: Words(_UNTRUSTED, "the signature of a revocation list cannot be read"),
    6: Words(_UNTRUSTED, "the key of a CA in the chain cannot be read", _REISSUE),
    7: Words(
        _UNTRUSTED,
        "the signature of a certificate is wrong: it is not by the CA of that name",
        "See whether the CA was made anew under its old name: then set `ca_file` to the new one.",
    ),
    9: Words("tls.cert_not_yet_valid", "the certificate is not valid yet", "Compare the clocks of both machines."),
    10: Words("tls.cert_expired", "the certificate has expired", "Renew it and reload the server."),
    13: Words(_UNTRUSTED, "invalid start of a certificate's validity", _REISSUE),
    14: Words(_UNTRUSTED, "invalid end of a certificate's validity", _REISSUE),
    18: Words("tls.cert_self_signed", "the certificate is self-signed", "Set `ca_file` to a copy of it."),
    19: Words(_UNTRUSTED, "the chain ends in an unknown self-signed certificate", "Set `ca_file` to its CA."),
    20: Words(_UNTRUSTED, "the issuer of the certificate is unknown", _SERVE),
    21: Words(_INCOMPLETE, "the issuer of the certificate is missing", "Let the server send the whole chain."),
    22: Words(_UNTRUSTED, "the chain of certificates is too long", "Send no more of the chain than is needed."),
    23: Words(_UNTRUSTED, "the certificate was revoked by its CA", "Get a new one, and find out why it was revoked."),
    24: Words(_UNTRUSTED, "the issuer in the chain has no key", _SERVE),
    25: Words(_UNTRUSTED, "the chain is longer than its CA allows", "Get the certificate from a CA that may issue it."),
    26: Words(
        _UNTRUSTED,
        "the certificate is not meant for servers (extended key usage)",
        "Have it issued for server authentication.",
    ),
    27: Words(_UNTRUSTED, "the root is not trusted for servers here", "Set `ca_file` to its CA."),
    28: Words(_UNTRUSTED, "the root is rejected here", "See why this machine rejects that CA."),
    32: Words(_UNTRUSTED, "a CA in the chain may not sign certificates (key usage)", "Issue the CA certificate again."),
    34: Words(_UNTRUSTED, "a certificate has a critical extension that is not known here", _REISSUE),
    37: Words(_UNTRUSTED, "a certificate of the chain is no CA", "Have it issued by a CA."),
    41: Words(_UNTRUSTED, "invalid extension in a certificate", _REISSUE),
    47: Words(_UNTRUSTED, "its CA may not issue certificates for that name", "Get it from a CA that may."),
    48: Words(_UNTRUSTED, "its CA is forbidden to issue certificates for that name", "Get it from a CA that may."),
    62: Words("tls.cert_name", "the certificate is for another name", ""),
    64: Words("tls.cert_name", "the certificate is not for this address", ""),
    66: Words(
        "tls.cert_weak_key",
        "the key of the certificate is too weak",
        "Make a new one: RSA of 2048 bits or more, or EC P-256.",
    ),
    67: Words(
        "tls.cert_weak_key",
        "the key of a CA in the chain is too weak",
        "Get a certificate from a CA whose key has 2048 bits or more.",
    ),
    68: Words(
        "tls.cert_weak_signature",
        "a certificate of the chain is signed with a weak digest (MD5 or SHA-1)",
        "Have it issued again with SHA-256.",
    ),
    76: Words(_UNTRUSTED, "a certificate is signed by a method that is not known here", _REISSUE),
    77: Words(_UNTRUSTED, "a certificate's signature is not of the kind of its CA's key", _REISSUE),
    78: Words(_UNTRUSTED, "a certificate names two kinds of signature", _REISSUE),
    79: Words(_UNTRUSTED, "a certificate of the chain is no CA", "Have it issued by a CA."),
    94: Words(_UNTRUSTED, "the curve of a key is given by its parameters, not by its name", _REISSUE),
}
UNKNOWN_VERDICT = Words(_UNTRUSTED, "the certificate is not trusted", _SERVE)

CLIENT_CERT = Words(
    "tls.client_cert_required",
    "the server demands a certificate of the client, and mailmon has none to show",
    "Let the server do without it on this port (Postfix: smtpd_tls_req_ccert, Dovecot: auth_ssl_require_client_cert), "
    "or use another port.",
)
_CLIENT_REFUSED = Words(
    "tls.client_cert_required",
    "the server refuses the certificate of the client, and mailmon has none to show",
    CLIENT_CERT.advice,
)
_OLD = Words(
    "tls.old_version",
    "the server offers only versions of TLS that are too old (1.0 or 1.1, or SSL)",
    "Enable TLS 1.2 and 1.3 on the server.",
)
_NO_VERSION = Words(
    "tls.old_version",
    "the server takes none of the TLS versions that this machine offers",
    "Enable TLS 1.2 and 1.3 on the server.",
)
_OWN_VERSIONS = Words(
    _HANDSHAKE,
    "OpenSSL on this machine may use no version of TLS that is asked for",
    "Look at MinProtocol and MaxProtocol in this machine's openssl.cnf.",
)
_NO_CIPHER = Words(
    _HANDSHAKE,
    "the server has no cipher in common with this machine, or cannot use its certificate",
    "Look at the server's list of ciphers, and whether its certificate and key are in place. Some servers say so where "
    "they want a certificate of the client.",
)
_WEAK_DH = Words(
    _HANDSHAKE,
    "the server's Diffie-Hellman parameters are too weak",
    "Give the server parameters of 2048 bits or more (openssl dhparam 2048), or only ECDHE ciphers.",
)
_RENEGOTIATION = Words(
    _HANDSHAKE,
    "the server knows only the old, unsafe renegotiation",
    "Update the server's TLS library: secure renegotiation is from 2010 (RFC 5746).",
)
_SIGNATURE = Words(
    _HANDSHAKE,
    "the server signs the handshake by a method that is refused here (SHA-1 or MD5)",
    "Update the server's TLS library, and let its certificate have a key of 2048 bits or more.",
)
_CURVE = Words(
    _HANDSHAKE,
    "the server and this machine have no elliptic curve in common",
    "Let the server offer X25519 and P-256.",
)
_NOT_FOR_NAME = Words(
    "tls.cert_name",
    "the server has no certificate for the name that was asked for (SNI)",
    "Check `host`, or give the server a certificate for that name.",
)
_SERVER_FAULT = Words(
    _HANDSHAKE,
    "the server broke the handshake off because of an error of its own",
    "Look at the server's log: often it cannot read its certificate or key.",
)
_DISTURBED = Words(
    _HANDSHAKE,
    "what came over the TLS connection was changed or out of order on the way",
    "Look for a proxy, a firewall or a virus scanner between here and the server that looks into TLS.",
)
_NONSENSE = Words(_HANDSHAKE, "invalid TLS handshake from the server", _LOOK)
_EOF = Words(_HANDSHAKE, "the server ended the connection in the middle of TLS", _LOOK)
_REFUSED_OURS = Words(_HANDSHAKE, "the server did not take something in the TLS handshake", _LOOK)
_PLAIN = Words(
    PLAINTEXT,
    "the server speaks plain text where TLS is expected",
    "Set `security` of this port to starttls, or use the TLS port.",
)

_BY_WORDS: tuple[tuple[Words, str], ...] = (
    (
        _PLAIN,
        "WRONG_VERSION_NUMBER RECORD_LAYER_FAILURE HTTP_REQUEST HTTPS_PROXY_REQUEST PACKET_LENGTH_TOO_LONG "
        "UNKNOWN_PROTOCOL",
    ),
    (
        CLIENT_CERT,
        "TLSV13_ALERT_CERTIFICATE_REQUIRED PEER_DID_NOT_RETURN_A_CERTIFICATE SSLV3_ALERT_NO_CERTIFICATE "
        "NO_CERTIFICATE_SET NO_CERTIFICATE_ASSIGNED NO_CERTIFICATES_RETURNED",
    ),
    (
        _CLIENT_REFUSED,
        "TLSV1_ALERT_UNKNOWN_CA SSLV3_ALERT_BAD_CERTIFICATE SSLV3_ALERT_CERTIFICATE_EXPIRED "
        "SSLV3_ALERT_CERTIFICATE_REVOKED SSLV3_ALERT_CERTIFICATE_UNKNOWN SSLV3_ALERT_UNSUPPORTED_CERTIFICATE "
        "TLSV1_ALERT_ACCESS_DENIED TLSV1_CERTIFICATE_UNOBTAINABLE TLSV1_BAD_CERTIFICATE_HASH_VALUE",
    ),
    (_OLD, "UNSUPPORTED_PROTOCOL WRONG_SSL_VERSION VERSION_TOO_LOW UNSUPPORTED_SSL_VERSION UNKNOWN_SSL_VERSION"),
    (_NO_VERSION, "TLSV1_ALERT_PROTOCOL_VERSION TLSV1_ALERT_INAPPROPRIATE_FALLBACK INAPPROPRIATE_FALLBACK"),
    (_OWN_VERSIONS, "NO_PROTOCOLS_AVAILABLE NO_CIPHERS_AVAILABLE NO_CIPHER_MATCH LIBRARY_HAS_NO_CIPHERS"),
    (
        _NO_CIPHER,
        "SSLV3_ALERT_HANDSHAKE_FAILURE NO_SHARED_CIPHER TLSV1_ALERT_INSUFFICIENT_SECURITY INSUFFICIENT_SECURITY "
        "WRONG_CIPHER_RETURNED UNKNOWN_CIPHER_RETURNED REQUIRED_CIPHER_MISSING TLSV1_ALERT_EXPORT_RESTRICTION",
    ),
    (_WEAK_DH, "DH_KEY_TOO_SMALL BAD_DH_VALUE DH_PUBLIC_VALUE_LENGTH_IS_WRONG MODULUS_TOO_SMALL"),
    (
        _RENEGOTIATION,
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED RENEGOTIATION_MISMATCH RENEGOTIATION_ENCODING_ERR NO_RENEGOTIATION "
        "TLSV1_ALERT_NO_RENEGOTIATION",
    ),
    (
        _SIGNATURE,
        "WRONG_SIGNATURE_TYPE LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED NO_SUITABLE_SIGNATURE_ALGORITHM "
        "NO_SHARED_SIGNATURE_ALGORITHMS NO_SUITABLE_DIGEST_ALGORITHM UNKNOWN_DIGEST ILLEGAL_SUITEB_DIGEST",
    ),
    (
        _CURVE,
        "NO_SUITABLE_KEY_SHARE NO_SUITABLE_GROUPS NO_SHARED_GROUPS WRONG_CURVE UNSUPPORTED_ELLIPTIC_CURVE BAD_ECPOINT "
        "BAD_KEY_SHARE BAD_ECC_CERT",
    ),
    (_NOT_FOR_NAME, "TLSV1_UNRECOGNIZED_NAME"),
    (_SERVER_FAULT, "TLSV1_ALERT_INTERNAL_ERROR TLSV1_ALERT_USER_CANCELLED"),
    (
        _DISTURBED,
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC DECRYPTION_FAILED SSLV3_ALERT_BAD_RECORD_MAC "
        "TLSV1_ALERT_DECRYPTION_FAILED TLSV1_ALERT_DECRYPT_ERROR BAD_SIGNATURE DIGEST_CHECK_FAILED "
        "WRONG_SIGNATURE_LENGTH BLOCK_CIPHER_PAD_IS_WRONG APPLICATION_DATA_AFTER_CLOSE_NOTIFY",
    ),
    (
        _NONSENSE,
        "BAD_EXTENSION BAD_LENGTH BAD_PACKET BAD_PACKET_LENGTH BAD_HANDSHAKE_LENGTH BAD_RECORD_TYPE BAD_DIGEST_LENGTH "
        "BAD_CHANGE_CIPHER_SPEC BAD_HELLO_REQUEST BAD_LEGACY_VERSION BAD_PROTOCOL_VERSION_NUMBER LENGTH_MISMATCH "
        "LENGTH_TOO_LONG LENGTH_TOO_SHORT DATA_LENGTH_TOO_LONG ENCRYPTED_LENGTH_TOO_LONG EXCESSIVE_MESSAGE_SIZE "
        "CERT_LENGTH_MISMATCH RECORD_LENGTH_MISMATCH RECORD_TOO_SMALL EXT_LENGTH_MISMATCH EXTRA_DATA_IN_MESSAGE "
        "UNEXPECTED_MESSAGE UNEXPECTED_RECORD UNEXPECTED_CCS_MESSAGE UNSOLICITED_EXTENSION APP_DATA_IN_HANDSHAKE "
        "GOT_A_FIN_BEFORE_A_CCS CCS_RECEIVED_EARLY MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA NOT_ON_RECORD_BOUNDARY "
        "SERVERHELLO_TLSEXT PARSE_TLSEXT UNKNOWN_KEY_EXCHANGE_TYPE UNKNOWN_ALERT_TYPE INVALID_ALERT "
        "INVALID_CCS_MESSAGE INVALID_SESSION_ID MISSING_FATAL TOO_MANY_WARN_ALERTS NESTED_ASN1_ERROR WRONG_TAG "
        "HEADER_TOO_LONG NOT_ENOUGH_DATA UNSUPPORTED X509_LIB ASN1_LIB WRONG_CERTIFICATE_TYPE UNKNOWN_CERTIFICATE_TYPE "
        "UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS BAD_HRR_VERSION INVALID_COMPRESSION_ALGORITHM",
    ),
    (_EOF, "UNEXPECTED_EOF_WHILE_READING PROTOCOL_IS_SHUTDOWN SSL_HANDSHAKE_FAILURE SHUTDOWN_WHILE_IN_INIT"),
    (
        _REFUSED_OURS,
        "SSLV3_ALERT_ILLEGAL_PARAMETER SSLV3_ALERT_UNEXPECTED_MESSAGE SSLV3_ALERT_DECOMPRESSION_FAILURE "
        "TLSV1_ALERT_DECODE_ERROR TLSV1_ALERT_RECORD_OVERFLOW TLSV1_UNSUPPORTED_EXTENSION "
        "TLSV13_ALERT_MISSING_EXTENSION TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE NO_APPLICATION_PROTOCOL "
        "TLSV1_ALERT_NO_APPLICATION_PROTOCOL TLSV1_ALERT_UNKNOWN_PSK_IDENTITY",
    ),
    (
        Words("tls.cert_weak_key", VERDICTS[66].said, VERDICTS[66].advice),
        "EE_KEY_TOO_SMALL",
    ),
    (Words("tls.cert_weak_key", VERDICTS[67].said, VERDICTS[67].advice), "CA_KEY_TOO_SMALL"),
    (Words("tls.cert_weak_signature", VERDICTS[68].said, VERDICTS[68].advice), "CA_MD_TOO_WEAK"),
    (UNKNOWN_VERDICT, "CERTIFICATE_VERIFY_FAILED"),
)
# By OpenSSL's reason, as Python names it.
REASONS: dict[str, Words] = {reason: words for words, reasons in _BY_WORDS for reason in reasons.split()}


def of_reason(reason: str) -> Words:
    """Return the words for OpenSSL's reason; of one that is not in the table, OpenSSL's own.

    >>> of_reason("LIBRARY_BUG").said
    'the TLS connection failed: library bug'
    """
    if reason in REASONS:
        return REASONS[reason]
    said = reason.replace("_", " ").lower()
    return Words(_HANDSHAKE, f"the TLS connection failed{f': {said}' if said else ''}", _LOOK)
