# services.mail-monitor, the name under which the small monitor was known, and the two further names of its README: their
# options are those of services.mailmon, and their state stays where it is. Warnings name the new options.
{ config, lib, ... }:

let
  inherit (lib)
    concatMap
    mkDefault
    mkIf
    mkMerge
    mkOption
    types
    ;

  text = default: mkOption {
    type = types.nullOr types.str;
    inherit default;
    description = "The old name of the option of services.mailmon.";
  };
  of = type: default: (text null) // { inherit type default; };

  options = stateDirectory: {
    enable = lib.mkEnableOption "the mail monitor under its old name; use services.mailmon";
    interval = of types.str "15min";
    smtp.host = text null;
    smtp.port = of types.port 587;
    imap.host = text null;
    imap.port = of types.port 993;
    credentials.username = text null;
    credentials.passwordFile = of (types.nullOr (types.either types.path types.str)) null;
    testRecipient = text null;
    receiveTimeout = of types.int 60;
    ntfy.enable = of types.bool true;
    ntfy.topic = text null;
    ntfy.server = of types.str "https://ntfy.sh";
    stateDirectory = of types.str stateDirectory;
  };

  # The new name wins, so that options can be moved one by one.
  said = builtins.mapAttrs (_: mkDefault);
  moved =
    old: new:
    {
      # Without ntfy there were no alerts; mailmon requires this to be explicit.
      settings = lib.optionalAttrs (hasNoAlerts old new) { notify = mkDefault "none"; };
      enable = mkDefault true;
      smtp = said old.smtp;
      imap = said old.imap;
      credentials = said old.credentials;
      ntfy = said old.ntfy;
    }
    // said {
      inherit (old)
        interval
        testRecipient
        receiveTimeout
        stateDirectory
        ;
    };

  hasNoAlerts = old: new: !old.ntfy.enable && new.discord.webhookFile == null;
  new = {
    mail-monitor = config.services.mailmon;
    mail-monitor-primary = config.services.mailmon.instances.primary;
    mail-monitor-backup = config.services.mailmon.instances.backup;
  };
  untold =
    name:
    lib.optional (hasNoAlerts old.${name} new.${name})
      "services.${name}.ntfy.enable is false, so no alert is sent when mail fails: set ${names.${name}.place}.ntfy.enable, or another channel.";

  # The old names: the new place of the options, and the new name of the units.
  names = {
    mail-monitor = {
      place = "services.mailmon";
      unit = "mailmon-main";
    };
    mail-monitor-primary = {
      place = "services.mailmon.instances.primary";
      unit = "mailmon-primary";
    };
    mail-monitor-backup = {
      place = "services.mailmon.instances.backup";
      unit = "mailmon-backup";
    };
  };
  old = builtins.mapAttrs (name: _: config.services.${name}) names;
  used = builtins.filter (name: old.${name}.enable) (builtins.attrNames names);

  renamed = name: "services.${name} is now ${names.${name}.place}: write that name, and ${
    names.${name}.place
  }.stateDirectory = \"${old.${name}.stateDirectory}\" to keep the state. Its unit is ${
    names.${name}.unit
  }.service (docs/nixos.md has all old and new names).";

  # An override of a unit that is gone would make an empty one, which systemd does not start, without a word.
  left = kind: suffix: name: lib.optional (config.systemd.${kind} ? ${name})
    "systemd.${kind}.${name}: there is no ${name}.${suffix} any more, so this makes an empty unit and changes nothing: write systemd.${kind}.${
      names.${name}.unit
    }${
      lib.optionalString (kind == "timers") " (for its times ${names.${name}.place}.interval or ${names.${name}.place}.onCalendar)"
    }.";
  leftovers = concatMap (name: left "timers" "timer" name ++ left "services" "service" name) (builtins.attrNames names);
in
{
  options.services.mail-monitor = options "/var/lib/mail-monitor";
  options.services.mail-monitor-primary = options "/var/lib/mailmon-primary";
  options.services.mail-monitor-backup = options "/var/lib/mailmon-backup";

  config = mkMerge [
    {
      warnings = map renamed used ++ concatMap untold used ++ lib.optionals (config.services.mailmon.enable) leftovers;
    }
    (mkIf (used != [ ]) {
      # The old units ran as this user, so secrets may be given to it; without it sops-nix and agenix would fail as a whole.
      users.users.mail-monitor = {
        isSystemUser = true;
        group = "mail-monitor";
      };
      users.groups.mail-monitor = { };
    })
    (mkIf old.mail-monitor.enable { services.mailmon = moved old.mail-monitor new.mail-monitor; })
    (mkIf old.mail-monitor-primary.enable {
      services.mailmon.enable = mkDefault true;
      services.mailmon.instances.primary = moved old.mail-monitor-primary new.mail-monitor-primary;
    })
    (mkIf old.mail-monitor-backup.enable {
      services.mailmon.enable = mkDefault true;
      services.mailmon.instances.backup = moved old.mail-monitor-backup new.mail-monitor-backup;
    })
  ];
}
