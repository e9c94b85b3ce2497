# services.mail-monitor, the name under which the small monitor was known: its options are those of services.mailmon, and
# what it remembered stays where it is.
{ config, lib, ... }:

let
  inherit (lib)
    mkDefault
    mkIf
    mkOption
    types
    ;

  old = config.services.mail-monitor;
  text = default: mkOption {
    type = types.nullOr types.str;
    inherit default;
    description = "The old name of the option of services.mailmon.";
  };
  of = type: default: (text null) // { inherit type default; };

  # What is said under the new name wins, so that one can move over option by option.
  said = builtins.mapAttrs (_: mkDefault);
in
{
  options.services.mail-monitor = {
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
    stateDirectory = of types.str "/var/lib/mail-monitor";
  };

  config = mkIf old.enable {
    warnings = [
      "services.mail-monitor is now services.mailmon: write that name, and services.mailmon.stateDirectory = \"${old.stateDirectory}\" to keep what is remembered."
    ];
    # The old unit ran as this user, so secrets may be given to it; without it sops-nix and agenix would fail as a whole.
    users.users.mail-monitor = {
      isSystemUser = true;
      group = "mail-monitor";
    };
    users.groups.mail-monitor = { };
    services.mailmon = {
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
  };
}
