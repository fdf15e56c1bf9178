"""Evaluate a rule's LaTeX on numbers that are known to some digits: what the page shows must fit."""

from __future__ import annotations

import math
import re


class Range:
    """The numbers between ``low`` and ``high``: what a rounded number may have been."""

    def __init__(self, low, high=None):
        self.low, self.high = float(low), float(low if high is None else high)

    @classmethod
    def rounded(cls, value, digits):
        """What may have been rounded to ``value``, at so many significant digits."""
        if value == 0:
            return cls(0)
        half = 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
        return cls(value - half, value + half)

    def __add__(self, other):
        other = as_range(other)
        return Range(self.low + other.low, self.high + other.high)

    def __neg__(self):
        return Range(-self.high, -self.low)

    def __sub__(self, other):
        return self + -as_range(other)

    def __mul__(self, other):
        other = as_range(other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Range(min(ends), max(ends))

    def __truediv__(self, other):
        other = as_range(other)
        if other.low <= 0 <= other.high:
            return Range(-math.inf, math.inf) if other.low < other.high else Range(math.nan)
        return self * Range(1 / other.high, 1 / other.low)

    def __pow__(self, n):
        ends = [self.low**n, self.high**n]
        if n % 2 == 0 and self.low < 0 < self.high:
            ends.append(0.0)
        return Range(min(ends), max(ends))

    def touches(self, other, slack):
        """Whether some number may be both, up to a share for binary rounding."""
        room = slack * max(abs(self.low), abs(self.high), abs(other.low), abs(other.high))
        return self.low <= other.high + room and other.low <= self.high + room

    def __repr__(self):
        return f"[{self.low:.8g}, {self.high:.8g}]"


def as_range(value):
    return value if isinstance(value, Range) else Range(value)


def _root(value):
    return Range(math.sqrt(max(value.low, 0)), math.sqrt(max(value.high, 0)))


def _larger(a, b):
    return Range(max(a.low, b.low), max(a.high, b.high))


_TOKENS = re.compile(
    r"\\hat (?P<hat>\w)_t|\\theta_\{t-1\}|\\theta_t|\\beta_(?P<number>\d)(?P<power>\^t)?|"
    r"\\(?P<greek>eta|beta|tau|mu|lambda)\b|\\epsilon_\{root\}|\\epsilon|"
    r"(?P<old>[a-z])_\{t-1\}|(?P<now>[a-z])_t(?P<square>\^2)?|"
    r"\\(?P<call>frac|sqrt|max)|(?P<literal>\d+)|(?P<sign>[-+/(){},])"
)
_NAMES = {"eta": "η", "beta": "β", "tau": "τ", "mu": "μ", "lambda": "λ"}


def equations(latex):
    """Return the equations of a formula: the symbol on the left, the text on the right."""
    latex = re.sub(r"\\(?:bigl|bigr|Bigl|Bigr|left|right)\b", "", latex)
    latex = re.sub(r"\\[,;!]", " ", latex).replace("&", " ")
    found = []
    for line in re.split(r"\\\\|,\s*\\qquad", latex):
        left, _equals, right = line.partition("=")
        (symbol,) = _tokens(left.strip())
        found.append((symbol[1], right.strip()))
    return found


def _tokens(text):
    found, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKENS.match(text, place)
        assert match, f"not understood: {text[place:]}"
        found.append(_token(match))
        place = match.end()
    return found


def _token(match):
    whole, part = match[0], match.groupdict()
    if part["hat"]:
        return "symbol", f"{part['hat']}^"
    if part["number"]:
        return "symbol", f"β{part['number']}" + ("**t" if part["power"] else "")
    if part["greek"]:
        return "symbol", _NAMES[part["greek"]]
    if part["old"]:
        return "symbol", f"{part['old']}-"
    if part["now"]:
        return "symbol", part["now"] + ("**2" if part["square"] else "")
    if part["call"]:
        return "call", part["call"]
    if part["literal"]:
        return "literal", float(part["literal"])
    if part["sign"]:
        return "sign", whole
    return "symbol", {
        r"\theta_{t-1}": "θ-", r"\theta_t": "θ", r"\epsilon_{root}": "εroot", r"\epsilon": "ε",
    }[whole]  # fmt: skip


class Evaluation:
    """One right side, read by recursive descent: sums of products of atoms, products unwritten."""

    def __init__(self, text, values, t):
        self.tokens, self.values, self.t = _tokens(text), values, t

    def value(self):
        found = self.total()
        assert not self.tokens, self.tokens
        return found

    def next_is(self, *signs):
        return bool(self.tokens) and self.tokens[0] in [("sign", sign) for sign in signs]

    def total(self):
        found = self.product()
        while self.next_is("+", "-"):
            _kind, sign = self.tokens.pop(0)
            found = found + self.product() if sign == "+" else found - self.product()
        return found

    def product(self):
        found = self.atom()
        while self.tokens and not self.next_is("+", "-", ")", "}", ","):
            found = found / self.over() if self.next_is("/") else found * self.atom()
        return found

    def over(self):
        self.tokens.pop(0)
        return self.atom()

    def inside(self, ends):
        self.tokens.pop(0)
        found = self.total()
        assert self.next_is(*ends), self.tokens
        return found

    def atom(self):
        if self.next_is("(", "{"):
            found = self.inside((")", "}"))
            self.tokens.pop(0)
            return found
        kind, what = self.tokens.pop(0)
        if kind == "literal":
            return Range(what)
        if kind == "symbol":
            name, _power, exponent = what.partition("**")
            value = as_range(self.values[name])
            return value ** (self.t if exponent == "t" else 2) if exponent else value
        assert kind == "call", (kind, what)
        if what == "frac":
            above = self.atom()
            return above / self.atom()
        if what == "sqrt":
            return _root(self.atom())
        first = self.inside((",",))
        second = self.inside((")",))
        self.tokens.pop(0)
        return _larger(first, second)


def check(latex, values, t, digits, slack=1e-9):
    """Assert that numbers known to so many digits satisfy every equation of a formula at step t.

    ``values`` holds the number of each symbol: ``θ-`` before the step, ``θ`` after it, ``m^`` for
    a hat. What is shown is used, never what another equation gives.
    """
    known = {name: Range.rounded(value, digits) for name, value in values.items()}
    checked = []
    for symbol, right in equations(latex):
        expected = Evaluation(right, known, t).value()
        assert known[symbol].touches(expected, slack), (
            f"t = {t}: {symbol} = {known[symbol]}, but {right} gives {expected}"
        )
        checked.append(symbol)
    return checked
