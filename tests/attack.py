"""Attacks on a regular expression: strings made from its own structure, and the CPU time that they take.

For each repeat of a pattern: what leads to it, what it repeats, again and again, and an end that does not match. For
each two repeats that follow each other: both in turn, and one after the other. That finds exponential patterns, and the
polynomial ones that searching from every position makes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

LIMIT_MS = 50.0
# Four times the text may take six times as long; what takes less than the floor says nothing.
STEP, GROWTH, FLOOR_MS = 4, 6.0, 2.0
# A short text that takes so long is exponential, and is not made longer; nor is one that takes longer still.
SHORT_CHARS, SHORT_MS, HOPELESS_MS = 100, 5.0, 20.0
# Lengths that grow slowly at first: what is exponential must be seen before it takes for ever.
_LADDER = (16, 20, 24, 28, 32, 40, 50, 64, 80, 100, 200, 400, 800, 1600)
_SCREENED, _MEASURED, _ROUNDS = _LADDER[-1], 3, 5
_CANDIDATES = " aA0-._=;:<>()[]{}\"'@,/+*%&?#!$|\\~\t\nxz9éß٣\x00\x1b"
_MODES: dict[str, Run] = {
    "search": lambda pattern, text: pattern.search(text),
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "sub": lambda pattern, text: pattern.sub(text[:0], text),
    "split": lambda pattern, text: pattern.split(text),
    "findall": lambda pattern, text: pattern.findall(text),
}
ALIASES = {"subn": "sub", "finditer": "findall"}
MODES = ("search", "match", "fullmatch", "sub")

_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_MIN_REPEATED = 8

Nodes = Sequence[tuple[Any, Any]]
Run = Callable[[re.Pattern[Any], Any], object]


class Weakness(NamedTuple):
    """What an attack did: milliseconds at the full length, and at a quarter of it where that was measured."""

    mode: str
    form: str
    chars: int
    ms: float
    quarter_ms: float = 0.0

    def __str__(self) -> str:
        return f"{self.mode}: {self.chars} characters like {self.form!r} take {self.ms:.1f} ms ({self.quarter_ms:.2f})"


class Repeat(NamedTuple):
    """One repeat: what may stand before it, and what it repeats."""

    prefixes: tuple[str, ...]
    pumps: tuple[str, ...]


class Attack(NamedTuple):
    """A text of any length: a beginning, one or two pumps, an end; `apart` puts one pump behind the other."""

    begin: str
    pumps: tuple[str, ...]
    end: str
    apart: bool = False

    def text(self, chars: int) -> str:
        """Return the text with about so many characters."""
        left = max(chars - len(self.begin) - len(self.end), 1)
        pumps = self.pumps if self.apart else ("".join(self.pumps),)
        middle = "".join(pump * max(left // len(pumps) // len(pump), 1) for pump in pumps)
        return self.begin + middle + self.end

    @property
    def form(self) -> str:
        """Return what it looks like."""
        return self.text(12)[:60]


def weaknesses(pattern: re.Pattern[Any], modes: Iterable[str], chars: int) -> list[Weakness]:
    """Return the attacks that take too long, or too much longer when the text grows to `chars`."""
    attacks = list(dict.fromkeys(attacks_on(pattern)))
    found: list[Weakness] = []
    for mode in modes:
        run = _MODES[mode]
        screened: list[tuple[float, Attack]] = []
        for attack in attacks:
            ms = _climb(run, pattern, attack, chars)
            if ms < 0:
                found.append(Weakness(mode, attack.form, _SCREENED, -ms))
                break
            screened.append((ms, attack))
        else:
            worst = sorted(screened, key=lambda pair: -pair[0])[:_MEASURED]
            found += filter(None, (_measured(mode, pattern, attack, chars) for _, attack in worst))
    return found


def attacks_on(pattern: re.Pattern[Any]) -> Iterator[Attack]:
    """Yield the attacks that the structure of a pattern suggests."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    chars = _by_acceptance(list(tree))
    ends = ("", _end(list(tree)))
    repeats = list(_repeats(list(tree), ("",), chars))
    line = "\n" if pattern.flags & re.MULTILINE else ""
    for number, repeat in enumerate(repeats):
        for begin in dict.fromkeys((*repeat.prefixes, "")):
            for pump in repeat.pumps:
                for end in ends:
                    yield Attack(begin, (pump,), end)
                    yield Attack("", (line + begin + pump,), end)
                    if begin:
                        yield Attack("", (line + begin, pump), end, apart=True)
        for other in repeats[number + 1 : number + 2]:
            begin = repeat.prefixes[-1]
            for end in ends:
                yield Attack(begin, (repeat.pumps[0], other.pumps[0]), end)
                yield Attack(begin, (repeat.pumps[0], other.pumps[0]), end, apart=True)
                yield Attack(begin, (repeat.pumps[-1], other.pumps[-1]), end)
    whole = _sample(list(tree), chars, 1)
    for end in ends:
        for begin in dict.fromkeys(("", whole[: len(whole) // 2])):
            for pump in dict.fromkeys((whole or "a", whole[:-1] or "a", whole[:1] or "a", " ", "a", "\n")):
                yield Attack(begin, (pump,), end)


def cpu_ms(work: Callable[[], object], rounds: int = 1) -> float:
    """Return the CPU time of this thread for some work, in milliseconds: the least of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.thread_time()
        work()
        best = min(best, (time.thread_time() - begun) * 1000)
    return best


def _climb(
    run: Callable[[re.Pattern[Any], Any], object], pattern: re.Pattern[Any], attack: Attack, chars: int
) -> float:
    """Return the time at the length of the screening, or less than 0 where a short text takes long already."""
    ms = 0.0
    for length in _LADDER:
        if length > max(chars, SHORT_CHARS):
            break
        text = _typed(pattern, attack.text(length))
        ms = cpu_ms(lambda text=text: run(pattern, text))  # type: ignore[misc]
        limit_ms = SHORT_MS if length <= SHORT_CHARS else HOPELESS_MS
        if ms > limit_ms:
            ms = cpu_ms(lambda text=text: run(pattern, text), _ROUNDS)  # type: ignore[misc]
            if ms > limit_ms:
                return -ms
    return ms


def _measured(mode: str, pattern: re.Pattern[Any], attack: Attack, chars: int) -> Weakness | None:
    """Return what is wrong at the full length, None where nothing is."""
    run = _MODES[mode]

    def took_ms(length: int, rounds: int) -> float:
        text = _typed(pattern, attack.text(max(length, SHORT_CHARS)))
        return cpu_ms(lambda: run(pattern, text), rounds)

    quarter_ms = took_ms(chars // STEP**3, 1)
    for length in (chars // STEP**2, chars // STEP, chars):
        ms = took_ms(length, 1)
        if ms > min(LIMIT_MS, max(GROWTH * quarter_ms, FLOOR_MS)):
            # A busy machine makes a thread's time longer too, now here and now there.
            quarter_ms, ms = took_ms(length // STEP, _ROUNDS), took_ms(length, _ROUNDS)
            if ms > min(LIMIT_MS, max(GROWTH * quarter_ms, FLOOR_MS)):
                return Weakness(mode, attack.form, length, ms, quarter_ms)
        quarter_ms = ms
    return None


def _typed(pattern: re.Pattern[Any], text: str) -> str | bytes:
    return text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text


def _repeats(nodes: Nodes, prefixes: tuple[str, ...], chars: str) -> Iterator[Repeat]:
    """Yield the repeats in a sequence, those within others too."""
    for number, (op, argument) in enumerate(nodes):
        before = nodes[:number]
        heads = tuple(
            dict.fromkeys(prefix + _sample(before, chars, times) for prefix in prefixes[:2] for times in (0, 1))
        )
        if op in _REPEATS:
            _, most, body = argument
            inner = list(body)
            if most is ops.MAXREPEAT or most >= _MIN_REPEATED:
                yield Repeat(heads, tuple(_pumps(inner, chars)))
            yield from _repeats(inner, heads, chars)
        for inside in _inside(op, argument):
            yield from _repeats(inside, heads, chars)


def _inside(op: Any, argument: Any) -> list[Nodes]:
    """Return the sequences in a node that is no repeat."""
    if op is ops.SUBPATTERN:
        return [list(argument[3])]
    if op is ops.BRANCH:
        return [list(branch) for branch in argument[1]]
    if op is ops.ATOMIC_GROUP:
        return [list(argument)]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [list(argument[1])]
    if op is ops.GROUPREF_EXISTS:
        return [list(part) for part in argument[1:] if part]
    return []


def _pumps(body: Nodes, chars: str) -> Iterator[str]:
    if len(body) == 1 and _is_single(body[0]):
        accepted = [char for char in chars if _accepts(body[0], char)]
        yield from accepted[:4] or ["a"]
        return
    samples = [_sample(body, chars, times) for times in (0, 1)]
    for op, argument in body:
        samples += [_sample(inside, chars, 1) for inside in _inside(op, argument)]
    yield from dict.fromkeys(sample for sample in samples if sample)
    if not any(samples):
        yield "a"


def _by_acceptance(nodes: Nodes) -> str:
    """Return the candidates, those first that most repeats take: where two take the same one, time is lost."""
    singles = [node for node in _singles(nodes) if node[0] is not ops.LITERAL]
    literals = "".join(chr(node[1]) for node in _singles(nodes) if node[0] is ops.LITERAL)
    candidates = dict.fromkeys(_CANDIDATES + literals)
    return "".join(sorted(candidates, key=lambda char: -sum(_accepts(node, char) for node in singles)))


def _end(nodes: Nodes) -> str:
    """Return the character that the fewest parts of a pattern take."""
    singles = list(_singles(nodes))
    return min("\x00\n!é~)", key=lambda char: sum(_accepts(node, char) for node in singles))


def _singles(nodes: Nodes) -> Iterator[tuple[Any, Any]]:
    for op, argument in nodes:
        if _is_single((op, argument)):
            yield op, argument
        elif op in _REPEATS:
            yield from _singles(list(argument[2]))
        for inside in _inside(op, argument):
            yield from _singles(inside)


def _is_single(node: tuple[Any, Any]) -> bool:
    return node[0] in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN)


def _sample(nodes: Nodes, chars: str, times: int) -> str:
    """Return a text that a sequence takes: repeats at least `times` times, the first branch of each choice."""
    text = ""
    for op, argument in nodes:
        if _is_single((op, argument)):
            taken = chr(argument) if op is ops.LITERAL else ""
            text += taken or next((char for char in chars if _accepts((op, argument), char)), "a")
        elif op in _REPEATS:
            least, most, body = argument
            wanted = max(least, times if most is ops.MAXREPEAT else min(times, most))
            text += _sample(list(body), chars, times) * min(wanted, 100)
        elif op in (ops.SUBPATTERN, ops.BRANCH, ops.ATOMIC_GROUP):
            text += _sample(_inside(op, argument)[0], chars, times)
    return text


def _accepts(node: tuple[Any, Any], char: str) -> bool:
    op, argument = node
    code = ord(char)
    if op is ops.LITERAL:
        return bool(code == argument)
    if op is ops.NOT_LITERAL:
        return bool(code != argument)
    if op is ops.ANY:
        return char != "\n"
    is_negated = bool(argument) and argument[0][0] is ops.NEGATE
    return any(_is_in(item, char) for item in argument) != is_negated


def _is_in(item: tuple[Any, Any], char: str) -> bool:
    op, argument = item
    if op is ops.LITERAL:
        return bool(ord(char) == argument)
    if op is ops.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    if op is ops.CATEGORY:
        return re.match(_CATEGORIES[argument], char) is not None
    return False


_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}
