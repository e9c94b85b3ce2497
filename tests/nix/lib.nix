# A stand-in for nixpkgs' `lib`: what nix/*.nix uses of it, with the module system in its simplest form. It lets the module
# be evaluated on a machine without nixpkgs; test_real_lib.py evaluates the same configurations with the real one.
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    replaceStrings
    stringLength
    substring
    toJSON
    ;

  # --- plain functions, as nixpkgs describes them ---
  optional = condition: item: if condition then [ item ] else [ ];
  optionals = condition: items: if condition then items else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  optionalString = condition: text: if condition then text else "";
  nameValuePair = name: value: { inherit name value; };
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  filterAttrsRecursive =
    keep: set: mapAttrs (_: v: if isAttrs v then filterAttrsRecursive keep v else v) (filterAttrs keep set);
  recursiveUpdate =
    old: new:
    old // mapAttrs (n: v: if isAttrs v && isAttrs (old.${n} or null) then recursiveUpdate old.${n} v else v) new;
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    stringLength text >= stringLength suffix
    && substring (stringLength text - stringLength suffix) (stringLength suffix) text == suffix;
  hasInfix = infix: text: length (builtins.split (literal infix) text) > 1;
  literal = replaceStrings [ "." "/" ":" ] [ "[.]" "/" ":" ];
  removePrefix =
    prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  last = list: elemAt list (length list - 1);
  unique = foldl' (seen: item: if elem item seen then seen else seen ++ [ item ]) [ ];
  splitString = separator: text: filter isString (builtins.split (literal separator) text);
  escapeShellArg = value: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString value)}'";
  toList = value: if isList value then value else [ value ];
  concatMapStringsSep = separator: f: list: concatStringsSep separator (map f list);

  # --- the module system ---
  mkOption = option: { _type = "option"; } // option;
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };

  # A definition without its wrappers: [ { priority value } ].
  unwrap =
    priority: value:
    let
      kind = if isAttrs value then value._type or "" else "";
    in
    if kind == "if" then
      (if value.condition then unwrap priority value.content else [ ])
    else if kind == "merge" then
      concatMap (unwrap priority) value.contents
    else if kind == "override" then
      unwrap value.priority value.content
    else
      [ { inherit priority value; } ];

  # A table without its wrappers, which go into its values: so its names are known before any condition is.
  tables =
    value:
    let
      kind = if isAttrs value then value._type or "" else "";
      into = wrap: concatMap (content: map (mapAttrs (_: wrap)) (tables content)) [ value.content ];
    in
    if kind == "if" then
      into (mkIf value.condition)
    else if kind == "merge" then
      concatMap tables value.contents
    else if kind == "override" then
      into (mkOverride value.priority)
    else
      [ value ];

  # What wins: the definitions with the lowest priority.
  winners =
    definitions:
    let
      lowest = foldl' (low: d: if d.priority < low then d.priority else low) 10000 definitions;
    in
    map (d: d.value) (filter (d: d.priority == lowest) definitions);

  type = name: check: { inherit name check; merge = one name; };
  one =
    name: path: values:
    if length values == 1 || all (value: value == head values) values then
      head values
    else
      throw "The option `${path}' has conflicting definition values: ${toJSON values}";

  types = rec {
    str = type "string" isString;
    bool = type "boolean" isBool;
    int = type "signed integer" isInt;
    port = type "16 bit unsigned integer; between 0 and 65535 (both inclusive)" (
      value: isInt value && value >= 0 && value <= 65535
    );
    path = type "path" (value: isPath value || (isString value && hasPrefix "/" value));
    package = type "package" (value: isAttrs value || (isString value && hasPrefix "/" value));
    enum = values: type "one of ${concatStringsSep ", " (map builtins.toJSON values)}" (value: elem value values);
    anything = type "anything" (_: true) // { merge = deep; };
    unspecified = type "unspecified value" (_: true);
    nullOr = of: of // { name = "null or ${of.name}"; check = value: value == null || of.check value; };
    either = a: b: type "${a.name} or ${b.name}" (value: a.check value || b.check value);
    listOf = of: {
      name = "list of ${of.name}";
      check = value: isList value && all of.check value;
      merge = _: concatLists;
    };
    coercedTo = from: change: to: to // {
      name = "${to.name} or ${from.name} convertible to it";
      check = value: from.check value || to.check value;
      merge = path: values: to.merge path (map (value: if from.check value then change value else value) values);
    };
    attrsOf = of: {
      name = "attribute set of ${of.name}";
      check = isAttrs;
      merge =
        path: values:
        let
          names = unique (concatMap attrNames values);
          at = name: concatMap (set: if set ? ${name} then unwrap 100 set.${name} else [ ]) values;
        in
        listToAttrs (map (name: nameValuePair name (settle "${path}.${name}" of (at name))) names);
    };
    submodule = module: {
      name = "submodule";
      check = value: isAttrs value || isFunction value;
      merge =
        path: values:
        (evaluate path ([ module ] ++ values) { name = last (splitString "." path); }).config;
    };
  };

  deep =
    path: values:
    # A derivation is a value, not a table: it refers to itself without end.
    if all (value: isAttrs value && !(value ? outPath)) values then
      (types.attrsOf types.anything).merge path values
    else if all isList values then
      concatLists values
    else
      one "anything" path values;

  settle =
    path: of: definitions:
    let
      values = winners definitions;
      wrong = filter (value: !of.check value) values;
    in
    if wrong != [ ] then
      throw "A definition for option `${path}' is not of type `${of.name}'. Definition values: ${
        if isPath (head wrong) then toString (head wrong) else toJSON (head wrong)
      }"
    else
      of.merge path values;

  isOption = value: isAttrs value && (value._type or "") == "option";

  # Module files and functions as sets { options config }, their imports beside them.
  collect =
    arguments: module:
    let
      loaded = if isPath module || isString module then import module else module;
      set = if isFunction loaded then loaded arguments else loaded;
      rest = { imports = set.imports or [ ]; config = removeAttrs set [ "imports" ]; };
      plain = if set ? config || set ? options then set else rest;
    in
    [ { options = plain.options or { }; config = plain.config or { }; } ]
    ++ concatMap (collect arguments) (plain.imports or [ ]);

  evaluate =
    prefix: modules: special:
    let
      arguments = special // { inherit lib config options; };
      parts = concatMap (collect arguments) modules;
      options = foldl' recursiveUpdate { } (map (part: part.options) parts);
      at =
        path: declared: sets:
        let
          unknown = filter (name: !(declared ? ${name})) (concatMap attrNames sets);
          below = name: if path == "" then name else "${path}.${name}";
          given = name: concatMap (set: if set ? ${name} then [ set.${name} ] else [ ]) sets;
          definitions = name: concatMap (unwrap 100) (given name);
          value =
            name: option:
            if !isOption option then
              at (below name) option (concatMap tables (given name))
            else if definitions name != [ ] then
              settle (below name) (option.type or types.anything) (definitions name)
            else
              option.default or (throw "The option `${below name}' is used but not defined.");
        in
        if unknown != [ ] then
          throw "The option `${below (head unknown)}' does not exist."
        else
          mapAttrs value declared;
      config = at prefix options (concatMap (part: tables part.config) parts);
    in
    { inherit config options; };

  lib = {
    inherit
      optional optionals optionalAttrs optionalString nameValuePair mapAttrsToList mapAttrs' filterAttrs
      filterAttrsRecursive recursiveUpdate hasPrefix hasSuffix hasInfix removePrefix last unique splitString
      escapeShellArg toList concatMapStringsSep mkOption mkIf mkMerge mkOverride types
      ;
    inherit (builtins) attrNames concatMap concatStringsSep filter;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkEnableOption = name: mkOption { type = types.bool; default = false; description = "Whether to enable ${name}."; };
    evalModules = { modules, specialArgs ? { } }: evaluate "" modules specialArgs;
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  };
in
lib
