# As much of NixOS as the module writes to, as a module.
{
  lib,
  # A directory whose bin/ holds systemctl and systemd-run
  systemd,
}:

let
  inherit (lib) mkOption types;
  of = type: default: mkOption { inherit type default; };
in
{
  options = {
    assertions = of (types.listOf types.unspecified) [ ];
    warnings = of (types.listOf types.str) [ ];
    systemd.services = of (types.attrsOf types.anything) { };
    systemd.timers = of (types.attrsOf types.anything) { };
    systemd.package = of types.anything systemd;
    users = of types.anything { };
    environment.systemPackages = of (types.listOf types.unspecified) [ ];
  };
}
