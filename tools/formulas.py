r"""Read formulas in LaTeX as this book writes them, and see whether they hold for given numbers.

`check(formula, values)` reads a formula such as `\frac{\partial L}{\partial b_j} = \sum_n G_{nj}`. `values` gives each
symbol a number, an array or a function: "b", "G", "dL/db" for the derivative, "\beta_1" or "\hat m" as written.
What stands on both sides of an equals sign must agree, for every value of the indices left free ("sizes" says how far
each runs). A rule with an arrow takes the old value and gives the one in `values["new"]`. Arrays of the type `Matrix`
are multiplied as matrices, all others element by element; `^\top` and `^{\mathsf T}` transpose.

A general reader of LaTeX takes `y (1 - y)` for a call, `ni + r` for no index, and knows neither arrows nor gradients.
"""

import itertools
import math
import operator
import re

import numpy as np

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[a-zA-Z]|\d+(?:\.\d+)?|\S")
NO_MEANING = re.compile(
    r"(?<!\\)\\[,;!: ]|\\(?:displaystyle|textstyle|[bB]igg?[lr]?|left|right)(?![a-zA-Z])|\[\dpt\]|\{\}"
    r"|\\underbrace|(?<=\})_\{\\text\{[^{}]*\}(?:[^{}]|\{[^{}]*\})*\}"  # a brace with words below it
    r"|\\(?:begin|end)\{(?:aligned|gathered)\}|\\quad\s*\([^)]*\)|\\text\{(?:so|or|that is|column sums\.)\}"
)
NAME = r"([A-Za-z]|\\[a-z]+)(_\{.*?\}|_.)?"
DERIVATIVES = [
    re.compile(rf"\\frac\{{\\partial ?{NAME}\}}\{{\\partial ?{NAME}\}}"),
    re.compile(rf"\\partial ?{NAME} ?/ ?\\partial ?{NAME}"),
    re.compile(r"\\frac\{d([A-Za-z])()\}\{d([A-Za-z])()\}"),
]
RELATIONS = {"=": np.isclose, r"\leftarrow": np.isclose, r"\le": operator.le, ">": operator.gt, "<": operator.lt}
RELATIONS |= {r"\ge": operator.ge, r"\approx": lambda a, b: np.isclose(a, b, rtol=1e-4)}
FUNCTIONS = {r"\log": np.log, r"\exp": np.exp, r"\sin": np.sin, r"\cos": np.cos, r"\tanh": np.tanh}
CHOICES = {r"\max": (max, np.maximum), r"\min": (min, np.minimum)}
BRACKETS = {"(": ")", r"\langle": r"\rangle", "[": "]", r"\lVert": r"\rVert", r"\lfloor": r"\rfloor", "{": "}"}
SEPARATORS = (",", ";", r"\mid", r"\|")


class Unreadable(ValueError):
    """The formula is written in a way that is not known here, or names something that was given no value."""


class Matrix(np.ndarray):
    """An array whose products are those of matrices."""


def matrix(values):
    return np.array(values, dtype=float).view(Matrix)


# -- from a formula to its equations --


def equations(formula):
    """The single equations of a displayed formula, each in one line."""
    inner = re.compile(r"\\begin\{(pmatrix|cases)\}.*?\\end\{\1\}", re.DOTALL)
    kept = inner.sub(lambda m: m[0].replace("&", r"\AND ").replace("\\\\", r"\ROW "), formula)
    kept = re.sub(r",\s*&\s*&\s*\\text\{or \}", "=", kept)
    text, found = NO_MEANING.sub(" ", kept.replace("&", " ")), []
    for part in re.split(r"\\\\|\\qquad|\\quad", text):
        part = " ".join(part.strip(" \n,;.:").split())
        if found and re.match(r"(=|\\le\b|\\approx|\+|\\cdot)", part):  # it goes on in another line
            found[-1] += " " + part
        elif part and not re.fullmatch(r"\\text\{[^}]*\}", part):
            found.append(part)
    return found


def named(equation):
    r"""An equation with each derivative as one symbol: `\dLdx` with the indices of both."""

    def symbol(found):
        a, i, b, k = (group or "" for group in found.groups())
        indices = re.sub("[_{}]", "", i + k)
        name = f"d{a}d{b}".replace("\\", "")
        return f"\\{name}" + (f"_{{{indices}}} " if indices else " ")

    for pattern in DERIVATIVES:
        equation = pattern.sub(symbol, equation)
    return equation


def check(equation, values):
    """Whether an equation holds for these values, and the values after it: an arrow changes one."""
    tokens = TOKEN.findall(named(equation))
    sides, relations = split(tokens)
    if not relations:
        raise Unreadable(f"no relation in {equation}")
    free, holds = free_indices(tokens, values), True
    changes = relations[0] == r"\leftarrow"
    for chosen in itertools.product(*(range(values["sizes"][i]) for i in free)):
        bound = dict(zip(free, chosen, strict=True))
        known = [values | values["new"] if changes and k == 0 else values for k in range(len(sides))]
        results = [Reader(side, v, bound).whole() for side, v in zip(sides, known, strict=True)]
        results = [v[chosen] if free and np.ndim(v) == len(free) else v for v in results]  # said of the whole array
        for relation, (a, b) in zip(relations, itertools.pairwise(results), strict=True):
            fit = np.shape(a) == np.shape(b) or () in (np.shape(a), np.shape(b))
            holds &= fit and bool(np.all(RELATIONS[relation](np.asarray(a), np.asarray(b))))
    name = "".join(sides[0])
    return holds, values | {name: values["new"][name]} if changes else values


def split(tokens):
    """The sides of an equation, and the relations between them."""
    sides, relations, depth = [[]], [], 0
    for token in tokens:
        depth += (token in ("(", "{", r"\begin")) - (token in (")", "}", r"\end"))
        if depth == 0 and token in RELATIONS:
            relations.append(token)
            sides.append([])
        else:
            sides[-1].append(token)
    return sides, relations


def free_indices(tokens, values):
    """The letters among all subscripts that are indices, but those of sums, of a greatest or a least."""
    used, taken = {}, set()
    for k, token in enumerate(tokens[:-1]):
        if token == "_":
            end = tokens.index("}", k) if tokens[k + 1] == "{" else k + 2
            letters = {t: None for t in tokens[k + 1 : end] if t in values.get("sizes", {})}
            if tokens[k - 1] in (r"\sum", r"\max", r"\min"):
                taken |= letters.keys()
            elif "".join(tokens[k - 1 : end]).replace("{", "") not in values:
                used |= letters
    return [letter for letter in used if letter not in taken]


# -- the value of one side --


class Reader:
    """Computes as it reads; the body of a sum is read again for each index."""

    def __init__(self, tokens, values, bound):
        self.tokens, self.values, self.bound, self.at = tokens, values, dict(bound), 0

    @property
    def next(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected=None):
        token = self.next
        if not token or expected not in (None, token):
            raise Unreadable(f"{expected or 'more'} expected after {' '.join(self.tokens[: self.at])}")
        self.at += 1
        return token

    def whole(self):
        value = self.sum()
        if self.next:
            raise Unreadable(f"{self.next} not understood in {' '.join(self.tokens)}")
        return value

    def sum(self):
        value = self.product()
        while self.next in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        if self.next in ("+", "-"):
            return self.product() if self.take() == "+" else -self.product()
        value = self.power()
        while self.starts_factor():
            token = self.take() if self.next in ("/", r"\cdot", r"\times") else ""
            other = -self.power() if self.next == "-" and self.take() else self.power()
            both = isinstance(value, Matrix) and isinstance(other, Matrix)
            value = value / other if token == "/" else value @ other if both else value * other
        return value

    def starts_factor(self):
        ends = {"", "+", "-", "}", "&", r"\AND", r"\ROW", r"\end", r"\pm", *SEPARATORS, *RELATIONS, *BRACKETS.values()}
        return self.next not in ends and not (self.next == "|" and self.in_bars)

    in_bars = False

    def power(self):
        value = self.atom()
        while self.next == "^":
            self.take()
            if "".join(self.tokens[self.at : self.at + 4]).startswith((r"\top", r"{\mathsfT}")):
                self.at += 1 if self.next == r"\top" else 4
                value = value.T
            else:
                exponent = self.argument()
                inverse = isinstance(value, Matrix) and np.ndim(exponent) == 0 and exponent == -1
                value = np.linalg.inv(value) if inverse else value**exponent
        return value

    def argument(self):
        """A group in braces, or one sign: of a number its first digit."""
        if self.next == "{":
            return self.bracketed()
        if len(self.next) > 1 and self.next.isdigit():
            self.tokens = [*self.tokens[: self.at], *self.next, *self.tokens[self.at + 1 :]]
        return self.atom()

    def bracketed(self):
        """What stands in brackets, and several things as a vector."""
        close = BRACKETS[self.next]
        found = self.arguments()
        found = found[0] if len(found) == 1 else np.array(found)
        norms = {r"\rVert": np.linalg.norm, r"\rfloor": np.floor, r"\rangle": lambda pair: pair[0] @ pair[1]}
        return norms.get(close, lambda v: v)(found)

    def arguments(self):
        """All that stands in brackets, one after the other."""
        close = BRACKETS[self.take()]
        outside, self.in_bars = self.in_bars, False
        found = [self.sum()]
        while self.next in SEPARATORS:
            self.take()
            found.append(self.sum())
        self.take(close)
        self.in_bars = outside
        return found

    def atom(self):
        token = self.next
        if token in BRACKETS:
            value = self.bracketed()
            if self.next == "_" and np.ndim(value):
                self.take()
                value = self.indexed(value, self.raw())
            return value
        self.take()
        if token == "|":
            self.in_bars = True
            value = abs(self.sum())
            self.in_bars = False
            self.take("|")
            return value
        if token[0].isdigit():
            return float(token)
        if token == r"\frac" or token == r"\tfrac":
            return self.argument() / self.argument()
        if token == r"\sqrt":
            root = 2
            if self.next == "[":
                root = self.bracketed()
            return self.argument() ** (1 / root)
        if token == r"\sum":
            return self.over_indices(self.product, sum)
        if token in CHOICES:
            whole, pairs = CHOICES[token]
            return pairs(*self.arguments()) if self.next == "(" else self.over_indices(self.power, whole)
        if token in FUNCTIONS and token not in self.values:
            return FUNCTIONS[token](self.bracketed() if self.next == "(" else self.product())
        if token == r"\begin":
            return self.table()
        return self.symbol(token)

    def over_indices(self, body, combine):
        """Read `body` for each value of the indices below a sum, and combine what it gives."""
        names, low, high, other = [], 1, None, None
        if self.next == "_":
            self.take()
            below = self.raw()
            names = [t for t in below if t.isalpha()]
            if "=" in below:
                names, low = [below[0]], int(Reader(below[2:], self.values, self.bound).whole())
            if r"\ne" in below:
                names, other = [below[0]], self.values[below[2]]
        if self.next == "^":
            self.take()
            high = int(Reader(self.raw(), self.values, self.bound).whole())
        if not names:
            return np.sum(np.asarray(body()))
        first = max(low - 1, 0)  # arrays begin at 0; what is counted from 1 is one less
        ends = [self.values["sizes"][n] if high is None else high + (low == 0) for n in names]
        start, outside, found = self.at, dict(self.bound), []
        for chosen in itertools.product(*(range(first, end) for end in ends)):
            self.at, self.bound = start, outside | dict(zip(names, chosen, strict=True))
            value = body()
            if other is None or chosen != (other,):
                found.append(value)
        self.bound = outside
        return combine(found)

    def raw(self):
        """The signs of a group in braces, or the one that comes next."""
        if self.next != "{":
            return [self.take()]
        start, depth = self.at + 1, 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
            if depth == 0:
                return self.tokens[start : self.at - 1]

    def table(self):
        """A matrix of numbers, or cases with their conditions."""
        kind = "".join(self.raw())
        rows = [[]]
        while True:
            rows[-1].append(self.sum())
            if kind == "cases" and self.next in RELATIONS:
                relation = RELATIONS[self.take()]
                rows[-1][-1] = relation(rows[-1][-1], self.sum())
            token = self.take()
            if token == r"\ROW":
                rows.append([])
            elif token == r"\end":
                self.raw()
                break
            elif token != r"\AND":
                raise Unreadable(f"{token} in a table")
        if kind == "pmatrix":
            return matrix(rows)
        which = np.array([condition for _, condition in rows])
        values = np.array([np.broadcast_to(given, which.shape[1:]) for given, _ in rows])
        return np.where(which.sum(axis=0) == 1, (values * which).sum(axis=0), np.nan)  # just one must fit

    def symbol(self, token):
        """A name with its indices, or a function of what follows in brackets."""
        if token in (r"\hat", r"\nabla"):
            token = f"{token} {self.take()}"
        elif token in (r"\mathrm", r"\operatorname", r"\text"):
            token = "".join(self.raw())
        elif found := re.fullmatch(r"\\d([A-Za-z])d([A-Za-z]+)", token):
            token = f"d{found[1]}/d{found[2]}"
        while self.next == "'":
            token += self.take()
        indices = None
        if self.next == "_":
            self.take()
            indices = self.raw()
            if f"{token}_{''.join(indices)}" in self.values:
                token, indices = f"{token}_{''.join(indices)}", None
        if token not in self.values:
            if token in ("e", r"\pi") and indices is None:
                return math.e if token == "e" else math.pi
            raise Unreadable(f"{token} has no value")
        value = self.values[token]
        if callable(value):
            if self.next != "(":
                raise Unreadable(f"{token} of what?")
            return value(*self.arguments())
        return value if indices is None else self.indexed(value, indices)

    def indexed(self, value, indices):
        if "+" in indices or "-" in indices:
            places = [int(Reader(indices, self.values | self.bound, self.bound).whole())]
        else:
            places = [self.place(i) for i in indices if i not in (",", "{", "}")]
        if len(places) > np.ndim(value):
            raise Unreadable(f"an index too many: {' '.join(indices)}")
        try:
            return np.asarray(value)[tuple(places)]
        except IndexError as error:
            raise Unreadable(str(error)) from None

    def place(self, index):
        if index in self.bound:
            return self.bound[index]
        if index.isdigit():
            return int(index) - 1
        if index in self.values and np.ndim(self.values[index]) == 0:
            return int(self.values[index])
        raise Unreadable(f"the index {index} has no value")
