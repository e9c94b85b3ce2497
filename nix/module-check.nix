# The module within a whole NixOS: its assertions, its options beside those of all other modules, and its units as NixOS
# writes them, given to `systemd-analyze security`. The configuration files are part of it, and so `mailmon config validate`.
{
  pkgs,
  nixpkgs,
  module,
}:

let
  inherit
    (nixpkgs.lib.nixosSystem {
      modules = [
        module
        {
          nixpkgs.hostPlatform = pkgs.stdenv.hostPlatform.system;
          # As little as makes a system that can be evaluated.
          boot.loader.grub.enable = false;
          fileSystems."/".device = "none";
          fileSystems."/".fsType = "tmpfs";
          system.stateVersion = nixpkgs.lib.trivial.release;

          services.mailmon = {
            enable = true;
            smtp.host = "mail.example.org";
            imap.host = "mail.example.org";
            credentials.username = "monitor@example.org";
            credentials.passwordFile = "/run/secrets/mailmon";
            ntfy.topicFile = "/run/secrets/ntfy-topic";

            instances.office = {
              ntfy.enable = false;
              discord.webhookFile = "/run/secrets/discord";
              onCalendar = [ "*:0/10" ];
              summary.enable = true;
              credentials.files."office.password" = "/run/secrets/office";
              settings.accounts.office = {
                address = "monitor@example.net";
                smtp.host = "mail.example.net";
                imap.host = "mail.example.net";
              };
            };
          };
        }
      ];
    })
    config
    ;

  # What NixOS says about the whole must be in order, as for a system that is built.
  failed = builtins.filter (one: !one.assertion) config.assertions;
  names = [
    "mailmon-main.service"
    "mailmon-main-failure.service"
    "mailmon-main.timer"
    "mailmon-office.service"
    "mailmon-office-failure.service"
    "mailmon-office.timer"
    "mailmon-office-summary.service"
    "mailmon-office-summary-failure.service"
    "mailmon-office-summary.timer"
  ];
in
if failed != [ ] then
  throw (builtins.concatStringsSep "\n" (map (one: one.message) failed))
else
  pkgs.runCommand "mailmon-module"
    {
      units = map (name: "${config.systemd.units.${name}.unit}/${name}") names;
      nativeBuildInputs = [ pkgs.systemd ];
    }
    ''
      mkdir "$out"
      cp $units "$out"
      for service in "$out"/*.service; do
        systemd-analyze security --offline=true --no-pager --threshold=11 "$service"
      done
    ''
