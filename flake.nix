# mailmon for Nix: the program, the NixOS module, and their tests. Documentation: docs/nixos.md
{
  description = "Checks that a mail server really takes, delivers and shows mail, and tells you once when that changes";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # NixOS runs on these; the program alone also on darwin.
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      darwin = [
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEach = systems: make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEach (linux ++ darwin) (pkgs: rec {
        mailmon = pkgs.callPackage ./nix/package.nix { };
        default = mailmon;
        # The name that the small monitor's flake had.
        mail-monitor = mailmon;
      });

      apps = forEach (linux ++ darwin) (
        pkgs:
        let
          mailmon = self.packages.${pkgs.stdenv.hostPlatform.system}.mailmon;
          app = description: program: {
            type = "app";
            inherit program;
            meta = { inherit description; };
          };
        in
        {
          default = app "Check mail servers" "${mailmon}/bin/mailmon";
          mail-monitor = app "Check mail servers, by the old name" "${mailmon}/bin/mailmon";
          demo = app "A failure, its alert and the recovery, against an embedded mail server" "${pkgs.writeShellScript "mailmon-demo" ''
            exec ${mailmon}/bin/mailmon demo "$@"
          ''}";
        }
      );

      nixosModules = rec {
        mailmon.imports = [ ./nix/module.nix ];
        default = mailmon;
        # The name that the small monitor's flake had: whoever changes only the input's URL is told what else to change.
        mail-monitor.imports = [
          ./nix/module.nix
          {
            warnings = [ "nixosModules.mail-monitor is now nixosModules.mailmon (or nixosModules.default): import that one." ];
          }
        ];
      };

      overlays.default = final: _: {
        mailmon = final.callPackage ./nix/package.nix { };
      };

      devShells = forEach (linux ++ darwin) (pkgs: {
        default = pkgs.mkShell {
          # What `make` builds its own environment with, and what the tests of the Nix side ask.
          packages = [
            pkgs.gnumake
            pkgs.python3
            pkgs.uv
          ];
        };
      });

      checks = forEach linux (pkgs: {
        # With its tests.
        package = self.packages.${pkgs.stdenv.hostPlatform.system}.mailmon;
        # The module within a whole NixOS, and what systemd says of its units.
        module = import ./nix/module-check.nix {
          inherit pkgs nixpkgs;
          module = self.nixosModules.mailmon;
        };
        # Real Postfix and Dovecot in a virtual machine, a fault and the recovery.
        vm = pkgs.testers.runNixOSTest (import ./nix/vm-test.nix { module = self.nixosModules.mailmon; });
      });
    };
}
