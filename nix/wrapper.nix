# The command `mailmon-<instance>`: any subcommand by hand, as the unit would run it, with its user, credentials, state and
# hardening. `systemd-run` starts it, because only systemd can hand out credentials and a dynamic user.
{
  lib,
  pkgs,
  systemd,
  name,
  unit,
}:

let
  inherit (lib)
    concatMap
    concatStringsSep
    escapeShellArg
    toList
    ;

  word =
    value:
    if value == true then
      "yes"
    else if value == false then
      "no"
    else
      toString value;
  properties = concatMap (key: map (value: "--property=${key}=${word value}") (toList unit.properties.${key})) (
    builtins.attrNames unit.properties
  );
in
pkgs.writeShellScriptBin "mailmon-${name}" ''
  # Runs `mailmon "$@"` as mailmon-${name}.service would.
  if [ "$EUID" != 0 ]; then
    echo "mailmon-${name}: only root can run this as the unit's user: sudo mailmon-${name} $*" >&2
    exit 77
  fi

  # SuccessExitStatus= is not among them: a person wants to see 1 and 75.
  options=(
    ${concatStringsSep "\n    " (map escapeShellArg properties)}
    --setenv=MAILMON_CONFIG=${unit.configuration}
  )
  # ProcSubset= hides it in there; written as systemd writes %b.
  if read -r boot_id 2>/dev/null </proc/sys/kernel/random/boot_id; then
    options+=("--setenv=MAILMON_BOOT_ID=''${boot_id//-/}")
  fi
  # The user's terminal, language and time zone; the last two are where NixOS keeps what LANG and TZ name.
  for variable in TERM NO_COLOR LANG TZ LOCALE_ARCHIVE TZDIR; do
    if [ -n "''${!variable+set}" ]; then
      options+=("--setenv=$variable=''${!variable}")
    fi
  done

  # Ctrl-C ends systemd-run; without this the command would continue in the background.
  unit="mailmon-${name}-by-hand-$$.service"
  trap '${systemd}/bin/systemctl stop "$unit" 2>/dev/null' INT TERM HUP

  # systemd puts variables in where it sees a `$`; two of them are one.
  ${systemd}/bin/systemd-run --pipe --wait --collect --quiet --service-type=exec \
    --unit="$unit" --description="mailmon by hand (instance ${name})" \
    "''${options[@]}" -- ${unit.program} "''${@//\$/\$\$}"
''
