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

    def __pow__(self, exponent):
        n = as_range(exponent).low  # an exponent is known exactly
        if n == int(n):
            ends = [self.low**n, self.high**n]
            if n % 2 == 0 and self.low < 0 < self.high:
                ends.append(0.0)
        else:
            ends = [max(self.low, 0) ** n, max(self.high, 0) ** n]
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


def _sign(value):
    return Range((value.low > 0) - (value.low < 0), (value.high > 0) - (value.high < 0))


def _size(value):
    ends = sorted((abs(value.low), abs(value.high)))
    return Range(0 if value.low < 0 < value.high else ends[0], ends[1])


def _larger(a, b):
    return Range(max(a.low, b.low), max(a.high, b.high))


def _smaller(a, b):
    return Range(min(a.low, b.low), min(a.high, b.high))


def _holds(a, relation, b):
    """1 where a condition holds, 0 where not, both where rounding decides."""
    if relation in ("<", r"\le"):
        return _holds(b, ">" if relation == "<" else r"\ge", a)
    if relation == "=":
        return Range(a.low == a.high == b.low == b.high, a.low <= b.high and b.low <= a.high)
    sure = a.low > b.high if relation == ">" else a.low >= b.high
    possible = a.high > b.low if relation == ">" else a.high >= b.low
    return Range(sure, possible)


_TOKENS = re.compile(
    r"\\hat (?P<hat>\w)_t|\\theta_\{t-1\}|\\theta_t|\\(?P<numbered>beta|nu)_(?P<number>\d)|"
    r"\\rho_\\infty|\\(?P<running>rho|lambda)_t|\\kappa_(?P<way>[-+])|d_\{(?P<end>min|max)\}|"
    r"\\(?P<greek>eta|beta|tau|mu|lambda|alpha|nu)\b|\\epsilon_\{root\}|\\epsilon|"
    r"(?P<old>[a-z])_\{t-1\}|(?P<now>[a-z])_t|"
    r"\\(?P<call>frac|sqrt|max|min|operatorname\{sign\})|(?P<relation>\\[lg]e\b|[<>=])|"
    r"(?P<literal>\d+)|(?P<sign>\\[lr]vert|[-+/(){},^\[\]])|(?P<constant>[at])"
)
_NAMES = {
    "eta": "η", "beta": "β", "tau": "τ", "mu": "μ", "lambda": "λ", "alpha": "α", "nu": "ν",
}  # fmt: skip
_SPELT = {
    r"\theta_{t-1}": "θ-", r"\theta_t": "θ", r"\epsilon_{root}": "εroot", r"\epsilon": "ε",
    r"\rho_\infty": "ρ∞",
}  # fmt: skip


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
    for kind in ("call", "relation", "sign"):
        if part[kind]:
            return kind, whole.removeprefix("\\") if kind == "call" else whole
    if part["literal"]:
        return "literal", float(part["literal"])
    if part["hat"]:
        return "symbol", f"{part['hat']}^"
    if part["numbered"]:
        return "symbol", _NAMES[part["numbered"]] + part["number"]
    if part["running"]:
        return "symbol", part["running"] + "_t"
    if part["way"] or part["end"]:
        return "symbol", f"κ{part['way']}" if part["way"] else f"d{part['end']}"
    if part["greek"]:
        return "symbol", _NAMES[part["greek"]]
    if part["old"]:
        return "symbol", f"{part['old']}-"
    return "symbol", part["now"] or part["constant"] or _SPELT[whole]


class Evaluation:
    """One right side, read by recursive descent: sums of products of powers, products unwritten."""

    def __init__(self, text, values, t):
        self.tokens, self.values = _tokens(text), {**values, "t": Range(t)}

    def value(self):
        found = self.total()
        assert not self.tokens, self.tokens
        return found

    def next_is(self, *signs):
        return bool(self.tokens) and self.tokens[0] in [("sign", sign) for sign in signs]

    def total(self):
        found = -self.product() if self.skip("-") else self.product()
        while self.next_is("+", "-"):
            _kind, sign = self.tokens.pop(0)
            found = found + self.product() if sign == "+" else found - self.product()
        return found

    def product(self):
        found = self.power()
        ends = ("+", "-", ")", "}", ",", "]", r"\rvert")
        while self.tokens and not self.next_is(*ends) and self.tokens[0][0] != "relation":
            found = found / self.power() if self.skip("/") else found * self.power()
        return found

    def power(self):
        found = self.atom()
        return found ** self.atom() if self.skip("^") else found

    def skip(self, sign):
        there = self.next_is(sign)
        if there:
            self.tokens.pop(0)
        return there

    def until(self, *ends):
        found = self.total()
        assert any(map(self.skip, ends)), self.tokens
        return found

    def atom(self):
        if self.skip("(") or self.skip("{"):
            return self.until(")", "}")
        if self.skip(r"\lvert"):
            return _size(self.until(r"\rvert"))
        if self.skip("["):
            left = self.total()
            _kind, relation = self.tokens.pop(0)
            return _holds(left, relation, self.until("]"))
        kind, what = self.tokens.pop(0)
        if kind == "literal":
            return Range(what)
        if kind == "symbol":
            return as_range(self.values[what])
        assert kind == "call", (kind, what)
        if what == "frac":
            above = self.atom()
            return above / self.atom()
        if what in ("sqrt", "operatorname{sign}"):
            return (_root if what == "sqrt" else _sign)(self.atom())
        assert self.skip("("), self.tokens
        return (_larger if what == "max" else _smaller)(self.until(","), self.until(")"))


def check(latex, values, t, digits, slack=1e-9):
    """Assert that numbers known to so many digits satisfy every equation of a formula at step t.

    ``values`` holds the number of each symbol: ``θ-`` before the step, ``θ`` after it, ``m^`` for
    a hat. What is shown is used, never what another equation gives; only what is not shown, as a
    rule's own abbreviations, is taken from its equation.
    """
    known = {name: Range.rounded(value, digits) for name, value in values.items()}
    checked = []
    for symbol, right in equations(latex):
        expected = Evaluation(right, known, t).value()
        if symbol not in known:
            known[symbol] = expected
            continue
        assert known[symbol].touches(expected, slack), (
            f"t = {t}: {symbol} = {known[symbol]}, but {right} gives {expected}"
        )
        checked.append(symbol)
    return checked
