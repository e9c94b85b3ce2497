# pkgs.testers.runNixOSTest: every machine is evaluated with the options of its services in both of the forms that NixOS
# releases have, and the test itself is there to be read.
{
  lib,
  pkgs,
  self,
  fake,
}:

test:

let
  anything = lib.mkOption {
    type = lib.types.anything;
    default = { };
  };
  # Before and after `settings` came.
  forms = [
    {
      services.postfix.enable = anything;
      services.postfix.enableSubmission = anything;
      services.postfix.submissionOptions = anything;
      services.postfix.config = anything;
      services.dovecot2.enable = anything;
      services.dovecot2.configFile = anything;
      services.dovecot2.user = anything // { default = "dovecot2"; };
      services.dovecot2.package = anything // { default.version = "2.3.21"; };
      services.ntfy-sh = anything;
    }
    {
      services.postfix.enable = anything;
      services.postfix.enableSubmission = anything;
      services.postfix.submissionOptions = anything;
      services.postfix.settings = anything;
      services.dovecot2.enable = anything;
      services.dovecot2.configFile = anything;
      services.dovecot2.settings.default_internal_user = anything // { default = "dovecot2"; };
      services.dovecot2.settings.dovecot_config_version = anything;
      services.dovecot2.settings.dovecot_storage_version = anything;
      services.dovecot2.package = anything // { default.version = "2.4.2"; };
      services.ntfy-sh = anything;
    }
  ];
  machine =
    form: name: module:
    let
      inherit (self.lib.nixosSystem {
        modules = [
          module
          test.defaults
          { options = form; }
        ];
      })
        config
        ;
      failed = builtins.filter (one: !one.assertion) config.assertions;
    in
    if failed != [ ] then
      throw (builtins.concatStringsSep "\n" (map (one: one.message) failed))
    else
      [
        name
        config.services
        config.systemd.services
        config.systemd.timers
        config.environment.systemPackages
        config.networking
        config.security
        config.users
      ];
in
fake "vm-test-run-${test.name}" {
  inherit (test) testScript;
  machines = map (form: lib.mapAttrsToList (machine form) test.nodes) forms;
}
