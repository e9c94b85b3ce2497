# As much of nixpkgs as the module uses, made of files that are written during the evaluation.
{
  lib,
  # A directory whose bin/ holds the program
  mailmon,
  canExecute ? true,
}:

let
  inherit (lib) types;
in
{
  # A JSON value as nixpkgs has it, except that it is not checked.
  formats.json = _: {
    type = types.attrsOf types.anything;
    generate = name: value: builtins.toFile name (builtins.toJSON value);
  };
  # The real one runs the script; test_build.py does that.
  runCommand = _: environment: script: {
    inherit script;
    outPath = environment.written;
  };
  writeShellScriptBin = name: text: {
    inherit name;
    file = builtins.toFile name "#!/usr/bin/env bash\n${text}";
  };
  writeText = builtins.toFile;
  runtimeShell = "/bin/sh";
  stdenv.hostPlatform = { };
  stdenv.buildPlatform.canExecute = _: canExecute;
  callPackage = _: _: {
    type = "derivation";
    name = "mailmon";
    outPath = mailmon;
  };
}
