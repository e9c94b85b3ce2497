# The options of one instance. `services.mailmon` itself has them for the instance `main`, `instances.<name>` for others.
#
# Types say what kind of thing an option is; whether its value makes sense is in assertions.nix, because an assertion can say
# in a sentence what to write instead.
{
  lib,
  pkgs,
  name,
  package,
  packageText,
  enable,
}:

let
  inherit (lib) mkOption types;

  # A Nix path or a file of the store is accepted here and refused in assertions.nix, with the reason.
  credential = description: mkOption {
    type = types.nullOr (types.either types.path types.str);
    default = null;
    example = "/run/secrets/mailmon";
    description = "${description} systemd reads it as root (`LoadCredential=`), so it can be readable by root only.";
  };
  text = description: example: mkOption {
    type = types.nullOr types.str;
    default = null;
    inherit description example;
  };
  security = mkOption {
    type = types.nullOr (types.enum [ "tls" "starttls" "plain" ]);
    default = null;
    description = "Connection security; the default depends on the port.";
  };
in
{
  inherit enable;

  package = mkOption {
    type = types.package;
    default = package;
    defaultText = packageText;
    description = "The mailmon package to use.";
  };

  # --- when ---
  interval = mkOption {
    type = types.str;
    default = "15min";
    example = "1h 30min";
    description = "Time from the start of one run to the start of the next, as in {manpage}`systemd.time(7)`.";
  };

  onCalendar = mkOption {
    type = types.coercedTo types.str (expression: [ expression ]) (types.listOf types.str);
    default = [ ];
    example = [
      "*:0/10"
      "Mon..Fri 08:55"
    ];
    description = ''
      Fixed times instead of `interval`, as in {manpage}`systemd.time(7)`; one or several. A run that was missed because the
      machine was off is caught up.
    '';
  };

  randomizedDelay = mkOption {
    type = types.nullOr types.str;
    default = null;
    example = "2min";
    description = ''
      Random delay of each run, at most. By default 30 s for `onCalendar`, so that not all monitors start at the full minute,
      and none for `interval`.
    '';
  };

  # --- the summary of bounces ---
  summary.enable = mkOption {
    type = types.bool;
    default = false;
    description = "Whether to send a daily summary of the bounces of the last 24 hours to all channels.";
  };
  summary.at = mkOption {
    type = types.str;
    default = "*-*-* 07:00:00";
    example = "Mon..Fri 08:00";
    description = ''
      When to send it, as in {manpage}`systemd.time(7)`, plus up to five minutes. A summary that was missed because the machine
      was off is caught up.
    '';
  };
  summary.onlyIfAny = mkOption {
    type = types.bool;
    default = false;
    description = "Whether to skip the summary if there were no bounces.";
  };

  # --- the account `main` ---
  smtp.host = text "SMTP server of the account `main`." "mail.example.org";
  smtp.port = mkOption {
    type = types.port;
    default = 587;
    description = "Its port. 465 means TLS from the first byte, any other port STARTTLS.";
  };
  smtp.security = security;

  imap.host = text "IMAP server of the account `main`." "mail.example.org";
  imap.port = mkOption {
    type = types.port;
    default = 993;
    description = "Its port. 143 means STARTTLS, any other port TLS from the first byte.";
  };
  imap.security = security;

  caFile = mkOption {
    type = types.nullOr (types.either types.path types.str);
    default = null;
    example = "/etc/ssl/own-ca.pem";
    description = "PEM file of the CA of both servers; it replaces the system's certificates.";
  };
  tlsSha256 = mkOption {
    type = types.listOf types.str;
    default = [ ];
    description = "SHA-256 digests of the accepted certificates of both servers, instead of the checks of chain and name.";
  };

  credentials.username = text "Login name of the account `main`." "monitor@example.org";
  credentials.passwordFile = credential "File with the password of the account `main`.";
  credentials.files = mkOption {
    type = types.attrsOf (types.either types.path types.str);
    default = { };
    example = {
      "office.password" = "/run/secrets/office";
      "hook.url" = "/run/secrets/hook-url";
    };
    description = ''
      Files with further credentials by name: `<account>.password` for an account, `<channel>.<option>` for a channel of
      `settings` (`topic`, `token`, `webhook`, `url`, `secret`, `authorization`).
    '';
  };

  testRecipient = text "Recipient of the probes of the account `main`; by default its own address." "probe@example.org";
  receiveTimeout = mkOption {
    type = types.int;
    default = 60;
    description = "Seconds until a probe must have arrived, 1 to 3600.";
  };

  # --- channels ---
  ntfy.enable = mkOption {
    type = types.bool;
    default = true;
    description = "Whether to send alerts to an ntfy server.";
  };
  ntfy.server = mkOption {
    type = types.str;
    default = "https://ntfy.sh";
    description = "Address of the ntfy server.";
  };
  ntfy.topic = text ''
    Topic to publish to. It is world-readable in the Nix store; on a public server, where the topic is the only protection
    of the messages, use `topicFile`.
  '' "mail-alerts";
  ntfy.topicFile = credential "File with the topic.";
  ntfy.tokenFile = credential "File with the access token of the ntfy server.";
  discord.webhookFile = credential "File with the URL of a Discord webhook for alerts.";
  ping.urlFile = credential "File with a ping URL (Healthchecks or similar) that receives a ping from each run and alerts when pings stop.";

  onFailure = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [ "page-me.service" ];
    description = ''
      Further units to start when mailmon itself fails, or its alerts are not delivered. A mail failure is an alert, not a
      failure of the unit.
    '';
  };

  # --- how it runs ---
  user = text ''
    User to run as. By default one that exists only while the unit runs (`DynamicUser=`). A user set here must exist.
  '' "mailmon";

  stateDirectory = mkOption {
    type = types.str;
    default = "/var/lib/mailmon-${name}";
    defaultText = "/var/lib/mailmon-<name>";
    description = "State directory, below /var/lib. Created by systemd, readable by this instance only.";
  };

  allowedAddresses = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [
      "192.0.2.25"
      "2001:db8::/32"
      "localhost"
    ];
    description = ''
      Addresses that the unit may connect to (`IPAddressAllow=`); all others are refused. By default there is no restriction.
      Include the mail servers, the name servers and the servers of the channels.
    '';
  };

  localChecks.enable = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether checks may access the mail system of this machine: `checks.queue` and certificate files. Allows local sockets
      and `localChecks.groups`, and nothing else (docs/mail-host.md).
    '';
  };
  localChecks.groups = mkOption {
    type = types.listOf types.str;
    default = [ "postdrop" ];
    example = [
      "postdrop"
      "acme"
    ];
    description = "Supplementary groups of the run with `localChecks.enable`; they must exist.";
  };

  settings = mkOption {
    type = (pkgs.formats.json { }).type;
    default = { };
    example = {
      reachability = [ "1.1.1.1:443" ];
      checks.receive.warning_delivery_s = 20;
    };
    description = ''
      All other settings of docs/configuration.md, including the full form with several accounts. They override the options
      above; `null` removes a setting. Unknown keys are refused when the system is built.
    '';
  };
}
