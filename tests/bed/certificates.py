"""The certificates that the servers can show, and the one that they show now."""

import os
import shutil
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .settings import DOMAIN, BedError, Settings, make_directory, write

NAMES = ("server", "soon", "expired", "wronghost", "selfsigned")

_SAN = f"DNS:{DOMAIN},DNS:*.{DOMAIN},DNS:localhost,IP:127.0.0.1"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def configure(settings: Settings) -> None:
    """Make the authority and its certificates once, and let the servers start with the good one."""
    if not (settings.tls / "selfsigned.crt").exists():
        _make_all(make_directory(settings.tls))
    install(settings, "server")


def install(settings: Settings, name: str) -> None:
    """Put the named certificate where the servers read theirs; they see it after a reload."""
    if name not in NAMES:
        raise BedError(f"no certificate is called {name}. There are {', '.join(NAMES)}.")
    for extension, mode in (("crt", 0o644), ("key", 0o600)):
        new = settings.tls / f".live.{extension}"
        shutil.copyfile(settings.tls / f"{name}.{extension}", new)
        new.chmod(mode)
        new.rename(settings.tls / f"live.{extension}")


def der(settings: Settings, name: str) -> bytes:
    """Read the named certificate as it goes over the wire."""
    return ssl.PEM_cert_to_DER_cert((settings.tls / f"{name}.crt").read_text())


def _make_all(tls: Path) -> None:
    usage = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _self_signed(tls / "ca", "/CN=test bed authority", *usage)
    _leaf(tls, "server", DOMAIN, _SAN, 825)
    _leaf(tls, "soon", DOMAIN, _SAN, 5)
    _date_back(tls, "soon", 85)
    _leaf(tls, "wronghost", "other.test", "DNS:other.test", 825)
    # `openssl x509` cannot date back before version 3.4. A negative age gives notAfter before notBefore,
    # and whoever verifies it says "expired".
    _leaf(tls, "expired", DOMAIN, _SAN, -1)
    # last: `configure` takes it as the sign that all are there
    _self_signed(tls / "selfsigned", f"/CN={DOMAIN}", "-addext", f"subjectAltName={_SAN}")


def _self_signed(stem: Path, subject: str, *extensions: str) -> None:
    files = ("-keyout", f"{stem}.key", "-out", f"{stem}.crt")
    _openssl("req", "-x509", *_NEW_KEY, "-days", "825", *files, "-subj", subject, *extensions)


def _leaf(tls: Path, name: str, common_name: str, san: str, days: int) -> None:
    stem, authority = tls / name, tls / "ca"
    extensions = f"subjectAltName={san}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
    write(tls / f"{name}.ext", extensions + "keyUsage=digitalSignature\n")
    _openssl("req", *_NEW_KEY, "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj", f"/CN={common_name}")
    signer = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key")
    serial = ("-set_serial", str(int.from_bytes(os.urandom(8)) >> 1))
    dates = ("-days", str(days), "-extfile", f"{stem}.ext")
    _openssl("x509", "-req", "-in", f"{stem}.csr", *signer, *serial, "-out", f"{stem}.crt", *dates)


def _date_back(tls: Path, name: str, days: int) -> None:
    """Let a certificate have begun in the past: one that is new has all of its time left, however little that is."""
    authority = serialization.load_pem_private_key((tls / "ca.key").read_bytes(), None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    old = x509.load_pem_x509_certificate((tls / f"{name}.crt").read_bytes())
    dates = (old.not_valid_before_utc - timedelta(days=days), old.not_valid_after_utc)
    built = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, *dates, list(old.extensions)
    )
    signed = built.sign(authority, hashes.SHA256())
    (tls / f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BedError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
