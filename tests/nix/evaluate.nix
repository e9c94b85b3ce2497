# What does the module make of a configuration? Everything that the tests look at, as plain JSON.
{
  # Directory with lib/default.nix of nixpkgs, "" for the stand-in
  library ? "",
  # Directories whose bin/ holds mailmon, and systemctl with systemd-run
  mailmon,
  systemd ? mailmon,
  # Whether the build machine could run the program
  canExecute ? true,
}:

let
  lib = if library == "" then import ./lib.nix else import (/. + library);

  pkgs = import ./pkgs.nix { inherit lib mailmon canExecute; };

  # --- units as NixOS writes them: a list is a repeated key, a truth value "true" or "false" ---
  word = value: if value == true then "true" else if value == false then "false" else toString value;
  lines = key: value: map (one: "${key}=${word one}") (lib.toList value);
  section =
    title: keys: [ "[${title}]" ] ++ builtins.concatLists (lib.mapAttrsToList lines keys) ++ [ "" ];
  joined = list: if list == [ ] then [ ] else builtins.concatStringsSep " " list;
  unit =
    of: more:
    builtins.concatStringsSep "\n" (
      section "Unit" {
        Description = of.description;
        Wants = joined (of.wants or [ ]);
        After = joined (of.after or [ ]);
        OnFailure = joined (of.onFailure or [ ]);
        StartLimitIntervalSec = of.startLimitIntervalSec or [ ];
        X-RestartIfChanged = if of.restartIfChanged or true then [ ] else false;
      }
      ++ more
      ++ lib.optional (of ? wantedBy) "[Install]"
      ++ map (target: "WantedBy=${target}") (of.wantedBy or [ ])
    );
  service =
    of:
    unit of (
      section "Service" (
        of.serviceConfig
        // {
          Environment = lib.mapAttrsToList (name: value: builtins.toJSON "${name}=${value}") (of.environment or { });
        }
      )
    );
  timer = of: unit of (section "Timer" of.timerConfig);
  # Without overrides of units that nobody defines.
  whole = lib.filterAttrs (_: of: of ? description);
  named = ending: f: lib.mapAttrs' (name: of: lib.nameValuePair "${name}.${ending}" (f of));

in
configuration:
let
  evaluated = lib.evalModules {
    modules = [
      (import ./nixos.nix { inherit lib systemd; })
      ../../nix/module.nix
      configuration
    ];
    specialArgs = { inherit pkgs; };
  };
  inherit (evaluated) config;
  failed = builtins.filter (one: !one.assertion) config.assertions;
  packages = builtins.filter (package: package ? file) config.environment.systemPackages;
in
{
  failed = map (one: one.message) failed;
  inherit (config) warnings;
}
// lib.optionalAttrs (failed == [ ]) {
  # What is run when the configuration of the instance `main` is built.
  build =
    let
      unit = import ../../nix/unit.nix {
        inherit lib pkgs;
        name = "main";
        cfg = config.services.mailmon;
      };
    in
    lib.optionalAttrs (unit.configuration ? script) {
      inherit (unit.configuration) script;
      written = unit.configuration.outPath;
    };
  units = named "service" service (whole config.systemd.services) // named "timer" timer (whole config.systemd.timers);
  wrappers = builtins.listToAttrs (
    map (package: lib.nameValuePair package.name (builtins.readFile package.file)) packages
  );
  documents = builtins.mapAttrs (
    _: of:
    builtins.fromJSON (
      builtins.readFile (
        # The store path behind --config
        builtins.head (builtins.match ".*--config ([^ ]+).*" of.serviceConfig.ExecStart)
      )
    )
  ) (whole config.systemd.services);
}
