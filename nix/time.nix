# The grammars of systemd.time(7), as far as Nix can tell: so that a timer that systemd would refuse fails when the system
# is built, and not silently on the machine. Only builtins, so that the tests need no library.
let
  inherit (builtins)
    elemAt
    filter
    fromJSON
    head
    isString
    length
    match
    replaceStrings
    split
    stringLength
    tail
    ;

  # The words that systemd's parse_time() knows, in seconds.
  units = {
    "" = 1;
    usec = 0.000001;
    us = 0.000001;
    "µs" = 0.000001;
    "μs" = 0.000001;
    msec = 0.001;
    ms = 0.001;
    seconds = 1;
    second = 1;
    sec = 1;
    s = 1;
    minutes = 60;
    minute = 60;
    min = 60;
    m = 60;
    hours = 3600;
    hour = 3600;
    hr = 3600;
    h = 3600;
    days = 86400;
    day = 86400;
    d = 86400;
    weeks = 604800;
    week = 604800;
    w = 604800;
    months = 2629800;
    month = 2629800;
    M = 2629800;
    years = 31557600;
    year = 31557600;
    y = 31557600;
  };

  # JSON knows neither leading zeros nor ".5"; more than 18 digits do not fit what systemd calculates with.
  number =
    whole: fraction:
    let
      digits = head (match "[+]?0*([0-9]*)" (if whole == null then "0" else whole));
      value = "${if digits == "" then "0" else digits}${if fraction == null then "" else fraction}";
    in
    if stringLength digits > 18 then null else fromJSON value;

  # One number with its unit at the beginning of a text: [ seconds rest ], null where there is none.
  # "5 30" is two numbers and "1.5.5" is nothing: what has no unit must be followed by a blank or the end.
  first =
    text:
    let
      found = match "([+]?[0-9]+)?([.][0-9]+)?([ \t]*)([^]0-9.+ \t-]*)([ \t]*)(.*)" text;
      part = elemAt found;
      value = number (part 0) (part 1);
      ends = part 3 != "" || part 2 != "" || part 5 == "";
    in
    if found == null || (part 0 == null && part 1 == null) then
      null
    else if value == null || !(units ? ${part 3}) || !ends then
      null
    else
      [
        (value * units.${part 3})
        (part 5)
      ];

  sum =
    total: text:
    let
      found = first text;
    in
    if text == "" then
      total
    else if found == null then
      null
    else
      sum (total + head found) (elemAt found 1);

  # 18446744073709 s is all that systemd can count; a text of more than 200 characters is no time span.
  seconds =
    text:
    let
      blank = match "[ \t]*(.*)" text;
      total = if blank == null || head blank == "" || stringLength text > 200 then null else sum 0.0 (head blank);
    in
    if total == null || total >= 18446744073709.0 then null else total;

  # --- calendar expressions ---
  letters = text: filter (letter: isString letter && letter != "") (split "" text);
  lower = replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (letters "abcdefghijklmnopqrstuvwxyz");
  words = text: filter (word: isString word && word != "") (split "[ \t]+" text);

  shorthands = "minutely|hourly|daily|weekly|monthly|quarterly|yearly|annually|anually|(semi|bi)-?annually";
  dayName = "(mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)";
  days = "${dayName}((,|[.][.]|-)${dayName})*";
  # One number, a range, a repetition, or a list of these.
  value = digits: "([*]|${digits}([.][.]${digits})?)(/[0-9.]+)?";
  values = digits: "${value digits}(,${value digits})*";
  monthNumber = "(0?[1-9]|1[0-2])";
  dayNumber = "(0?[1-9]|[12][0-9]|3[01])";
  hour = "([01]?[0-9]|2[0-3])";
  sixty = "([0-5]?[0-9])";
  date = "(${values "([0-9]{1,4})"}-)?${values monthNumber}[-~]${values dayNumber}";
  time = "${values hour}:${values sixty}(:${values "(${sixty}([.][0-9]+)?)"})?";
  zone = "[a-z][a-z0-9_+/-]*";

  # What remains of a list of words when its first one is of a kind.
  without = pattern: list: if list != [ ] && match pattern (head list) != null then tail list else list;
  isZone =
    list:
    list == [ ] || (length list == 1 && match zone (head list) != null && match days (head list) == null);

  # Whether this could be a calendar expression; the order of the words is that of systemd.
  isCalendar =
    text:
    let
      list = words (lower text);
      afterDays = without days list;
      afterDate = without date afterDays;
      afterTime = without time afterDate;
    in
    match "[ -~]*" text != null
    && list != [ ]
    && (
      (match "@[0-9]+" (head list) != null && isZone (tail list))
      || (match shorthands (head list) != null && isZone (tail list))
      || (length afterTime < length list && isZone afterTime)
    );
in
{
  inherit seconds isCalendar;
}
