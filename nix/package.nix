# The program, with its shell completion and manual pages, built and tested by nixpkgs' Python machinery.
{
  lib,
  stdenv,
  python3Packages,
  installShellFiles,
  # The channel of type `apprise` (some hundred services); brings some 20 MB.
  withApprise ? false,
}:

let
  python = python3Packages.python;
in
python3Packages.buildPythonApplication {
  pname = "mailmon";
  inherit ((lib.importTOML ../pyproject.toml).project) version;
  pyproject = true;

  # What is built and what its tests read; not the rest of nix/, so that a change there does not build the program anew.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../CHANGELOG.md
      ../CONTRIBUTING.md
      ../LICENSE
      ../Makefile
      ../README.md
      ../bench
      ../config.example.json
      ../constraints.txt
      ../container
      ../docs
      # A page links to it.
      ./hardening.nix
      ../pyproject.toml
      ../src
      ../systemd
      ../tests
    ];
  };

  build-system = [ python3Packages.hatchling ];

  # The names are attributes of nixpkgs' python3Packages: each has a file pkgs/development/python-modules/NAME/default.nix
  # there, looked up one by one (for apprise and trustme with the dependencies that they declare).
  dependencies = [
    python3Packages.click
    python3Packages.cryptography
    python3Packages.dnspython
    python3Packages.pydantic
    python3Packages.requests
    python3Packages.rich
    # The extra `sandbox`: `mailmon demo` works on every installation.
    python3Packages.aiosmtpd
    python3Packages.trustme
    # The extra `xlsx`.
    python3Packages.xlsxwriter
    # The extra `dkim`.
    python3Packages.dkimpy
  ]
  ++ lib.optional withApprise python3Packages.apprise;

  nativeBuildInputs = [ installShellFiles ];

  nativeCheckInputs = [
    python3Packages.hypothesis
    python3Packages.pytest
  ];

  # All tests but those that take long, and those for which a build has no means: a real mail server (`bed`), Nix, systemd.
  # A library that is newer than ours may warn of what it will change; that is no reason to refuse the program.
  checkPhase = ''
    runHook preCheck
    unset MAILMON_TEST_DATA
    export HOME=$TMPDIR
    ${python.interpreter} -m pytest -m "not bed and not slow" -W default -p no:cacheprovider \
      --ignore=tests/nix --ignore=tests/packaging --ignore=tests/systemd
    runHook postCheck
  '';

  pythonImportsCheck = [ "mailmon" ];

  # buildPythonApplication compiles the .pyc files; written anew so that Python does not read and hash each source at every
  # start to see whether they are still right, which in the store they always are.
  postInstall = ''
    ${python.pythonOnBuildForHost.interpreter} -m compileall -q -f --invalidation-mode unchecked-hash \
      "$out/${python.sitePackages}/mailmon"
  ''
  # The program itself prints them; one for another kind of machine cannot be asked.
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    for shell in bash zsh fish; do
      $out/bin/mailmon completion "$shell" > "mailmon.$shell"
    done
    installShellCompletion --cmd mailmon --bash mailmon.bash --zsh mailmon.zsh --fish mailmon.fish
    $out/bin/mailmon man --output manual
    installManPage manual/*.1
  '';

  meta = {
    description = "Monitors mail end to end: logs in, sends, receives; alerts once on each change";
    license = lib.licenses.mit;
    mainProgram = "mailmon";
    platforms = lib.platforms.unix;
  };
}
