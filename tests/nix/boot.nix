# The configurations that test_boot.py runs under a real systemd: one as it should be, one of the old name.
let
  # Where inside_boot.py has its servers; the receiver of alerts has another port each time, which it fills in.
  ca_file = "/run/trial/ca.pem";
  server = {
    smtp.host = "127.0.0.1";
    smtp.port = 1587;
    imap.host = "127.0.0.1";
    imap.port = 1993;
    credentials.username = "monitor@example.org";
    credentials.passwordFile = "/run/secrets/100%password";
  };
  settings = {
    accounts.main.smtp = { inherit ca_file; };
    accounts.main.imap = { inherit ca_file; };
    checks.defaults.failure_threshold = 1;
  };
  onHost = server // {
    enable = true;
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    ntfy.server = "http://127.0.0.1:1";
    settings = settings // {
      checks = {
        queue.instances.postfix.max_deferred = 0;
        certificate_file.interval = 0;
        certificate_file.files.mail = { file = "/var/lib/acme/mail/fullchain.pem"; servers = [ "127.0.0.1:1993:imaps" ]; };
        defaults.failure_threshold = 1;
      };
    };
  };
in
{
  mailmon.services.mailmon = {
    enable = true;
    receiveTimeout = 20;
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    ntfy.server = "http://127.0.0.1:1";
    allowedAddresses = [ "localhost" ];
    summary.enable = true;
    inherit settings;
  }
  // server;

  # The queue of a real Postfix and a certificate that a group may read, with what that takes and without it.
  queue.services.mailmon = onHost // {
    localChecks = { enable = true; groups = [ "postdrop" "acme" ]; };
  };
  queue-closed.services.mailmon = onHost;

  mail-monitor.services = {
    mail-monitor = server // {
      enable = true;
      ntfy.topic = "mail-alerts";
      ntfy.server = "http://127.0.0.1:1";
    };
    mailmon = { inherit settings; };
  };
}
