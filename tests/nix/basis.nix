# What most configurations of the tests have in common: one server, and more to say of it.
rec {
  server = {
    smtp.host = "mail.example.org";
    imap.host = "mail.example.org";
    credentials.username = "monitor@example.org";
    credentials.passwordFile = "/run/secrets/mailmon";
    ntfy.topicFile = "/run/secrets/ntfy-topic";
  };
  with_ = more: { services.mailmon = { enable = true; } // server // more; };
}
