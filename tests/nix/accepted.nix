# Configurations that the module accepts, by name. What it makes of each is in golden/NAME.golden.
let
  inherit (import ./basis.nix) server with_;
  instance = host: {
    smtp.host = host;
    imap.host = host;
    credentials.username = "monitor@example.net";
    credentials.passwordFile = "/run/secrets/${host}";
    ntfy.topicFile = "/run/secrets/ntfy-topic";
  };
in
{
  minimal = with_ { };

  switched-off.services.mailmon = server;

  every-option = with_ {
    interval = "10min";
    randomizedDelay = "45s";
    smtp.port = 465;
    smtp.host = "smtp.example.org";
    imap.host = "imap.example.org";
    imap.port = 143;
    credentials.username = "monitor";
    credentials.passwordFile = "/run/secrets/mailmon";
    credentials.files."hook.url" = "/run/secrets/hook";
    testRecipient = "probe@example.org";
    receiveTimeout = 300;
    ntfy.enable = true;
    ntfy.server = "https://ntfy.example.org";
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    ntfy.tokenFile = "/run/secrets/ntfy-token";
    discord.webhookFile = "/run/secrets/discord";
    ping.urlFile = "/run/secrets/ping";
    onFailure = [ "page-me.service" "light-red.target" ];
    stateDirectory = "/var/lib/mailmon/first";
    summary = { enable = true; at = "daily"; onlyIfAny = true; };
    allowedAddresses = [ "192.0.2.25" "2001:db8::/32" "localhost" ];
    settings.notify.hook.type = "webhook";
    settings.reachability = [ "1.1.1.1:443" ];
    smtp.security = "tls";
    imap.security = "starttls";
    caFile = "/etc/ssl/own-ca.pem";
    tlsSha256 = [ "abababababababababababababababababababababababababababababababab" ];
  };

  # --- the mail host ---
  local-checks = with_ {
    localChecks.enable = true;
    settings.checks.queue.instances.postfix.max_deferred = 20;
  };
  local-checks-and-certificates = with_ {
    localChecks = { enable = true; groups = [ "postdrop" "acme" ]; };
    allowedAddresses = [ "localhost" ];
    summary.enable = true;
  };

  # --- when ---
  calendar = with_ { onCalendar = "*:0/10"; };
  calendars = with_ {
    onCalendar = [ "Mon..Fri 08:55" "Sat,Sun *-*-* 10:00 Europe/Berlin" "daily" ];
    randomizedDelay = "5min";
    interval = "1h";
  };
  interval-of-words = with_ { interval = "1h 30min"; randomizedDelay = "0"; };
  longest-wait = with_ { receiveTimeout = 3600; };

  # --- the summary of bounces ---
  summary = with_ { summary.enable = true; };
  summary-only-if-any = with_ {
    summary = { enable = true; onlyIfAny = true; at = "Mon..Fri 08:00 Europe/Berlin"; };
  };
  summary-of-one-instance = with_ {
    instances.office = instance "mail.example.net" // { summary.enable = true; };
  };

  # --- who is told ---
  discord-only = with_ { ntfy.enable = false; discord.webhookFile = "/run/secrets/discord"; };
  nobody-on-purpose = with_ { ntfy = { }; settings.notify = "none"; };
  own-topic = with_ { ntfy = { topic = "mail-alerts"; server = "https://ntfy.example.org"; }; };
  public-topic = with_ { ntfy.topic = "mail-alerts"; };
  public-topic-in-settings = with_ {
    ntfy.enable = false;
    settings.notify.phone = { type = "ntfy"; topic = "mail-alerts"; };
  };
  topic-by-name = with_ { ntfy = { }; credentials = server.credentials // { files."ntfy.topic" = "/run/secrets/topic"; }; };
  webhook = with_ {
    ntfy.enable = false;
    credentials = server.credentials // {
      files = { "hook.url" = "/run/secrets/hook-url"; "hook.secret" = "/run/secrets/hook-secret"; };
    };
    settings.notify.hook = { type = "webhook"; headers.X-Api-Version = "2"; };
  };

  # --- several ---
  two-instances.services.mailmon = {
    enable = true;
    instances.office = instance "mail.example.net";
    instances.home = instance "mail.example.com" // { interval = "1h"; };
  };
  main-and-instances = with_ {
    instances.office = instance "mail.example.net" // { onCalendar = "hourly"; };
    instances.asleep = instance "mail.example.com" // { enable = false; };
  };
  longest-name.services.mailmon = {
    enable = true;
    instances.abcdefghijklmnopqrstu_3 = instance "mail.example.net";
  };

  # --- settings ---
  full-form.services.mailmon = {
    enable = true;
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    receiveTimeout = 120;
    credentials.files = { "office.password" = "/run/secrets/office"; outside = "/run/secrets/outside"; };
    settings = {
      accounts.office = {
        address = "monitor@example.org";
        smtp.host = "mail.example.org";
        imap.host = "mail.example.org";
      };
      accounts.outside = { address = "monitor@example.net"; smtp = { host = "smtp.example.net"; port = 465; }; };
      routes.own = { from = "office"; to = "monitor@example.org"; "in" = "office"; };
      routes.incoming = {
        from = "outside";
        to = "monitor@example.org";
        "in" = "office";
        receive_timeout_s = 200.5;
      };
    };
  };
  second-account = with_ {
    credentials = server.credentials // { files."outside.password" = "/run/secrets/outside"; };
    settings.accounts.outside = { address = "monitor@example.net"; smtp.host = "smtp.example.net"; };
    settings.routes.incoming = { from = "outside"; to = "monitor@example.org"; "in" = "main"; };
  };
  settings-win = with_ {
    receiveTimeout = 90;
    testRecipient = "probe@example.org";
    settings = {
      deadline_s = 600;
      smtp_port = 2525;
      test_recipient = null;
      checks.receive.timeout_s = 45;
      checks.receive.warning_delivery_s = 20;
      notify.ntfy.priority = "max";
    };
  };
  flat-settings.services.mailmon = {
    enable = true;
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    credentials.passwordFile = "/run/secrets/mailmon";
    settings = { smtp_host = "mail.example.org"; imap_host = "mail.example.org"; username = "monitor@example.org"; };
  };
  own-files = with_ {
    settings.state_file = "/var/lib/mailmon-main/memory.json";
    settings.heartbeat_file = "/var/lib/mailmon-main/heartbeat";
  };
  heartbeat-outside = with_ { settings.heartbeat_file = "/run/mailmon/heartbeat"; };
  password-file-in-settings.services.mailmon = {
    enable = true;
    ntfy.topicFile = "/run/secrets/ntfy-topic";
    settings.accounts.main = {
      address = "monitor@example.org";
      password_file = "/run/secrets/mailmon";
      imap.host = "mail.example.org";
    };
  };
  ca-of-the-store = with_ {
    settings.accounts.outside = {
      address = "monitor@example.net";
      password_command = [ "/bin/false" ];
      imap = { host = "imap.example.net"; ca_file = "/nix/store/00000000000000000000000000000000-ca.pem"; };
    };
  };

  # --- how it runs ---
  named-user = with_ { user = "monitor"; } // {
    users.users.monitor = { isSystemUser = true; group = "monitor"; };
  };
  named-user-reads-file = with_ {
    user = "monitor";
    credentials.username = "monitor@example.org";
    settings.password_file = "/var/lib/secrets/mailmon";
    credentials.passwordFile = null;
  };
  allowed-addresses = with_ { allowedAddresses = [ "192.0.2.25" "192.0.2.53/32" "2001:db8::25" "link-local" ]; };
  on-failure = with_ { onFailure = [ "page-me.service" ]; };
  percent-in-a-path = with_ { ntfy.topicFile = "/run/secrets/100%topic"; };

  # --- the old name ---
  mail-monitor.services.mail-monitor = {
    enable = true;
    smtp.host = "mail.example.org";
    imap.host = "mail.example.org";
    imap.port = 143;
    interval = "5min";
    receiveTimeout = 30;
    credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/mailmon"; };
    ntfy = { topic = "mail-alerts"; server = "https://ntfy.example.org"; };
  };
  mail-monitor-elsewhere.services.mail-monitor = {
    enable = true;
    smtp.host = "mail.example.org";
    imap.host = "mail.example.org";
    credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/mailmon"; };
    ntfy = { topic = "mail-alerts"; server = "https://ntfy.example.org"; };
    testRecipient = "probe@example.org";
    stateDirectory = "/var/lib/monitors/mail";
  };
  mail-monitor-half-moved.services = {
    mail-monitor = {
      enable = true;
      smtp.host = "mail.example.org";
      imap.host = "mail.example.org";
      credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/mailmon"; };
      ntfy.topic = "mail-alerts";
    };
    mailmon.ntfy.server = "https://ntfy.example.org";
    mailmon.interval = "20min";
  };
  # Everything that the README of the small monitor shows, with the overrides of its units.
  mail-monitor-as-in-its-readme = {
    services.mail-monitor-primary = {
      enable = true;
      smtp.host = "mail1.example.org";
      imap.host = "mail1.example.org";
      credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/primary"; };
      ntfy.topic = "mail-alerts";
      ntfy.server = "https://ntfy.example.org";
    };
    services.mail-monitor-backup = {
      enable = true;
      interval = "30min";
      smtp = { host = "mail2.example.org"; port = 465; };
      imap.host = "mail2.example.org";
      credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/backup"; };
      testRecipient = "probe@example.org";
      ntfy.enable = false;
      stateDirectory = "/var/lib/mail-monitor-backup";
    };
    systemd.timers.mail-monitor.timerConfig.OnUnitActiveSec = "5min";
    systemd.services.mail-monitor-primary.serviceConfig.Nice = 5;
  };
}
