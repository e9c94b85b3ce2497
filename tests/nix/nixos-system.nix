# nixpkgs.lib.nixosSystem: the module in what stands for NixOS, and its units as things that could be built.
{ lib, self }:

{ modules }:

let
  system = "x86_64-linux";
  pkgs = self.legacyPackages.${system};
  evaluated = lib.evalModules {
    modules = modules ++ [
      (import ./nixos.nix {
        inherit lib;
        systemd = pkgs.systemd;
      })
      {
        # What configurations of the project say of the rest of NixOS; nothing is made of it.
        options = lib.genAttrs [ "boot" "fileSystems" "networking" "nixpkgs" "security" "system" ] (
          _:
          lib.mkOption {
            type = lib.types.anything;
            default = { };
          }
        );
      }
      {
        options.systemd.tmpfiles = lib.mkOption {
          type = lib.types.anything;
          default = { };
        };
      }
    ];
    specialArgs = { inherit pkgs; };
  };
  inherit (evaluated) config;
  unit = ending: name: of: {
    name = "${name}.${ending}";
    value.unit = pkgs.writeText "${name}.${ending}" (builtins.toJSON of);
  };
in
evaluated
// {
  config = config // {
    systemd = config.systemd // {
      units = builtins.listToAttrs (
        lib.mapAttrsToList (unit "service") config.systemd.services
        ++ lib.mapAttrsToList (unit "timer") config.systemd.timers
      );
    };
    # What nixos-rebuild builds: it fails where an assertion does.
    system.build.toplevel =
      let
        failed = builtins.filter (one: !one.assertion) config.assertions;
      in
      if failed == [ ] then
        pkgs.writeText "nixos-system" (builtins.toJSON config.systemd.services)
      else
        throw (builtins.concatStringsSep "\n" (map (one: one.message) failed));
  };
}
