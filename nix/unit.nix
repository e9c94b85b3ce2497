# The units of one instance: the run, its timer, and the unit that alerts when the run itself has failed; the same for the
# summary of bounces.
{
  lib,
  pkgs,
  name,
  cfg,
}:

let
  inherit (lib)
    mapAttrsToList
    optionalAttrs
    optionalString
    removePrefix
    ;

  document = import ./document.nix { inherit lib cfg; };
  program = "${cfg.package}/bin/mailmon";
  written = (pkgs.formats.json { }).generate "mailmon-${name}.json" document.document;

  # A configuration that mailmon refuses fails the build, with its message. A program for another architecture cannot run
  # here; then the first run reports the mistakes.
  configuration =
    if pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform then
      pkgs.runCommand "mailmon-${name}.json" { inherit written; } ''
        # Only asked for its place, and nothing is written to it.
        export STATE_DIRECTORY=$TMPDIR
        ${program} config validate --no-secrets --config "$written"
        cp "$written" "$out"
      ''
    else
      written;

  # Shared by the run, the unit for its failure and the commands by hand: one user, one state.
  common =
    import ./hardening.nix
    // {
      # The name is the same with and without DynamicUser=, so a command by hand is the same user as the unit.
      User = if cfg.user == null then "mailmon-${name}" else cfg.user;
      DynamicUser = cfg.user == null;
      # The state file is $STATE_DIRECTORY/state.json.
      StateDirectory = removePrefix "/var/lib/" cfg.stateDirectory;
    }
    // optionalAttrs (cfg.allowedAddresses != [ ]) {
      IPAddressAllow = cfg.allowedAddresses;
      IPAddressDeny = "any";
    };

  # What the run may beside that, to look at the mail system of this machine: postqueue is setgid, which is of no use
  # under NoNewPrivileges=, Postfix shows its queue by a local socket, and its programs ask the kernel for interfaces.
  local = optionalAttrs cfg.localChecks.enable {
    SupplementaryGroups = cfg.localChecks.groups;
    RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX AF_NETLINK";
  };

  # `%` begins a specifier in a unit file.
  credentials =
    escape: mapAttrsToList (id: file: "${id}:${escape (toString file)}") document.credentials;
  inUnit = builtins.replaceStrings [ "%" ] [ "%%" ];
  loaded = optionalAttrs (document.credentials != { }) { LoadCredential = credentials inUnit; };
  # If a credential file is missing, systemd does not start the unit. The failure unit must start all the same: an empty
  # credential replaces the missing one; mailmon reports it and uses the other channels.
  replaceable = optionalAttrs (document.credentials != { }) {
    SetCredential = map (id: "${id}:\\n") (builtins.attrNames document.credentials);
  };

  # ProcSubset= hides it; by it and the uptime mailmon notices that the clock was set between two runs.
  environment.MAILMON_BOOT_ID = "%b";

  # The units that timers start: the run and the summary.
  started = description: unit: more: {
    inherit description environment;
    wants = [ "network-online.target" ];
    after = [
      "network-online.target"
      "nss-lookup.target"
    ];
    # A failed unit means that mailmon itself is broken, or that its alerts are not delivered.
    onFailure = [ "${unit}-failure.service" ] ++ cfg.onFailure;
    # Frequent starts by hand are not a failure.
    startLimitIntervalSec = 0;
    # A run that is active while the system is switched completes; the next one is of the new system.
    restartIfChanged = false;
    serviceConfig =
      common
      // loaded
      // {
        Type = "oneshot";
        # A Python that cannot load mailmon exits with 1 as well, like a run with findings.
        ExecStartPre = "${pkgs.runtimeShell} -c '${program} --version >/dev/null || exit 70'";
      }
      // more;
  };

  # Alerts that a unit has failed. Each has its own: systemd does not pass the result of a unit to an OnFailure= unit that
  # several units share (systemd.exec(5)).
  alerting = description: unit: more: {
    inherit description environment;
    # Every failure is handled; what was reported before is not reported again.
    startLimitIntervalSec = 0;
    restartIfChanged = false;
    serviceConfig =
      common
      // loaded
      // replaceable
      // {
        Type = "oneshot";
        ExecStart = "${program} notify unit-failed ${more}--config ${configuration} ${unit}.service";
        # Its own deadline (60 s) and 30 s more.
        TimeoutStartSec = 90;
      };
  };
in
{
  inherit configuration program;

  # For commands by hand: the same, as systemd-run takes it (where `%` is only a character).
  properties =
    common
    // local
    // replaceable
    // optionalAttrs (document.credentials != { }) { LoadCredential = credentials (file: file); };

  service = started "Check mail servers (mailmon, instance ${name})" "mailmon-${name}" ({
    ExecStart = "${program} check --config ${configuration}";
    # 1: a check failed, and an alert was sent. 75: no network, or another run is active.
    SuccessExitStatus = "1 75";
    TimeoutStartSec = document.timeoutSec;
  } // local);

  summary = started "Send the summary of bounces (mailmon, instance ${name})" "mailmon-${name}-summary" {
    ExecStart = "${program} bounces summary --send ${optionalString cfg.summary.onlyIfAny "--only-if-any "}--config ${configuration}";
    # Its own deadline is 60 s for the channels; reading a large bounce log takes some more.
    TimeoutStartSec = 180;
  };

  failure = alerting "Alert that mailmon itself has failed (instance ${name})" "mailmon-${name}" "";
  # Nothing else reports a summary that a channel refused (69).
  summaryFailure = alerting "Alert that the summary of bounces has failed (instance ${name})" "mailmon-${name}-summary"
    "--any-exit-code ";

  timer = {
    description = "When mailmon checks mail servers (instance ${name})";
    wantedBy = [ "timers.target" ];
    timerConfig =
      {
        # The default would add up to a minute, which RandomizedDelaySec= is for.
        AccuracySec = "1s";
      }
      // (
        if cfg.onCalendar != [ ] then
          {
            OnCalendar = cfg.onCalendar;
            # A time that was missed is made up for; works with OnCalendar= only.
            Persistent = true;
            RandomizedDelaySec = if cfg.randomizedDelay == null then "30s" else cfg.randomizedDelay;
          }
        else
          {
            # Time for the network to come up, and for a server on this very machine.
            OnBootSec = "2min";
            # From the start of one run to the start of the next, whatever became of it.
            OnUnitActiveSec = cfg.interval;
            RandomizedDelaySec = if cfg.randomizedDelay == null then "0" else cfg.randomizedDelay;
          }
      );
  };

  summaryTimer = {
    description = "When to send the summary of bounces (mailmon, instance ${name})";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnCalendar = cfg.summary.at;
      # A machine that was off sends it after its next boot.
      Persistent = true;
      # Spread over time, so that not all monitors send in the same second.
      RandomizedDelaySec = "5min";
    };
  };
}
