"""The mutants of a module: the same source with one small change, in the order of the source."""

import ast
import hashlib
import itertools
from collections import Counter
from dataclasses import dataclass

BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult, ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
PAIRS = "max min, any all, maximum minimum, argmax argmin, sin cos, zeros_like ones_like, ValueError TypeError"
NAMES = {a: b for pair in PAIRS.split(", ") for a, b in (pair.split(), pair.split()[::-1])}
NAMES |= {"RuntimeError": "ValueError", "NotFiniteError": "ValueError", "log1p": "log", "zeros": "ones", "exp": "expm1"}
DROPPED = {"copy", "astype", "reshape", "ravel"}  # methods that give back much the same array
TAKE_KEYS = {"getattr", "hasattr", "setattr", "get", "pop", "startswith"}
NOT_DROPPED = {"len", "range", "enumerate", "type", "id", "isinstance"}  # without them every test would fail
SYMMETRIC = {"max", "maximum", "multiply", "result_type", "broadcast_shapes", "shares_memory", "isinstance"}


@dataclass(frozen=True)
class Mutant:
    module: str
    function: str
    source: str  # the line as it is: with the function it tells where the mutant is, also when lines move
    change: str
    digest: str  # of the function
    lines: range  # of the statement, without those that it holds; none if it runs when the module is imported
    text: bytes  # the whole mutated module

    @property
    def cells(self):
        return tuple(f"`{cell}`" for cell in (self.module, self.function, self.source, self.change))

    @property
    def key(self):
        return " | ".join((self.module, self.function, self.source, self.change))

    def __str__(self):
        return f"{self.module}.{self.function}: {self.source}  [{self.change}]"


def changed(node, **fields):
    return ast.unparse(type(node)(**{**dict(ast.iter_fields(node)), **fields}))


def without(items, i):
    return [*items[:i], *items[i + 1 :]]


def replaced(items, i, *new):
    return [*items[:i], *new, *items[i + len(new) :]]


def names_in(nodes, context):
    found = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in found if isinstance(n.ctx, context)}


def called(node):
    """The last part of the name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def numbers_near(value):
    if isinstance(value, bool):
        return [not value]
    return [value + 1, value - 1] if isinstance(value, int) else [2 * value or 1.0, value / 2 or -1.0]


def is_key(node, parents):
    """Whether a string is a name by which something is found."""
    parent = parents[-1]
    if isinstance(parent, ast.Dict):
        return node in parent.keys
    if isinstance(parent, ast.Call):
        return called(parent) in TAKE_KEYS
    return isinstance(parent, (ast.Subscript, ast.Compare, ast.DictComp, ast.Tuple))


def is_set(node, parent):
    """Whether a string lists letters, as in `kind in "iu"`."""
    return (
        isinstance(parent, ast.Compare)
        and node is parent.comparators[-1]
        and type(parent.ops[-1]) in (ast.In, ast.NotIn)
    )


def is_choice(parents):
    """Whether a tuple lists types, any of which will do."""
    parent = parents[-1]
    if isinstance(parent, ast.Call):
        return called(parent) == "isinstance"
    return isinstance(parent, ast.ExceptHandler) or isinstance(parent, ast.Assign) and len(parents) == 2


def is_removable(node):
    """Whether the rest still makes sense without this statement: no name is missing that it would have made."""
    if isinstance(node, ast.Assign):
        return names_in(node.targets, ast.Store) <= names_in([node.value], ast.Load)
    return isinstance(node, (ast.Expr, ast.AugAssign, ast.Raise, ast.Return))


def is_text(node):
    """Whether this is a docstring or a text with values in it."""
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def alternatives(node, parents):
    """Yield (part of the node, what to write instead of it)."""
    yield from ((decorator, "lambda function: function") for decorator in getattr(node, "decorator_list", ()))
    if is_removable(node) and not is_text(node):
        yield node, "pass"
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            yield from ((node.test, text) for text in ("True", "False"))
        case ast.comprehension():
            yield from ((test, "True") for test in node.ifs)
        case ast.Compare(ops=ops):
            is_test = node in (getattr(parents[-1], "test", None), *getattr(parents[-1], "ifs", ()))
            for i, op in enumerate(ops):
                if type(op) in BOUNDARY:
                    yield node, changed(node, ops=replaced(ops, i, BOUNDARY[type(op)]()))
                if not is_test:  # which has been replaced by True and by False already
                    yield node, changed(node, ops=replaced(ops, i, OPPOSITE[type(op)]()))
        case ast.BoolOp(op=op, values=values):
            yield node, changed(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for i in range(len(values)):
                rest = without(values, i)
                yield node, changed(node, values=rest) if len(rest) > 1 else ast.unparse(rest[0])
        case ast.UnaryOp(operand=operand):
            yield node, ast.unparse(operand)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield node, changed(node, op=ARITHMETIC[type(op)]())
        case ast.Constant(value=bool() | int() | float() as value):
            yield from ((node, repr(new)) for new in numbers_near(value))
        case ast.Constant(value=str(letters)) if is_set(node, parents[-1]):
            yield from ((node, repr(letters.replace(letter, ""))) for letter in letters)
        case ast.Constant(value=str(value)) if is_key(node, parents):
            yield node, repr(value + "_")
        case ast.JoinedStr() if is_key(node, parents):
            yield node, ast.unparse(node) + " + '_'"
        case ast.Attribute(attr="T", value=value):
            yield node, ast.unparse(value)
        case ast.Attribute(attr=name) if name in NAMES:
            yield node, changed(node, attr=NAMES[name])
        case ast.Name(id=name) if name in NAMES:
            yield node, NAMES[name]
        case ast.Tuple(elts=items) if is_choice(parents) and isinstance(node.ctx, ast.Load):
            yield from ((node, changed(node, elts=without(items, i))) for i in range(len(items)))
        case (
            ast.Return(value=ast.Tuple(elts=items) as pair)
            | ast.Assign(targets=[ast.Tuple()], value=ast.Tuple(elts=items) as pair)
        ):
            for i in range(len(items) - 1):
                yield pair, changed(pair, elts=replaced(items, i, items[i + 1], items[i]))
        case ast.Call():
            yield from calls(node)


def is_name(args):
    """Whether the first argument only says for whom something is checked."""
    return bool(args) and (isinstance(args[0], ast.Constant) or getattr(args[0], "id", "") in ("name", "self", "layer"))


def calls(node):
    """A call without one of its keywords, with two arguments swapped, or without the call."""
    args = node.args
    for i, keyword in enumerate(node.keywords):
        if not isinstance(getattr(keyword.value, "value", None), bool):  # the opposite is a mutant of its own
            yield node, changed(node, keywords=without(node.keywords, i))
    if called(node) not in SYMMETRIC:
        for i in range(1 if is_name(args) else 0, len(args) - 1):
            yield node, changed(node, args=replaced(args, i, args[i + 1], args[i]))
    if isinstance(node.func, ast.Attribute) and node.func.attr in DROPPED:
        yield node, ast.unparse(node.func.value)
    elif (
        len(args) == 1
        and not node.keywords
        and not isinstance(args[0], ast.Starred)
        and called(node) not in NOT_DROPPED
    ):
        yield node, ast.unparse(args[0])


def walk(node, parents=()):
    """Every node that may be changed, with all that it stands in."""
    yield node, parents
    if isinstance(node, ast.Raise):  # of its parts the type only: no words
        if isinstance(node.exc, ast.Call):
            yield from walk(node.exc.func, (*parents, node))
        return
    if is_text(node):
        return
    for child in ast.iter_child_nodes(node):
        yield from walk(child, (*parents, node))


def name_of(nodes, outermost):
    return ".".join(n.name for n in nodes if isinstance(n, (ast.ClassDef, ast.FunctionDef))) or outermost


def one_line(text):
    return " ".join(text.split())


def lines_of(nodes):
    """The lines of the innermost statement of a path of nodes, if it runs when a function is called."""
    *outer, inner = [node for node in nodes if isinstance(node, ast.stmt)]
    if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) or not any(isinstance(n, ast.FunctionDef) for n in outer):
        return range(0)
    body = getattr(inner, "body", None)
    return range(inner.lineno, body[0].lineno if body else inner.end_lineno + 1)


def mutants_of(path):
    """All mutants of a module, each once."""
    return mutants_of_source(path.read_bytes(), path.stem)


def mutants_of_source(source, module, outermost="module"):
    """All mutants of a source, each once; what stands in no function is said to stand in the outermost."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(map(len, lines))]
    seen, times = set(), Counter()
    for node, parents in walk(ast.parse(source)):
        for part, new in alternatives(node, parents):
            start = starts[part.lineno - 1] + part.col_offset
            end = starts[part.end_lineno - 1] + part.end_col_offset
            if (start, end, new) in seen or new == ast.unparse(part):
                continue
            seen.add((start, end, new))
            old = source[start:end].decode()
            change = "removed" if isinstance(part, ast.stmt) and new == "pass" else f"{one_line(old)} → {one_line(new)}"
            where = (
                name_of((*parents, node), outermost),
                lines[part.lineno - 1].decode().partition("  #")[0].strip(),
                change,
            )
            times[where] += 1
            change += f" ({times[where]})" if times[where] > 1 else ""
            scope = next((n for n in reversed(parents) if isinstance(n, ast.FunctionDef)), node)
            digest = hashlib.sha256(ast.unparse(scope).encode()).hexdigest()[:16]
            text = new if isinstance(part, ast.stmt) else f"({new})"
            at = lines_of((*parents, node, part))
            yield Mutant(module, *where[:2], change, digest, at, source[:start] + text.encode() + source[end:])
