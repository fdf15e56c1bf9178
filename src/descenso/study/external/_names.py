"""Tell method, seed and settings from the names that people give to runs and files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

_DATES = re.compile(
    r"(?<!\d)(?:20\d{2}[-_.]?[01]\d[-_.]?[0-3]\d"
    r"(?:[T_\- ]*[0-2]\d[-_:h.]?[0-5]\d(?:[-_:m.]?[0-5]\d)?(?:\.\d+)?)?"
    r"|(?:[A-Z][a-z]{2}\d{2}_\d{2}-\d{2}-\d{2})|1[4-9]\d{8}(?:\d{3})?)(?!\d)"
)
_PAIR = re.compile(
    r"(?P<key>[A-Za-z][\w.]*?)\s*[=:]\s*(?P<value>[^,;=:|\s/]+?)(?=$|[,;|\s/]|[_-](?=[A-Za-z][\w.]*?[=:]))"
)
_SEED_WORDS = (
    ("seed", "random_seed", "rng_seed", "random_state", "semilla", "sd"),
    ("fold", "rep", "repeat", "repeats", "repetition", "replicate", "replica"),
    ("run", "trial", "try", "version", "s", "r", "v"),
)
_SETTINGS = (
    "learning_rate|weight_decay|batch_size|batchsize|momentum|dropout|warmup"
    "|beta1|beta2|beta|eps|lr|wd|bs|mom"
)
_SETTING = re.compile(
    rf"(?i)(?:^|(?<=[^A-Za-z]))(?P<key>{_SETTINGS})[-_ ]?"
    r"(?P<value>\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?=$|[^\w.]|_)"
)
#: ``adam_lr=0.1`` is a name and a setting.
_GLUED_KEY = re.compile(rf"(?i)^(?P<before>.+)[-_](?P<key>{_SETTINGS}|seed)$")
_NUMBER = re.compile(r"(?:^|(?<=[-_ /.#(]))(?P<value>\d+)(?=$|[-_ /.)])")
_GLUED = re.compile(r"(?<=[A-Za-z])(?P<value>\d+)$")
_SPLIT = re.compile(r"[-_ /.,;|()\[\]#]+")
_METHOD_KEYS = (
    "method",
    "optimizer",
    "optimiser",
    "optim",
    "opt",
    "algorithm",
    "algo",
    "alg",
    "group",
)


@dataclass
class Named:
    """What the name of a run says; what it does not say is empty."""

    method: str = ""
    seed: str = ""
    settings: dict[str, str] = field(default_factory=dict)


def read_names(names: Sequence[str]) -> list[Named]:
    """Return what each of several different names says, in their order.

    ``seed=3``, ``seed_3``, ``s3``, ``fold 3`` and, where what is left repeats, a number at the end
    name the seed; ``lr=0.1`` and its kin a setting. What is left is the method, without the words
    that all names share.
    """
    found = [Named() for _name in names]
    rest = [_DATES.sub(" ", name) for name in names]
    rest = [_take_pairs(text, own) for text, own in zip(rest, found, strict=True)]
    if not all(own.seed for own in found):
        rest = _take_seeds(rest, found)
    rest = [_take_settings(text, own) for text, own in zip(rest, found, strict=True)]
    if not any(own.seed for own in found):
        rest = _take_numbers(rest, found)
    for own, method in zip(found, _without_shared(rest), strict=True):
        own.method = own.method or method
    _name_by_what_differs(found)
    return found


def _take_pairs(text: str, own: Named) -> str:
    def take(match: re.Match[str]) -> str:
        key, value = match["key"].split(".")[-1].lower(), match["value"]
        before, _sign, setting = _GLUED_KEY.sub(r"\g<before> \g<key>", key).rpartition(" ")
        key = setting
        if key in _SEED_WORDS[0] or key in _SEED_WORDS[1]:
            own.seed = value
        elif key in _METHOD_KEYS:
            own.method = value
        else:
            own.settings[key] = value
        return f" {before} "

    return _PAIR.sub(take, text)


def _take_seeds(names: list[str], found: list[Named]) -> list[str]:
    for words in _SEED_WORDS:
        pattern = re.compile(
            rf"(?i)(?:^|(?<=[^A-Za-z])|(?<=[a-z](?=S)))(?:{'|'.join(words)})"
            r"[-_ .#]*(?P<value>\d+)(?=$|[^\w.]|_|\.(?!\d))"
        )
        matches = [list(pattern.finditer(name)) for name in names]
        if not all(matches):
            continue
        if words is _SEED_WORDS[2] and not _repeats(
            [_cut(name, own[-1]) for name, own in zip(names, matches, strict=True)],
            [own[-1]["value"] for own in matches],
        ):
            continue
        for own, match in zip(found, matches, strict=True):
            own.seed = match[-1]["value"]
        return [_cut(name, own[-1]) for name, own in zip(names, matches, strict=True)]
    return names


def _cut(name: str, match: re.Match[str]) -> str:
    return f"{name[: match.start()]} {name[match.end() :]}"


def _take_settings(text: str, own: Named) -> str:
    def take(match: re.Match[str]) -> str:
        own.settings[match["key"].lower()] = match["value"]
        return " "

    return _SETTING.sub(take, text)


def _take_numbers(names: list[str], found: list[Named]) -> list[str]:
    """Take a number for the seed, where what is left of the names repeats."""
    for pattern, glued in ((_NUMBER, False), (_GLUED, True)):
        matches = [list(pattern.finditer(name.strip())) for name in names]
        if not all(matches):
            continue
        left = [_cut(n.strip(), own[-1]) for n, own in zip(names, matches, strict=True)]
        numbers = [own[-1]["value"] for own in matches]
        if not _repeats(left, numbers) or (glued and not _counts_up(left, numbers)):
            continue
        for own, number in zip(found, numbers, strict=True):
            own.seed = number
        return left
    return names


def _repeats(left: Sequence[str], seeds: Sequence[str]) -> bool:
    """Whether most of what is left occurs with several seeds, each once."""
    groups: dict[str, list[str]] = defaultdict(list)
    for rest, seed in zip(left, seeds, strict=True):
        groups[" ".join(_SPLIT.split(rest)).strip()].append(seed)
    several = sum(len(g) > 1 for g in groups.values())
    each_once = all(len(set(g)) == len(g) for g in groups.values())
    return each_once and several * 2 >= len(groups)


def _counts_up(left: Sequence[str], numbers: Sequence[str]) -> bool:
    groups: dict[str, set[int]] = defaultdict(set)
    for rest, number in zip(left, numbers, strict=True):
        groups[rest].add(int(number))
    return all(
        min(g) in (0, 1) and max(g) - min(g) == len(g) - 1 and len(g) > 1 for g in groups.values()
    )


def _without_shared(names: Sequence[str]) -> list[str]:
    """Return what tells names apart, without the words that all have."""
    words = [[w for w in _SPLIT.split(name) if w] for name in names]
    shared = set.intersection(*map(set, words)) if words else set()
    if len({tuple(own) for own in words}) < 2:  # one method: its name is all there is
        return [_joined(own, name) for own, name in zip(words, names, strict=True)]
    short = [
        _joined([w for w in own if w not in shared], name)
        for own, name in zip(words, names, strict=True)
    ]
    full = [_joined(own, name) for own, name in zip(words, names, strict=True)]
    return [s or f for s, f in zip(short, full, strict=True)]


def _joined(words: Sequence[str], name: str) -> str:
    """Join words by the sign that stands between them in a name."""
    return next((t for sign in "_ ." if (t := sign.join(words)) in name), "-".join(words))


def _name_by_what_differs(found: list[Named]) -> None:
    """Where no word is left for a method, let the one setting that is a text name it."""
    if any(own.method for own in found) or not found:
        return
    texts = {
        key
        for own in found
        for key, value in own.settings.items()
        if not re.fullmatch(r"[-+.\deE]+", value)
    }
    differing = [k for k in sorted(texts) if len({own.settings.get(k) for own in found}) > 1]
    if len(differing) == 1:
        for own in found:
            own.method = own.settings.pop(differing[0], "")
