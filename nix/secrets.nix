# Assertions about credentials: readable by others, missing, or given twice.
{
  lib,
  cfg,
  document,
  place,
  refuse,
  quoted,
}:

let
  inherit (lib)
    attrNames
    concatMap
    filter
    hasPrefix
    mapAttrsToList
    optional
    ;
  inherit (builtins)
    any
    isAttrs
    isPath
    isString
    match
    storeDir
    ;

  # --- files ---
  # A Nix path is copied into the store as soon as it is used; `toString` leaves it where it is, for the message.
  inStore = file: isPath file || hasPrefix "${storeDir}/" (toString file);
  ofOption = path: file: { inherit path file; };
  given =
    filter (option: option.file != null) [
      (ofOption "credentials.passwordFile" cfg.credentials.passwordFile)
      (ofOption "ntfy.topicFile" cfg.ntfy.topicFile)
      (ofOption "ntfy.tokenFile" cfg.ntfy.tokenFile)
      (ofOption "discord.webhookFile" cfg.discord.webhookFile)
      (ofOption "ping.urlFile" cfg.ping.urlFile)
    ]
    ++ mapAttrsToList (name: ofOption "credentials.files.\"${name}\"") cfg.credentials.files;
  ofFile = option: [
    (refuse (inStore option.file)
      "${option.path}: ${toString option.file} is or would be in the Nix store, where everybody can read it: write a path in quotes to a file outside, for example \"/run/secrets/mailmon\" (sops-nix and agenix make such files)."
    )
    # systemd 257 splits at a blank what it has taken whole from the unit file, and then starts nothing.
    (refuse (!inStore option.file && match "/[^[:space:]\\]+" (toString option.file) == null)
      "${option.path}: ${quoted (toString option.file)} is no absolute path without blanks: write for example \"/run/secrets/mailmon\"."
    )
  ];
  ofName =
    name:
    refuse (match "[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}" name == null)
      "credentials.files: ${quoted name} is no name of a credential: write \"<account>.password\" or \"<channel>.<option>\", for example \"office.password\".";

  # --- what stands in settings ---
  table = value: if isAttrs value then value else { };
  ofTable =
    place: owner: keys: value:
    map (key: {
      inherit owner key;
      path = if owner == "" then place else "${place}.${owner}";
      value = (table value).${key} or null;
      file = (table value)."${key}_file" or null;
    }) keys;
  channelKeys = [ "token" "webhook" "url" "secret" "authorization" "password" ];
  written =
    ofTable "settings" "" [ "password" ] document.document
    ++ concatMap (name: ofTable "settings.accounts" name [ "password" ] document.document.accounts.${name}) (
      attrNames (table (document.document.accounts or { }))
    )
    ++ concatMap (name: ofTable "settings.notify" name channelKeys document.channels.${name}) (
      attrNames document.channels
    )
    ++ ofTable "settings" "ping" [ "url" ] (document.document.ping or { });
  credentialOf =
    secret: if secret.owner == "" then "passwordFile" else "files.\"${secret.owner}.${secret.key}\"";
  ofSecret = secret: [
    (refuse (secret.value != null)
      "${secret.path}.${secret.key} would lie in the Nix store, where everybody can read it: set credentials.${credentialOf secret} to a file, and leave it out here."
    )
    (refuse (secret.file != null && inStore secret.file)
      "${secret.path}.${secret.key}_file: ${toString secret.file} is or would be in the Nix store, where everybody can read it: set credentials.${credentialOf secret} to a file outside."
    )
  ];
  unreadable = filter (secret: cfg.user == null && secret.file != null && !inStore secret.file) written;

  # What a channel of a type cannot do without (docs/channels.md); `ntfy.topicFile` has a sentence of its own below.
  needed = {
    ntfy = "topic";
    discord = "webhook";
    webhook = "url";
    apprise = "url";
  };
  ofChannel =
    name:
    let
      channel = table document.channels.${name};
      key = needed.${channel.type or name} or null;
      credential = "${name}.${toString key}";
      isGiven = channel ? ${toString key} || channel ? "${toString key}_file" || document.credentials ? ${credential};
    in
    refuse (key != null && !isGiven && !(name == "ntfy" && document.usesNtfy))
      "credentials.files.\"${credential}\" is missing: set it to a file with the ${toString key} of the channel `${name}`.";
  owners = lib.attrNames document.accounts ++ lib.attrNames document.channels ++ [ "ping" "password" ];
  isOwned = name: any (owner: name == owner || hasPrefix "${owner}." name) owners;
  unknown = filter (name: !isOwned name) (lib.attrNames cfg.credentials.files);
  withHeaders = filter (name: (table document.channels.${name}) ? headers) (lib.attrNames document.channels);

  # --- ntfy ---
  hasTopic =
    document.credentials ? "ntfy.topic"
    || document.document ? ntfy_topic
    || (table (document.channels.ntfy or { })) ? topic
    || (table (document.channels.ntfy or { })) ? topic_file;
  isPublic = server: isString server && match "https?://ntfy[.]sh(/.*)?" server != null;
  plainTopics =
    optional (document.document ? ntfy_topic && isPublic (document.document.ntfy_server or cfg.ntfy.server)) "ntfy"
    ++ filter (
      name:
      let
        channel = table document.channels.${name};
        server = channel.server or "https://ntfy.sh";
      in
      (channel.type or name) == "ntfy" && channel ? topic && isPublic server
    ) (attrNames document.channels);
  toldNobody =
    document.channels == { } && !(document.document ? ntfy_topic) && (document.document.notify or null) != "none";
in
{
  assertions =
    concatMap ofFile given
    ++ map ofName (attrNames cfg.credentials.files)
    ++ concatMap ofSecret written
    ++ map ofChannel (lib.attrNames document.channels)
    ++ [
      (refuse (document.usesNtfy && !hasTopic)
        "ntfy.topicFile is missing: set it to a file with the topic (or ntfy.topic to the topic itself), or set ntfy.enable = false."
      )
      (refuse (cfg.ntfy.enable && cfg.ntfy.topic != null && cfg.ntfy.topicFile != null)
        "ntfy.topic and ntfy.topicFile are both set: keep topicFile, and remove topic."
      )
      (refuse (cfg.discord.webhookFile != null && (cfg.settings.notify or null) == "none")
        "discord.webhookFile is set, and settings.notify = \"none\" disables all alerts: remove one of the two."
      )
      (refuse toldNobody
        "ntfy.enable is false, and there is no other channel, so no alert would be sent: set discord.webhookFile or settings.notify, or settings.notify = \"none\" to disable alerts."
      )
      (refuse (cfg.credentials.passwordFile != null && cfg.credentials.files ? password)
        "credentials.passwordFile and credentials.files.password are both set: remove one of the two."
      )
    ];
  warnings =
    map (
      name:
      "${place}: the ntfy topic of ${name} is in the Nix store, and everybody who knows it can read the alerts on the public server: use ${
        if name == "ntfy" then "${place}.ntfy.topicFile" else "${place}.credentials.files.\"${name}.topic\""
      }."
    ) plainTopics
    ++ map (
      name:
      "${place}.credentials.files.\"${name}\": there is no account or channel of that name, so nothing reads it: check the spelling in settings."
    ) unknown
    ++ map (
      name:
      "${place}.settings.notify.${name}.headers lie in the Nix store, where everybody can read them: a token belongs into credentials.files.\"${name}.authorization\"."
    ) withHeaders
    ++ map (
      secret:
      "${place}.${secret.path}.${secret.key}_file: the user of the unit exists only while it runs, and can hardly read ${toString secret.file}: set credentials.${credentialOf secret} instead."
    ) unreadable
    ++ optional
      (
        isString (document.document.heartbeat_file or null)
        && !hasPrefix "${cfg.stateDirectory}/" document.document.heartbeat_file
      )
      "${place}.settings.heartbeat_file: ${document.document.heartbeat_file} is outside the state directory, and cannot be written unless the unit gets ReadWritePaths=: write ${cfg.stateDirectory}/heartbeat.";
}
