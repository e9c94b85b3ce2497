# The configuration file of an instance: the options by mailmon's own keys, overridden by `settings`.
{ lib, cfg }:

let
  inherit (lib)
    filterAttrsRecursive
    mapAttrsToList
    optionalAttrs
    recursiveUpdate
    ;
  inherit (builtins)
    any
    ceil
    filter
    foldl'
    isAttrs
    isFloat
    isInt
    ;

  table = value: if isAttrs value then value else { };
  isNumber = value: isInt value || isFloat value;

  # "none" disables alerts on purpose.
  hasNoAlerts = (cfg.settings.notify or { }) == "none";
  usesNtfy = cfg.ntfy.enable && !hasNoAlerts;

  flat = optionalAttrs (cfg.smtp.host != null) {
    smtp_host = cfg.smtp.host;
    smtp_port = cfg.smtp.port;
    smtp_security = cfg.smtp.security;
    imap_host = cfg.imap.host;
    imap_port = cfg.imap.port;
    imap_security = cfg.imap.security;
    ca_file = if cfg.caFile == null then null else "${cfg.caFile}";
    tls_sha256 = if cfg.tlsSha256 == [ ] then null else cfg.tlsSha256;
    username = cfg.credentials.username;
    test_recipient = cfg.testRecipient;
  };

  channels =
    optionalAttrs usesNtfy {
      ntfy = {
        inherit (cfg.ntfy) server topic;
      };
    }
    // optionalAttrs (cfg.discord.webhookFile != null) { discord = { }; };

  options =
    flat
    # At the check, so that it also holds for the routes of `settings` that say nothing else.
    // { checks.receive.timeout_s = cfg.receiveTimeout; }
    // optionalAttrs (channels != { }) { notify = channels; }
    // optionalAttrs (cfg.ping.urlFile != null) { ping = { }; };

  # `null` is what an option has that was not set, and how `settings` takes away what an option says.
  document = filterAttrsRecursive (_: value: value != null) (recursiveUpdate options cfg.settings);

  # The keys by which mailmon knows the flat form, an account `main` in a few lines (docs/configuration.md).
  isFlat = any (key: document ? ${key}) [
    "smtp_host"
    "imap_host"
    "username"
    "address"
    "test_recipient"
  ];

  # As mailmon itself reckons (config/contradictions.py): the longest wait of all routes.
  general = document.checks.receive.timeout_s or 60;
  routes =
    table (document.routes or { })
    // optionalAttrs isFlat {
      main = {
        receive_timeout_s = document.receive_timeout or general;
      }
      // table (document.routes.main or { });
    };
  waits = mapAttrsToList (_: route: route.receive_timeout_s or general) routes;
  known = filter isNumber (if waits == [ ] then [ general ] else waits);
  longest = foldl' (most: wait: if wait > most then wait else most) 1 known;
  deadline = document.deadline_s or (longest + 90);
in
{
  inherit document isFlat usesNtfy;

  # The accounts by name, `main` of the flat form among them.
  accounts = optionalAttrs isFlat { main = { }; } // table (document.accounts or { });
  flatPassword = any (key: document ? ${key}) [
    "password"
    "password_file"
    "password_command"
    "token"
    "token_file"
    "token_command"
    "oauth"
  ];
  channels = table (document.notify or { });

  # A run ends by itself at its deadline; 30 s later it is stuck, and systemd ends it. It never ends sooner.
  timeoutSec = ceil ((if isNumber deadline then deadline else 150) + 30);

  # The credentials by the names that mailmon looks for, where the configuration says nothing (docs/configuration.md).
  credentials =
    cfg.credentials.files
    // lib.filterAttrs (_: file: file != null) (
      { password = cfg.credentials.passwordFile; }
      // optionalAttrs usesNtfy {
        "ntfy.topic" = cfg.ntfy.topicFile;
        "ntfy.token" = cfg.ntfy.tokenFile;
      }
      // {
        "discord.webhook" = cfg.discord.webhookFile;
        "ping.url" = cfg.ping.urlFile;
      }
    );
}
