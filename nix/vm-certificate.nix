# A certificate for mail.test that lasts as long as the test needs; it is its own CA.
{ pkgs }:

pkgs.runCommand "mailmon-vm-certificate" { nativeBuildInputs = [ pkgs.openssl ]; } ''
  mkdir "$out"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=mail.test -addext subjectAltName=DNS:mail.test \
    -keyout "$out/key.pem" -out "$out/certificate.pem"
''
