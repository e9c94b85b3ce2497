# Assertions and warnings about an instance, each with what to write instead.
{
  lib,
  name,
  place,
  cfg,
  # Of NixOS
  users,
}:

let
  inherit (lib)
    concatMapStringsSep
    filter
    hasInfix
    hasPrefix
    mapAttrsToList
    optional
    ;
  inherit (builtins)
    any
    elem
    isAttrs
    isString
    match
    toJSON
    ;

  time = import ./time.nix;
  document = import ./document.nix { inherit lib cfg; };
  refuse = condition: message: {
    assertion = !condition;
    message = "${place}.${message}";
  };
  quoted = value: if isString value then toJSON value else toString value;

  # --- when ---
  everySeconds = time.seconds cfg.interval;
  delay = if cfg.randomizedDelay == null then 0 else time.seconds cfg.randomizedDelay;
  when = [
    (refuse (everySeconds == null)
      "interval: ${quoted cfg.interval} is no time span that systemd knows: write for example \"15min\" or \"1h 30min\"${
        lib.optionalString (time.isCalendar cfg.interval)
          "; a time of day or a calendar expression belongs into ${place}.onCalendar"
      }."
    )
    (refuse (everySeconds != null && everySeconds < 1)
      "interval: ${quoted cfg.interval} would start one run after the other: write at least \"1s\", for example \"15min\"."
    )
    (refuse (delay == null)
      "randomizedDelay: ${quoted cfg.randomizedDelay} is no time span that systemd knows: write for example \"30s\", or \"0\" for none."
    )
  ]
  ++ map (
    expression:
    refuse (!time.isCalendar expression)
      "onCalendar: ${quoted expression} is no calendar expression: write for example \"*:0/10\" for every ten minutes, or \"Mon..Fri 08:55\"; a time span belongs into ${place}.interval (`systemd-analyze calendar` explains expressions)."
  ) cfg.onCalendar
  ++ [
    (refuse (!time.isCalendar cfg.summary.at)
      "summary.at: ${quoted cfg.summary.at} is no calendar expression: write for example \"*-*-* 07:00:00\" for every morning (`systemd-analyze calendar` explains expressions)."
    )
    (refuse (cfg.summary.enable && (document.document.notify or null) == "none")
      "summary.enable is true, and settings.notify = \"none\" disables all alerts: remove one of the two."
    )
    (refuse (cfg.receiveTimeout < 1 || cfg.receiveTimeout > 3600)
      "receiveTimeout: ${toString cfg.receiveTimeout} is not between 1 and 3600: write the seconds until a probe must have arrived, for example 60."
    )
  ];

  # --- names and places ---
  octet = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
  address =
    text:
    match "${octet}([.]${octet}){3}(/(3[0-2]|[12]?[0-9]))?" text != null
    || (hasInfix ":" text && match "[0-9A-Fa-f:.]+(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?" text != null)
    || elem text [
      "any"
      "localhost"
      "link-local"
      "multicast"
    ];
  below = directory: file: isString file && hasPrefix "${directory}/" file && !hasInfix "/.." file;
  places = [
    {
      assertion = match "[A-Za-z0-9_][A-Za-z0-9_-]{0,22}" name != null && !any (ending: lib.hasSuffix ending name) [ "-failure" "-summary" ];
      message = "services.mailmon.instances.${quoted name}: no unit and user can have this name: write 1 to 23 letters, digits, \"-\" or \"_\", not beginning with \"-\" and not ending in \"-failure\" or \"-summary\", for example \"office\".";
    }
    (refuse (match "/var/lib(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+" cfg.stateDirectory == null || below "/var/lib/private" "${cfg.stateDirectory}/")
      "stateDirectory: ${quoted cfg.stateDirectory} is no directory below /var/lib, and nothing else can be written: write for example \"/var/lib/mailmon-${name}\"."
    )
    (refuse
      (document.document ? state_file && !below cfg.stateDirectory document.document.state_file)
      "settings.state_file: ${quoted document.document.state_file} is outside the state directory, and nothing else can be written: leave it out, or write ${cfg.stateDirectory}/state.json."
    )
    (refuse (elem cfg.user [ "root" "0" "" ])
      "user: ${quoted cfg.user} has rights that mailmon has no use for: leave it out for a user of its own, or name one without rights."
    )
  ]
  ++ map (
    text:
    refuse (!address text)
      "allowedAddresses: ${quoted text} is no address: systemd takes addresses like \"192.0.2.25\" or \"2001:db8::/32\", and \"localhost\"; names are not looked up."
  ) cfg.allowedAddresses
  ++ map (
    unit:
    refuse (match "[A-Za-z0-9:_.@\\-]+[.](service|target|socket|path|timer|mount|scope|slice)" unit == null)
      "onFailure: ${quoted unit} is no name of a unit: write it with its ending, for example \"page-me.service\"."
  ) cfg.onFailure;

  # --- accounts ---
  beside = filter (option: option.value != null) [
    { path = "imap.host"; value = cfg.imap.host; }
    { path = "credentials.username"; value = cfg.credentials.username; }
    { path = "testRecipient"; value = cfg.testRecipient; }
  ];
  hasHost = cfg.smtp.host != null || document.isFlat;
  credentialOf = account: [ "${account}.password" account ] ++ optional (account == "main") "password";
  hasPassword =
    account: table:
    any (credential: document.credentials ? ${credential}) (credentialOf account)
    || any (key: isAttrs table && table ? ${key}) [ "password" "password_file" "password_command" ]
    || (account == "main" && document.flatPassword);
  accounts = [
    (refuse (document.accounts == { } && beside == [ ])
      "smtp.host is missing, and so is settings.accounts: there is no account to monitor. Set smtp.host, imap.host, credentials.username and credentials.passwordFile."
    )
    (refuse (!hasHost && beside != [ ])
      "smtp.host is missing: ${concatMapStringsSep ", " (option: option.path) beside} belong${lib.optionalString (builtins.length beside == 1) "s"} to the account that it begins. Set it, or say everything in settings.accounts."
    )
    (refuse (cfg.smtp.host != null && cfg.imap.host == null)
      "imap.host is missing: set it to the server where the mail for ${quoted cfg.credentials.username} is read, often the same as smtp.host."
    )
    (refuse (cfg.smtp.host != null && cfg.credentials.username == null)
      "credentials.username is missing: set the login name, for example \"monitor@example.org\"."
    )
    (refuse (cfg.credentials.passwordFile != null && !hasHost && !(document.accounts ? main) && document.accounts != { })
      "credentials.passwordFile is the password of the account `main`, which is not there: set credentials.files.\"<account>.password\" instead."
    )
  ]
  ++ mapAttrsToList (
    account: table:
    refuse (!hasPassword account table)
      (
        if account == "main" then
          "credentials.passwordFile is missing: set it to a file with the password of the account `main`, for example \"/run/secrets/mailmon\"."
        else
          "credentials.files.\"${account}.password\" is missing: set it to a file with the password of the account `${account}`, for example \"/run/secrets/${account}\"."
      )
  ) document.accounts;

  secrets = import ./secrets.nix { inherit lib cfg document place refuse quoted; };
in
{
  assertions = when ++ places ++ accounts ++ secrets.assertions;
  warnings =
    secrets.warnings
    ++ optional (cfg.user != null && !(users ? ${cfg.user}))
      "${place}.user: users.users has no ${quoted cfg.user}; if nothing else makes this user, no run can start and no alert is sent: define it, or leave the option out.";
}
