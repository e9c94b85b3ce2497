# Configurations that the module refuses, each with words of the sentence that says what to write instead.
let
  inherit (import ./basis.nix) server with_;
  full = more: {
    services.mailmon = {
      enable = true;
      ntfy.topicFile = "/run/secrets/ntfy-topic";
      settings.accounts.office = { address = "monitor@example.org"; imap.host = "mail.example.org"; };
    }
    // more;
  };
  interval = text: {
    of = with_ { interval = text; };
    says = "services.mailmon.interval: ${builtins.toJSON text} is no time span that systemd knows: write for example \"15min\"";
  };
  rushed = text: {
    of = with_ { interval = text; };
    says = "services.mailmon.interval: ${builtins.toJSON text} would start one run after the other: write at least \"1s\"";
  };
  calendar = text: {
    of = with_ { onCalendar = text; };
    says = "services.mailmon.onCalendar: ${builtins.toJSON text} is no calendar expression: write for example \"*:0/10\"";
  };
  summary = text: {
    of = with_ { summary.at = text; };
    says = "services.mailmon.summary.at: ${builtins.toJSON text} is no calendar expression: write for example \"*-*-* 07:00:00\"";
  };
  waits = seconds: {
    of = with_ { receiveTimeout = seconds; };
    says = "services.mailmon.receiveTimeout: ${toString seconds} is not between 1 and 3600: write the seconds";
  };
  named = name: {
    of.services.mailmon = { enable = true; instances.${name} = server; };
    says = "services.mailmon.instances.${builtins.toJSON name}: no unit and user can have this name: write 1 to 23 letters";
  };
  inStore = path: more: {
    of = with_ more;
    says = "services.mailmon.${path}: ${toString ./golden}"
      + " is or would be in the Nix store, where everybody can read it: write a path in quotes to a file outside";
  };
in
{
  # --- when ---
  interval-of-wrong-words = interval "15 minuten";
  interval-plural = interval "5mins";
  interval-negative = interval "-5min";
  interval-empty = interval "";
  interval-infinite = interval "infinity";
  interval-two-lines = interval "15min\nUser=root";
  interval-zero = rushed "0";
  interval-zero-hours = rushed "0h 0min";
  interval-tiny = rushed "10ms";
  interval-is-a-calendar = {
    of = with_ { interval = "*:0/15"; };
    says = "write for example \"15min\" or \"1h 30min\"; a time of day or a calendar expression belongs into services.mailmon.onCalendar.";
  };
  interval-number = { of = with_ { interval = 900; }; says = "is not of type `string'"; };
  delay = {
    of = with_ { randomizedDelay = "a while"; };
    says = "services.mailmon.randomizedDelay: \"a while\" is no time span that systemd knows: write for example \"30s\", or \"0\" for none.";
  };
  calendar-span = calendar "15min";
  calendar-cron = calendar "*/15 * * * *";
  calendar-hour = calendar "25:00";
  calendar-empty = calendar "";
  calendar-words = calendar "every morning";
  calendar-two-lines = calendar "daily\nPersistent=false";
  summary-span = summary "24h";
  summary-words = summary "every morning";
  summary-two-lines = summary "daily\nPersistent=false";
  summary-for-nobody = {
    of = with_ { ntfy = { }; settings.notify = "none"; summary.enable = true; };
    says = "services.mailmon.summary.enable is true, and settings.notify = \"none\" disables all alerts: remove one of the two.";
  };
  summary-idle = {
    of.services.mailmon = { enable = true; summary.enable = true; instances.office = server; };
    says = "services.mailmon.summary.enable would be of no effect, because the options beside `instances` are only for the instance `main`.";
  };
  timeout-zero = waits 0;
  timeout-negative = waits (-5);
  timeout-too-long = waits 3601;
  timeout-of-words = { of = with_ { receiveTimeout = "60"; }; says = "is not of type `signed integer'"; };
  port = { of = with_ { smtp = { host = "mail.example.org"; port = 70000; }; }; says = "is not of type `16 bit unsigned integer"; };

  # --- names and places ---
  name-empty = named "";
  name-blank = named "my office";
  name-slash = named "a/b";
  name-dot = named "mail.example.org";
  name-dash = named "-office";
  name-of-the-failure-unit = named "office-failure";
  name-of-the-summary-unit = named "office-summary";
  name-too-long = named "abcdefghijklmnopqrstuvwx";
  name-taken = {
    of = with_ { instances.main = server; };
    says = "services.mailmon.instances.main: services.mailmon.smtp.host and settings describe the instance `main` already: give this one another name.";
  };
  state-elsewhere = {
    of = with_ { stateDirectory = "/srv/mailmon"; };
    says = "services.mailmon.stateDirectory: \"/srv/mailmon\" is no directory below /var/lib, and nothing else can be written: write for example \"/var/lib/mailmon-main\".";
  };
  state-upwards = {
    of = with_ { stateDirectory = "/var/lib/../../etc"; };
    says = "is no directory below /var/lib";
  };
  state-shared = {
    of = with_ { instances.office = server // { stateDirectory = "/var/lib/mailmon-main"; }; };
    says = "services.mailmon: two instances have the same stateDirectory, and would overwrite each other's alerts: leave it out.";
  };
  state-file-outside = {
    of = with_ { settings.state_file = "/var/lib/other/state.json"; };
    says = "services.mailmon.settings.state_file: \"/var/lib/other/state.json\" is outside the state directory, and nothing else can be written: leave it out, or write /var/lib/mailmon-main/state.json.";
  };
  state-file-upwards = {
    of = with_ { settings.state_file = "/var/lib/mailmon-main/../x.json"; };
    says = "is outside the state directory";
  };
  mail-monitor-elsewhere = {
    of.services.mail-monitor = {
      enable = true;
      smtp.host = "mail.example.org";
      imap.host = "mail.example.org";
      credentials = { username = "monitor@example.org"; passwordFile = "/run/secrets/mailmon"; };
      ntfy.topic = "mail-alerts";
      stateDirectory = "/home/monitor";
    };
    says = "services.mailmon.stateDirectory: \"/home/monitor\" is no directory below /var/lib";
  };
  user-root = {
    of = with_ { user = "root"; };
    says = "services.mailmon.user: \"root\" has rights that mailmon has no use for: leave it out for a user of its own";
  };
  address-name = {
    of = with_ { allowedAddresses = [ "mail.example.org" ]; };
    says = "services.mailmon.allowedAddresses: \"mail.example.org\" is no address: systemd takes addresses like \"192.0.2.25\"";
  };
  address-too-high = {
    of = with_ { allowedAddresses = [ "192.0.2.256" ]; };
    says = "services.mailmon.allowedAddresses: \"192.0.2.256\" is no address";
  };
  unit-without-ending = {
    of = with_ { onFailure = [ "page-me" ]; };
    says = "services.mailmon.onFailure: \"page-me\" is no name of a unit: write it with its ending, for example \"page-me.service\".";
  };

  # --- accounts ---
  nothing = { of.services.mailmon.enable = true; says = "services.mailmon: no server to monitor: set services.mailmon.smtp.host"; };
  instance-nothing = {
    of.services.mailmon = { enable = true; instances.office.ntfy.topicFile = "/run/secrets/topic"; };
    says = "services.mailmon.instances.office.smtp.host is missing, and so is settings.accounts: there is no account to monitor. Set smtp.host, imap.host,";
  };
  settings-without-account = {
    of.services.mailmon = { enable = true; ntfy.topicFile = "/run/secrets/topic"; settings.reachability = [ "1.1.1.1:443" ]; };
    says = "services.mailmon.smtp.host is missing, and so is settings.accounts: there is no account to monitor.";
  };
  smtp-host = {
    of.services.mailmon = { enable = true; instances.office = builtins.removeAttrs server [ "smtp" ]; };
    says = "services.mailmon.instances.office.smtp.host is missing: imap.host, credentials.username belong to the account that it begins.";
  };
  idle-options = {
    of.services.mailmon = { enable = true; ntfy.topicFile = "/run/secrets/topic"; instances.office = server; };
    says = "services.mailmon.ntfy.topicFile would be of no effect, because the options beside `instances` are only for the instance `main`.";
  };
  imap-host = {
    of = with_ { imap = { }; };
    says = "services.mailmon.imap.host is missing: set it to the server where the mail for \"monitor@example.org\" is read";
  };
  username = {
    of = with_ { credentials.passwordFile = "/run/secrets/mailmon"; };
    says = "services.mailmon.credentials.username is missing: set the login name, for example \"monitor@example.org\".";
  };
  password = {
    of = with_ { credentials.username = "monitor@example.org"; };
    says = "services.mailmon.credentials.passwordFile is missing: set it to a file with the password of the account `main`";
  };
  password-of-an-account = {
    of = full { };
    says = "services.mailmon.credentials.files.\"office.password\" is missing: set it to a file with the password of the account `office`, for example \"/run/secrets/office\".";
  };
  password-of-nobody = {
    of = full { credentials = { passwordFile = "/run/secrets/a"; files.office = "/run/secrets/b"; }; };
    says = "services.mailmon.credentials.passwordFile is the password of the account `main`, which is not there: set credentials.files.\"<account>.password\" instead.";
  };
  password-twice = {
    of = with_ { credentials = server.credentials // { files.password = "/run/secrets/b"; }; };
    says = "services.mailmon.credentials.passwordFile and credentials.files.password are both set: remove one of the two.";
  };

  # --- credentials ---
  topic-missing = {
    of = with_ { ntfy = { }; };
    says = "services.mailmon.ntfy.topicFile is missing: set it to a file with the topic (or ntfy.topic to the topic itself), or set ntfy.enable = false.";
  };
  topic-twice = {
    of = with_ { ntfy = { topic = "a"; topicFile = "/run/secrets/topic"; server = "https://ntfy.example.org"; }; };
    says = "services.mailmon.ntfy.topic and ntfy.topicFile are both set: keep topicFile, and remove topic.";
  };
  told-nobody = {
    of = with_ { ntfy.enable = false; };
    says = "services.mailmon.ntfy.enable is false, and there is no other channel, so no alert would be sent: set discord.webhookFile";
  };
  password-path = inStore "credentials.passwordFile" {
    credentials = { username = "monitor@example.org"; passwordFile = ./golden; };
  };
  topic-path = inStore "ntfy.topicFile" { ntfy.topicFile = ./golden; };
  token-path = inStore "ntfy.tokenFile" { ntfy = { topicFile = "/run/secrets/topic"; tokenFile = ./golden; }; };
  webhook-path = inStore "discord.webhookFile" { discord.webhookFile = ./golden; };
  ping-path = inStore "ping.urlFile" { ping.urlFile = ./golden; };
  files-path = inStore "credentials.files.\"office.password\"" {
    credentials = server.credentials // { files."office.password" = ./golden; };
  };
  password-in-store = {
    of = with_ {
      credentials = { username = "monitor@example.org"; passwordFile = builtins.toFile "password" "secret"; };
    };
    says = "-password is or would be in the Nix store, where everybody can read it: write a path in quotes";
  };
  old-password-path = {
    of.services.mail-monitor = {
      enable = true;
      smtp.host = "mail.example.org";
      imap.host = "mail.example.org";
      credentials = { username = "monitor@example.org"; passwordFile = ./golden; };
      ntfy = { topic = "mail-alerts"; server = "https://ntfy.example.org"; };
    };
    says = "services.mailmon.credentials.passwordFile: ${toString ./golden} is or would be in the Nix store";
  };
  relative-file = {
    of = with_ { ntfy.topicFile = "secrets/topic"; };
    says = "services.mailmon.ntfy.topicFile: \"secrets/topic\" is no absolute path without blanks: write for example \"/run/secrets/mailmon\".";
  };
  two-line-file = {
    of = with_ { ntfy.topicFile = "/run/topic\nUser=root"; };
    says = "services.mailmon.ntfy.topicFile: \"/run/topic\\nUser=root\" is no absolute path";
  };
  blank-in-a-file = {
    of = with_ { discord.webhookFile = "/run/my secrets/webhook"; };
    says = "services.mailmon.discord.webhookFile: \"/run/my secrets/webhook\" is no absolute path without blanks";
  };
  credential-name = {
    of = with_ { credentials = server.credentials // { files."a:b" = "/run/secrets/b"; }; };
    says = "services.mailmon.credentials.files: \"a:b\" is no name of a credential: write \"<account>.password\"";
  };
  password-in-settings = {
    of = with_ { settings.password = "hunter2"; };
    says = "services.mailmon.settings.password would lie in the Nix store, where everybody can read it: set credentials.passwordFile to a file, and leave it out here.";
  };
  account-password-in-settings = {
    of = full {
      settings.accounts.office = { address = "monitor@example.org"; password = "hunter2"; imap.host = "mail.example.org"; };
    };
    says = "services.mailmon.settings.accounts.office.password would lie in the Nix store, where everybody can read it: set credentials.files.\"office.password\" to a file, and leave it out here.";
  };
  password-in-settings-of-a-dotted-name = {
    of = full {
      settings.accounts."mail.example" = { address = "a@example.org"; password = "hunter2"; imap.host = "b"; };
    };
    says = "services.mailmon.settings.accounts.mail.example.password would lie in the Nix store, where everybody can read it: set credentials.files.\"mail.example.password\" to a file";
  };
  webhook-in-settings = {
    of = with_ { settings.notify.discord.webhook = "https://discord.example.org/api/webhooks/1/x"; };
    says = "services.mailmon.settings.notify.discord.webhook would lie in the Nix store";
  };
  ping-in-settings = {
    of = with_ { settings.ping.url = "https://ping.example.org/x"; };
    says = "services.mailmon.settings.ping.url would lie in the Nix store, where everybody can read it: set credentials.files.\"ping.url\" to a file, and leave it out here.";
  };
  password-file-of-the-store = {
    of = with_ { settings.password_file = ./golden; };
    says = "services.mailmon.settings.password_file: ${toString ./golden} is or would be in the Nix store";
  };
  channel-without-its-topic = {
    of = with_ { ntfy.enable = false; settings.notify.phone.type = "ntfy"; };
    says = "services.mailmon.credentials.files.\"phone.topic\" is missing: set it to a file with the topic of the channel `phone`.";
  };
  webhook-misspelt = {
    of = with_ {
      settings.notify.hook.type = "webhook";
      credentials = server.credentials // { files."hok.url" = "/run/secrets/hook"; };
    };
    says = "services.mailmon.credentials.files.\"hook.url\" is missing: set it to a file with the url of the channel `hook`.";
  };
  discord-and-nobody = {
    of = with_ { ntfy.enable = false; discord.webhookFile = "/run/secrets/discord"; settings.notify = "none"; };
    says = "services.mailmon.discord.webhookFile is set, and settings.notify = \"none\" disables all alerts";
  };
  private-state = {
    of = with_ { stateDirectory = "/var/lib/private"; };
    says = "services.mailmon.stateDirectory: \"/var/lib/private\" is no directory below /var/lib";
  };
  state-within-state = {
    of.services.mailmon = server // {
      enable = true;
      stateDirectory = "/var/lib/mm";
      instances.office = server // { stateDirectory = "/var/lib/mm/office"; };
    };
    says = "services.mailmon: the stateDirectory of one instance is inside that of another, which would take it over";
  };

  # --- names of options ---
  unknown-option = { of = with_ { intervall = "15min"; }; says = "The option `services.mailmon.intervall' does not exist."; };
  unknown-option-of-an-instance = {
    of.services.mailmon = { enable = true; instances.office = server // { timeout = 3; }; };
    says = "The option `services.mailmon.instances.office.timeout' does not exist.";
  };
  unknown-option-of-old = {
    of.services.mail-monitor = { enable = true; user = "monitor"; };
    says = "The option `services.mail-monitor.user' does not exist.";
  };
}
