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
    description = "${description} It is read by systemd as root (`LoadCredential=`), so it can be root's alone.";
  };
  text = description: example: mkOption {
    type = types.nullOr types.str;
    default = null;
    inherit description example;
  };
  security = mkOption {
    type = types.nullOr (types.enum [ "tls" "starttls" "plain" ]);
    default = null;
    description = "How the connection is protected; by default what the port means.";
  };
in
{
  inherit enable;

  package = mkOption {
    type = types.package;
    default = package;
    defaultText = packageText;
    description = "The mailmon to run.";
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
      Fixed times instead of `interval`, as in {manpage}`systemd.time(7)`; one or several. A time that was missed, because
      the machine was off, is made up for.
    '';
  };

  randomizedDelay = mkOption {
    type = types.nullOr types.str;
    default = null;
    example = "2min";
    description = ''
      Each run begins up to this much later. By default 30 s for `onCalendar`, so that not all the world asks at the full
      minute, and nothing for `interval`.
    '';
  };

  # --- the summary of bounces ---
  summary.enable = mkOption {
    type = types.bool;
    default = false;
    description = "Whether what came back in the last 24 hours is sent by all channels, once a day.";
  };
  summary.at = mkOption {
    type = types.str;
    default = "*-*-* 07:00:00";
    example = "Mon..Fri 08:00";
    description = ''
      When it is sent, as in {manpage}`systemd.time(7)`, up to five minutes later. A time that was missed, because the
      machine was off, is made up for.
    '';
  };
  summary.onlyIfAny = mkOption {
    type = types.bool;
    default = false;
    description = "Whether nothing is sent where nothing came back.";
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
    description = "SHA-256 digests of the certificates that both servers may show, in place of the checks of chain and name.";
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

  testRecipient = text "Where the account `main` sends its probes; by default to itself." "probe@example.org";
  receiveTimeout = mkOption {
    type = types.int;
    default = 60;
    description = "Seconds until a probe must have arrived, 1 to 3600.";
  };

  # --- who is told ---
  ntfy.enable = mkOption {
    type = types.bool;
    default = true;
    description = "Whether alerts go to an ntfy server.";
  };
  ntfy.server = mkOption {
    type = types.str;
    default = "https://ntfy.sh";
    description = "Address of the ntfy server.";
  };
  ntfy.topic = text ''
    Topic to publish to. It lies in the Nix store for all to read; on a public server, where the topic is all that
    protects the messages, use `topicFile`.
  '' "mail-alerts";
  ntfy.topicFile = credential "File with the topic.";
  ntfy.tokenFile = credential "File with the access token of the ntfy server.";
  discord.webhookFile = credential "File with the address of a Discord webhook, for alerts.";
  ping.urlFile = credential "File with a ping address (Healthchecks or alike) that hears of each run, and alarms when none comes.";

  onFailure = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [ "page-me.service" ];
    description = ''
      Further units to start when mailmon itself fails, or its alerts do not get out. That mail is down is an alert and no
      failure of the unit.
    '';
  };

  # --- how it runs ---
  user = text ''
    User to run as. By default one that exists only while the unit runs (`DynamicUser=`). A user that is named here must
    exist.
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
      Addresses that the unit may talk to (`IPAddressAllow=`), everything else is refused; by default it may talk to all.
      Besides the mail servers that must be the name servers and the servers of the channels.
    '';
  };

  localChecks.enable = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether the run may look at the mail system of this machine: `checks.queue` and files of certificates. Opens local
      sockets and `localChecks.groups`, and nothing else (docs/mail-host.md).
    '';
  };
  localChecks.groups = mkOption {
    type = types.listOf types.str;
    default = [ "postdrop" ];
    example = [
      "postdrop"
      "acme"
    ];
    description = "Groups that the run is in with `localChecks.enable`; they must exist.";
  };

  settings = mkOption {
    type = (pkgs.formats.json { }).type;
    default = { };
    example = {
      reachability = [ "1.1.1.1:443" ];
      checks.receive.warning_delivery_s = 20;
    };
    description = ''
      Everything else that docs/configuration.md knows, the full form with several accounts included. It is laid over what
      the options above say; `null` takes something away. Unknown keys are refused when the system is built.
    '';
  };
}
