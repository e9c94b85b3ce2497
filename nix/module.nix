# services.mailmon: monitors mail servers, and alerts on each change. Documentation: docs/nixos.md
#
#   options.nix      the options of an instance
#   document.nix     its configuration file
#   unit.nix         its units, hardened by hardening.nix
#   wrapper.nix      its command for use by hand
#   assertions.nix   checks of its options (time.nix: times; secrets.nix: credentials)
#   mail-monitor.nix the old names of all this
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib)
    concatMap
    filterAttrs
    mapAttrs'
    mapAttrsToList
    mkIf
    mkOption
    nameValuePair
    optional
    optionalAttrs
    types
    ;

  cfg = config.services.mailmon;

  options =
    name: more:
    import ./options.nix (
      {
        inherit lib pkgs name;
      }
      // more
    );

  # The options beside `instances` are an instance as soon as they name a server.
  isMain = cfg.smtp.host != null || cfg.settings != { };
  named = filterAttrs (_: instance: instance.enable) cfg.instances;
  instances = optionalAttrs isMain { main = cfg; } // named;
  place = name: if isMain && name == "main" then "services.mailmon" else "services.mailmon.instances.${name}";

  units = builtins.mapAttrs (
    name: instance:
    import ./unit.nix {
      inherit lib pkgs name;
      cfg = instance;
    }
  ) instances;
  summaries = filterAttrs (name: _: instances.${name}.summary.enable) units;
  checked = mapAttrsToList (
    name: instance:
    import ./assertions.nix {
      inherit lib name;
      place = place name;
      cfg = instance;
      users = config.users.users or { };
    }
  ) instances;

  # Options of an account, a channel or the summary of `main`, which would be silently ignored without a server.
  idle = builtins.filter (option: option.value != null) [
    { path = "imap.host"; value = cfg.imap.host; }
    { path = "credentials.username"; value = cfg.credentials.username; }
    { path = "credentials.passwordFile"; value = cfg.credentials.passwordFile; }
    { path = "testRecipient"; value = cfg.testRecipient; }
    { path = "ntfy.topic"; value = cfg.ntfy.topic; }
    { path = "ntfy.topicFile"; value = cfg.ntfy.topicFile; }
    { path = "discord.webhookFile"; value = cfg.discord.webhookFile; }
    { path = "ping.urlFile"; value = cfg.ping.urlFile; }
    { path = "summary.enable"; value = if cfg.summary.enable then true else null; }
  ];
  directories = mapAttrsToList (_: instance: instance.stateDirectory) instances;
  together = [
    {
      assertion = instances != { } || idle != [ ];
      message = "services.mailmon: no server to monitor: set services.mailmon.smtp.host, or services.mailmon.instances.<name>.smtp.host.";
    }
    {
      assertion = isMain || idle == [ ];
      message = "services.mailmon.smtp.host is missing: services.mailmon.${
        lib.concatMapStringsSep ", " (option: option.path) idle
      } would be of no effect, because the options beside `instances` are only for the instance `main`. Set it, or move them to services.mailmon.instances.<name>.";
    }
    {
      assertion = !(isMain && named ? main);
      message = "services.mailmon.instances.main: services.mailmon.smtp.host and settings describe the instance `main` already: give this one another name.";
    }
    {
      assertion = builtins.length (lib.unique directories) == builtins.length directories;
      message = "services.mailmon: two instances have the same stateDirectory, and would overwrite each other's alerts: leave it out.";
    }
    {
      assertion = !builtins.any (outer: builtins.any (lib.hasPrefix "${outer}/") directories) directories;
      message = "services.mailmon: the stateDirectory of one instance is inside that of another, which would take it over: leave it out.";
    }
  ];
in
{
  imports = [ ./mail-monitor.nix ];

  options.services.mailmon =
    options "main" {
      package = pkgs.callPackage ./package.nix { };
      packageText = "the package of this flake";
      enable = lib.mkEnableOption "mailmon, which monitors mail end to end (log in, send, receive) and alerts on each change";
    }
    // {
      instances = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = options name {
                inherit (cfg) package;
                packageText = "services.mailmon.package";
                enable = mkOption {
                  type = types.bool;
                  default = true;
                  description = "Whether to run this instance.";
                };
              };
            }
          )
        );
        default = { };
        description = ''
          Further instances, each with its own units, timer, state and credentials. They have the options of
          `services.mailmon` (which itself is the instance `main`), and inherit only the value of `package`.
        '';
      };
    };

  config = mkIf cfg.enable {
    assertions = together ++ concatMap (instance: instance.assertions) checked;
    warnings = concatMap (instance: instance.warnings) checked;

    systemd.services =
      mapAttrs' (name: unit: nameValuePair "mailmon-${name}" unit.service) units
      // mapAttrs' (name: unit: nameValuePair "mailmon-${name}-failure" unit.failure) units
      // mapAttrs' (name: unit: nameValuePair "mailmon-${name}-summary" unit.summary) summaries
      // mapAttrs' (name: unit: nameValuePair "mailmon-${name}-summary-failure" unit.summaryFailure) summaries;
    systemd.timers =
      mapAttrs' (name: unit: nameValuePair "mailmon-${name}" unit.timer) units
      // mapAttrs' (name: unit: nameValuePair "mailmon-${name}-summary" unit.summaryTimer) summaries;

    environment.systemPackages =
      # For commands without an instance: `mailmon demo`, `mailmon config schema`.
      optional (instances != { }) cfg.package
      ++ mapAttrsToList (
        name: unit:
        import ./wrapper.nix {
          inherit lib pkgs name unit;
          systemd = config.systemd.package;
        }
      ) units;
  };
}
