# Stands for nixpkgs where there is none: enough for `nix flake show` and `nix flake check --no-build` to evaluate everything.
# nix flake check --no-build path:$PWD --override-input nixpkgs path:$PWD/tests/nix
{
  description = "A stand-in for nixpkgs";

  outputs =
    { self }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];

      lib = import ./lib.nix // {
        fileset.toSource =
          { root, fileset }:
          let
            missing = builtins.filter (file: !builtins.pathExists file) fileset;
          in
          if missing == [ ] then root else throw "there is no ${toString (builtins.head missing)}";
        fileset.unions = files: files;
        importTOML = file: builtins.fromTOML (builtins.readFile file);
        licenses.mit = { };
        platforms.unix = systems;
        trivial.release = "26.05";
        nixosSystem = import ./nixos-system.nix { inherit lib self; };
      };

      packagesFor =
        system:
        let
          # Nothing is built of it; everything that it is made of is evaluated.
          fake =
            name: arguments:
            builtins.deepSeq arguments (derivation {
              inherit name system;
              builder = "/bin/sh";
            })
            // {
              inherit name;
              meta = arguments.meta or { };
            };
          platform = { inherit system; canExecute = _: true; };
          pkgs = {
            inherit lib;
            stdenv.hostPlatform = platform;
            stdenv.buildPlatform = platform;
            callPackage =
              file: arguments:
              let
                function = import file;
              in
              function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // arguments);
            formats.json = _: {
              type = lib.types.attrsOf lib.types.anything;
              generate = name: value: fake name { inherit value; };
            };
            runtimeShell = "/bin/sh";
            installShellFiles = fake "install-shell-files" { };
            mkShell = fake "shell";
            runCommand = name: environment: script: fake name { inherit environment script; };
            writeShellScript = name: script: fake name { inherit script; };
            writeShellScriptBin = name: script: fake name { inherit script; };
            writeText = name: text: fake name { inherit text; };
            testers.runNixOSTest = import ./nixos-test.nix { inherit lib pkgs self fake; };
            python3Packages =
              lib.genAttrs [
                "aiosmtpd" "apprise" "click" "cryptography" "dnspython" "hatchling" "hypothesis" "pydantic"
                "dkimpy" "pytest" "requests" "rich" "trustme" "xlsxwriter"
              ] (name: fake name { })
              // {
                python = {
                  interpreter = "python3";
                  sitePackages = "lib/python3/site-packages";
                  pythonOnBuildForHost.interpreter = "python3";
                };
                buildPythonApplication = arguments: fake "${arguments.pname}-${arguments.version}" arguments;
              };
          }
          // lib.genAttrs [ "gnumake" "python3" "uv" "openssl" "systemd" ] (name: fake name { });
        in
        pkgs;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems packagesFor;
    };
}
