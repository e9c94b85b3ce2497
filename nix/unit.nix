# The units of one instance: the run, its timer, and the unit that tells when the run itself has failed; and the same for
# the summary of bounces.
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

  # What mailmon refuses must not get onto the machine. Its own words are the error of the build. A program for another
  # kind of machine cannot be asked; there the first run finds the mistakes.
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

  # What the run, the unit for its failure and the commands by hand have in common: one user, one memory.
  common =
    import ./hardening.nix
    // {
      # The name is the same with and without DynamicUser=, so a command by hand is the same user as the unit.
      User = if cfg.user == null then "mailmon-${name}" else cfg.user;
      DynamicUser = cfg.user == null;
      # mailmon keeps its memory in $STATE_DIRECTORY/state.json.
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
  # Without a file that it is to load, systemd starts no unit. What tells of that must start all the same: an empty
  # credential takes the place of a missing one, and mailmon says which it is and uses the channels that have theirs.
  replaceable = optionalAttrs (document.credentials != { }) {
    SetCredential = map (id: "${id}:\\n") (builtins.attrNames document.credentials);
  };

  # ProcSubset= hides it; by it and the uptime mailmon notices that the clock was set between two runs.
  environment.MAILMON_BOOT_ID = "%b";

  # What a timer starts: the run, and the summary.
  started = description: unit: more: {
    inherit description environment;
    wants = [ "network-online.target" ];
    after = [
      "network-online.target"
      "nss-lookup.target"
    ];
    # A failed unit means that mailmon itself is broken, or that its alerts do not get out.
    onFailure = [ "${unit}-failure.service" ] ++ cfg.onFailure;
    # Somebody who starts it again and again by hand is no failure to be told of.
    startLimitIntervalSec = 0;
    # A run that is at work while the system is switched comes to its end; the next one is of the new system.
    restartIfChanged = false;
    serviceConfig =
      common
      // loaded
      // {
        Type = "oneshot";
        # A Python that cannot even load mailmon ends with 1 as well, which would pass for a run that has found something.
        ExecStartPre = "${pkgs.runtimeShell} -c '${program} --version >/dev/null || exit 70'";
      }
      // more;
  };

  # What tells of the failure of a unit. Each has its own: systemd does not say how a unit has ended to what several name
  # in OnFailure= (systemd.exec(5)).
  told = description: unit: more: {
    inherit description environment;
    # Every failure is looked at; what was told before is not told again.
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
    # 1: something was found, and told by an alert. 75: nothing could be seen, or another run is at work.
    SuccessExitStatus = "1 75";
    TimeoutStartSec = document.timeoutSec;
  } // local);

  summary = started "Send the summary of bounces (mailmon, instance ${name})" "mailmon-${name}-summary" {
    ExecStart = "${program} bounces summary --send ${optionalString cfg.summary.onlyIfAny "--only-if-any "}--config ${configuration}";
    # Its own deadline is 60 s for the channels; reading a large bounce log takes some more.
    TimeoutStartSec = 180;
  };

  failure = told "Tell that mailmon itself has failed (instance ${name})" "mailmon-${name}" "";
  # Of a summary that a channel refused (69) nobody else tells.
  summaryFailure = told "Tell that the summary of bounces has failed (instance ${name})" "mailmon-${name}-summary"
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
      # A machine that was off at that time sends it when it is up again.
      Persistent = true;
      # Monitors do not all write at the same second.
      RandomizedDelaySec = "5min";
    };
  };
}
