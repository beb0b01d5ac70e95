"""Section 1.3.4: a computation graph in pictures and in words, with the numbers of its run.

A box is one run of a node: above what it computes, below the value in upright type, and its gradient in italics. Values
go along solid arrows, gradients come back along dashed ones. As in all of the book, "d" before a name means the
gradient with respect to that variable. The pictures are SVG that is written here: short, and the same on every machine.
"""

import copy
import html
import itertools
from collections import Counter

import numpy as np

from mlcore.graph import MatrixProduct, Variable
from mlcore.layers import Affine, Dropout, ReLU, Sigmoid, Tanh
from mlcore.losses import SigmoidWithLoss, SoftmaxWithLoss
from mlcore.nodes import Add, Branch, MatMul, Multiply, Power, Repeat, Sum
from mlcore.teaching.visual import COLOURS, Frames, _short

# How to say what a node computes, then its local derivative with respect to each input. Other nodes are called by name.
LOCAL = {
    Add: ("{0} + {1}", "1", "1"),
    Multiply: ("{0} · {1}", "{1}", "{0}"),
    Power: ("{0}^{node.n:g}", "{node.n:g} · {0}^({node.n:g} − 1)"),
    ReLU: ("relu({0})", "(1 if {0} > 0 else 0)"),
    Sigmoid: ("sigmoid({0})", "{y} · (1 − {y})"),
    Tanh: ("tanh({0})", "1 − {y}^2"),
}
# Where an output depends on several elements of an input: the gradient of the input as a whole.
WHOLE = {
    Branch: ("branch({0})", "the sum of what comes back from all branches"),
    Repeat: ("repeat({0})", "the sum of d{y} over the {node.n} copies of each slice"),
    Sum: ("sum({0})", "d{y}, repeated along axis {node.axis}"),
    MatrixProduct: ("{0} @ {1}", "d{y} @ {1}ᵀ", "{0}ᵀ @ d{y}"),
    MatMul: ("{0} @ W", "d{y} @ Wᵀ"),
    Affine: ("{0} @ W + b", "d{y} @ Wᵀ"),
    Dropout: ("dropout({0})", "d{y}, where {0} was not left out, divided by 1 − {node.p:g}"),
    SoftmaxWithLoss: ("SoftmaxWithLoss({0})", "d{y} · (softmax({0}) − t) / N"),
    SigmoidWithLoss: ("SigmoidWithLoss({0})", "d{y} · (sigmoid({0}) − t) / N"),
}

MOST_IN_PICTURE, MOST_IN_PLAYER = 300, 60
LINE, CHARACTER, GAP, MARGIN = 17, 7.8, 54, 12  # in pixels, for type of 13 pixels
LABEL = 9  # what comes back along a line is written there if it is not longer
PAGE = 760  # a graph that is wider than about a page runs down it
VALUE, GRADIENT = COLOURS[0], "#a84300"  # the second is COLOURS[1], dark enough for small type
STYLE = (
    "text{font:13px 'DejaVu Sans',Verdana,sans-serif;white-space:pre}.g{font-style:italic}"
    f".v{{fill:{VALUE}}}.g{{fill:{GRADIENT};paint-order:stroke;stroke:#fff;stroke-width:3px}}"
    "rect{fill:#fff;stroke:#000}.t{fill:#e8e8e8}rect.a{stroke-width:4}.t.a{fill:#bbb}"
    f"path{{fill:none;stroke:{VALUE};stroke-width:1.3}}path.a{{stroke-width:3}}"
    f".b{{stroke:{GRADIENT};stroke-dasharray:5 3}}.w{{stroke:#999;stroke-dasharray:1 3}}"
)
MARKERS = "".join(
    f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="9" markerHeight="9" '
    f'markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
    f'<path d="M0 0L8 4L0 8z" style="fill:{colour};stroke:none"/></marker>'
    for name, colour in [("f", VALUE), ("r", GRADIENT)]
)


def check_size(result, what, most):
    """Refuse a graph of which no picture would be of use."""
    n = len(result.topological_order())
    if n > most:
        raise ValueError(f"Variable.{what} of {n} steps would be of no use to the eye: at most {most}")


def steps(result, down=None):
    """The player that `Variable.steps` returns."""
    check_size(result, "steps: a player", MOST_IN_PLAYER)
    if result.record is None:
        result.backward()
    graph = Drawing(result, down)
    n = len(graph.steps)
    frames = [("start", f"{graph.tell_inputs()} Nothing is computed yet.", graph.picture(0))]
    for k, step in enumerate(graph.steps, 1):
        frames.append((f"forward {k} of {n}", graph.tell_forward(step), graph.picture(k, active=step)))
    frames.append(("upstream", graph.tell_upstream(), graph.picture(n, 0)))
    for k, step in enumerate(reversed(graph.steps), 1):
        frames.append((f"backward {k} of {n}", graph.tell_backward(step, k), graph.picture(n, k, active=step)))
    labels, texts, pictures = zip(*frames, strict=True)
    return Frames(pictures, texts, labels, "step")


class Drawing:
    """The graph of a variable as a picture, and as a text that says the same."""

    def __init__(self, result, down=None):
        check_size(result, "draw: a picture", MOST_IN_PICTURE)
        self.result, self.steps, self.record = result, result.topological_order(), result.record
        self.uses = Counter(x for step in self.steps for x in step.variables)
        inputs = [x for x in self.uses if x.step is None]
        # A box is a tuple of variables: an input, or the outputs of a step.
        self.boxes = [*((x,) for x in inputs), *(step.outputs for step in self.steps)] or [(result,)]
        self.box = {x: box for box in self.boxes for x in box}
        self.inputs = [x for x in self.box if x.step is None]
        self.name = self._names()
        self._place(down)
        if down is None and self.length > PAGE:
            self._place(down=True)

    def __repr__(self):
        lines = [self.tell_inputs(), *map(self.tell_forward, self.steps)]
        return "\n".join(lines if self.record is None else [*lines, self.tell_upstream(), *self.tell_gradients()])

    def _repr_svg_(self):
        return self.picture(len(self.steps), -1 if self.record is None else len(self.steps))

    def _names(self):
        """The given names, with primes where two are the same; y for the result, and v1, v2, ... for the others."""
        names, given = {}, {x.name for x in self.box}
        fresh = (name for name in (f"v{k}" for k in itertools.count(1)) if name not in given)
        for x in self.box:
            name = x.name or ("y" if x is self.result and "y" not in given else next(fresh))
            while name in names.values():
                name += "′"
            names[x] = name
        return names

    # -- the numbers of the run --

    def arrived(self, back):
        """What has come back to each variable after so many steps backward: a list for each."""
        arrived = {self.result: [self.record.upstream]}
        for step in self.steps[::-1][:back]:
            for x, gradient in zip(step.inputs, self.record.returned[step], strict=False):
                if isinstance(x, Variable):
                    arrived.setdefault(x, []).append(gradient)
        return arrived

    def gradients(self, back):
        """The gradients after so many steps backward; none before it begins, at -1."""
        return {x: self.total(gradients) for x, gradients in self.arrived(back).items()} if back >= 0 else {}

    def total(self, gradients):
        """The sum of what has come back; the last of it, if adding up was switched off."""
        return sum(gradients[1:], start=gradients[0]) if self.record.accumulate else gradients[-1]

    @staticmethod
    def local_derivatives(step):
        """What another run of the same node sends back for an upstream gradient of 1."""
        node = copy.deepcopy(step.node)
        node.forward(*(x.value if isinstance(x, Variable) else x for x in step.inputs))
        returned = node.backward(1.0)
        return returned if isinstance(returned, tuple) else (returned,)

    # -- words --

    def formula(self, step, names=None):
        """What a step computes, such as a · b."""
        node = type(step.node)
        if node in LOCAL or node in WHOLE:
            return self._fill((LOCAL | WHOLE)[node][0], step, names)
        return f"{node.__name__}({', '.join(names or self._names_of(step))})"

    def _fill(self, words, step, names=None):
        names = names or self._names_of(step)
        if "({0})" not in words:
            names = [f"({name})" if name.startswith("-") else name for name in names]
        return words.format(*names, node=step.node, y=self.name[step.outputs[0]])

    def _names_of(self, step):
        return [self.name[x] if isinstance(x, Variable) else say(x) for x in step.inputs]

    def tell_inputs(self):
        """The values that the expression starts from."""
        return "Inputs: " + "; ".join(assign(self.name[x], x.value) for x in self.inputs) + "."

    def tell_forward(self, step):
        """What a step computes, with its numbers."""
        numbers = [x.value if isinstance(x, Variable) else x for x in step.inputs]
        formula = self.formula(step)
        if not any(map(np.ndim, numbers)):
            formula += " = " + self.formula(step, [say(x) for x in numbers])
        outputs = "; ".join(assign(f"{self.name[y]} = {formula}", y.value) for y in step.outputs)
        return f"{type(step.node).__name__}: {outputs}."

    def tell_upstream(self):
        """Where backward begins."""
        return f"Backward begins with {assign('d' + self.name[self.result], self.record.upstream)}."

    def tell_gradients(self):
        """The gradient of each variable, in the order in which they are complete."""
        arrived = self.arrived(len(self.steps))
        first_use = {x: step for step in reversed(self.steps) for x in step.variables}
        for step in reversed(self.steps):
            for x in dict.fromkeys(step.variables):
                if first_use[x] is step:
                    yield self.tell_sum(x, arrived[x])

    def tell_backward(self, step, back):
        """The local rule of a step with its numbers, and the sums where paths meet."""
        gradients, arrived = self.gradients(back), self.arrived(back)
        text = [f"{type(step.node).__name__}: {self.name[step.outputs[0]]} = {self.formula(step)}."]
        text += [f"Upstream {assign('d' + self.name[y], gradients[y])}." for y in step.outputs if y in gradients]
        for k, (x, gradient) in enumerate(zip(step.inputs, self.record.returned[step], strict=False)):
            if isinstance(x, Variable):
                text.append(self.tell_rule(step, k, gradients.get(step.outputs[0]), gradient))
        if getattr(step.node, "params", []):
            text.append("The gradients of its parameters are in its grads.")
        text += [self.tell_sum(x, arrived[x]) for x in dict.fromkeys(step.variables) if self.uses[x] > 1]
        return " ".join(text)

    def tell_rule(self, step, k, upstream, gradient):
        """How a step passes the gradient on to its input k."""
        x, node = self.name[step.inputs[k]], type(step.node)
        if node not in LOCAL:
            words = self._fill(WHOLE[node][k + 1], step) if node in WHOLE else "what its backward returns"
            return f"To {x} goes {words}: {say(gradient)}."
        words = self._fill(LOCAL[node][k + 1], step)
        if np.ndim(upstream) == 0:
            local = say(self.local_derivatives(step)[k])
            words = local if words.strip("()") == local else f"{words} = {local}"
            product = " · ".join(factors(upstream, self.local_derivatives(step)[k]))
            return f"Local derivative with respect to {x}: {words}; upstream · local = {product} = {say(gradient)}."
        added = ", added up where it was repeated" if np.shape(gradient) != np.shape(upstream) else ""
        return f"To {x} goes upstream · local, element by element{added}, with local = {words}: {say(gradient)}."

    def tell_sum(self, x, gradients):
        """The gradient of a variable as the sum of what has come back so far."""
        name, missing = f"d{self.name[x]}", self.uses[x] - len(gradients)
        if len(gradients) == 1:
            text = assign(name, gradients[0])
        elif self.record.accumulate:
            text = f"{name} = {' + '.join(factors(*gradients))} = {say(self.total(gradients))}"
        else:
            candidates = ", ".join(map(say, gradients))
            text = f"{name} = {say(self.total(gradients))}, the last of {candidates}: they were not added up"
        return text + (f" so far, for {self.name[x]} is used {self.uses[x]} times." if missing > 0 else ".")

    # -- layout --

    def _place(self, down):
        """Give each box a rectangle, and each variable a way through every layer that it passes."""
        layer = dict.fromkeys(self.boxes, 0)
        for step in self.steps:
            layer[step.outputs] = 1 + max((layer[self.box[x]] for x in step.variables), default=0)
        for x in self.uses:
            if x.step is None:  # an input stands just before its first use
                layer[self.box[x]] = min(layer[step.outputs] for step in self.steps if x in step.variables) - 1
        self.down = bool(down)
        self.way = {}
        for step in self.steps:
            for x in step.variables:
                between = [(x, k) for k in range(layer[self.box[x]] + 1, layer[step.outputs])]
                layer.update({item: item[1] for item in between})
                self.way[x, step] = [self.box[x], *between, step.outputs]
        gradients = {} if self.record is None else self.gradients(len(self.steps))
        self.size = {box: self._size(box, gradients) for box in self.boxes}
        room = {item: self.size[item][not self.down] + 22 if item in self.size else 26 for item in layer}
        layers = [[item for item in layer if layer[item] == k] for k in range(max(layer.values()) + 1)]
        label = LABEL * CHARACTER * (max(self.uses.values(), default=0) > 1)
        side, gap = (label / 2, GAP) if self.down else (0, max(GAP, label + MARGIN + 4))
        self.middle = {item: side + m for item, m in middles(layers, self.way.values(), room).items()}
        self.across = max(self.middle[item] + room[item] / 2 for item in layer) + side
        now, self.along = MARGIN, {}  # start and end of each item along the flow
        for items in layers:
            extent = max(self.size[item][self.down] for item in items if item in self.size)
            for item in items:
                self.along[item] = now, now + (self.size[item][self.down] if item in self.size else extent)
            now += extent + gap
        self.length = now - gap + MARGIN

    def _size(self, box, gradients):
        """Width and height of a box, with room for any number of four digits."""
        lines = [line for x in box for line in self._lines(x, gradients)]
        title = [self.formula(step) for step in {box[0].step} - {None}]
        width = max([*map(len, lines + title), *(len(self.name[x]) + 11 for x in box)])
        return width * CHARACTER + 12, len(lines + title) * LINE + 10

    def _lines(self, x, gradients):
        """The lines of a variable in its box."""
        return [*rows(self.name[x], x.value), *(rows(f"d{self.name[x]}", gradients[x]) if x in gradients else [])]

    # -- the picture --

    def picture(self, forward, back=-1, active=None):
        """The graph as SVG after so many steps forward and backward (-1: before it begins); one step may stand out."""
        gradients, parts = self.gradients(back), []
        for k, step in enumerate(self.steps):
            returned = self.record.returned[step] if k >= len(self.steps) - back else None
            parts += self._edges(step, k < forward, returned, step is active)
        parts.sort(key=lambda part: part.startswith("<text"))  # what is written lies on top of all lines
        for box in self.boxes:
            step = box[0].step
            parts += self._box(box, step is None or step in self.steps[:forward], gradients, step in {active} - {None})
        width, height = (self.across, self.length) if self.down else (self.length, self.across)
        size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
        ground = '<rect width="100%" height="100%" style="stroke:none"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style><defs>{MARKERS}</defs>{ground}'
        return "".join([head, *parts, "</svg>"])

    def _edges(self, step, seen, returned, active):
        """The lines into a step, and back from it; what comes back to a value that is used elsewhere too is written."""
        inputs = [k for k, x in enumerate(step.inputs) if isinstance(x, Variable)]
        inputs.sort(key=lambda k: self.middle[self.way[step.inputs[k], step][-2]])
        extent = self.size[step.outputs][not self.down]
        apart = 0.9 * extent / max(2, len(inputs))
        for rank, k in enumerate(inputs):
            x = step.inputs[k]
            start, *between, end = self.way[x, step]
            port = self.middle[end] + (rank - (len(inputs) - 1) / 2) * apart
            points = [(self.along[start][1], self._out(x))]
            points += [(place, self.middle[item]) for item in between for place in self.along[item]]
            points += [(self.along[end][0], port)]
            kind = "w" if not seen else "a" if active and returned is None else "f"
            yield f'<path class="{kind}" d="{self._curve(points, 0)}"' + ' marker-end="url(#f)"' * seen + "/>"
            if returned is None:
                continue
            yield f'<path class="b{" a" * active}" d="{self._curve(points, 6)}" marker-start="url(#r)"/>'
            if self.uses[x] > 1 and len(say(returned[k])) <= LABEL:
                first = (
                    rank == 0 and len(inputs) > 1
                )  # written outside of the lines: before the first, behind the others
                left, top = self._point(self.along[end][0] - 12, port + (-7 if first else 12))
                anchor, below = ("end" if first else "start", -16 * first) if self.down else ("end", 0 if first else 10)
                yield text(left, top + below, say(returned[k]), "g", anchor)

    def _out(self, x):
        """Where across the flow the lines of a variable leave its box."""
        box = self.box[x]
        share = (box.index(x) + 0.5) / len(box) - 0.5
        return self.middle[box] + share * self.size[box][not self.down]

    def _point(self, along, across):
        return (across, along) if self.down else (along, across)

    def _curve(self, points, shift):
        """A smooth line through points that are given along and across the flow."""
        path = "M{:.0f} {:.0f}".format(*self._point(points[0][0], points[0][1] + shift))
        for (a, c), (b, d) in itertools.pairwise(points):
            bends = [((a + b) / 2, c), ((a + b) / 2, d), (b, d)]
            path += "C" + " ".join("{:.0f} {:.0f}".format(*self._point(p, q + shift)) for p, q in bends)
        return path

    def _box(self, box, seen, gradients, active):
        """A box with its title, and with its numbers as far as they are known."""
        width, height = self.size[box]
        left, top = self._point(self.along[box][0], self.middle[box] - self.size[box][not self.down] / 2)
        step, mark = box[0].step, " a" * active
        yield f'<rect class="{mark[1:]}" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}"/>'
        if step is not None:
            yield f'<rect class="t{mark}" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{LINE + 4}"/>'
            yield text(left + width / 2, top + LINE - 2, self.formula(step), "", "middle")
            top += LINE + 2
        for x in box:
            lines = [("v", line) for line in (rows(self.name[x], x.value) if seen else [])]
            lines += [("g", line) for line in self._lines(x, gradients)[len(rows(self.name[x], x.value)) :]]
            for kind, line in lines:
                top += LINE
                yield text(left + 6, top, line, kind)


def middles(layers, ways, room):
    """Where each item stands across the flow: near its neighbours, found by a few sweeps back and forth."""
    before, after, middle = {}, {}, {}
    for a, b in {pair: None for way in ways for pair in itertools.pairwise(way)}:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)

    def pack(layer, wish):
        """Set a layer in the order of what its items wish for, as near to that as their room allows."""
        edge = -np.inf
        order = sorted(layer, key=wish.get)
        for item in order:
            middle[item] = max(wish[item], edge + room[item] / 2)
            edge = middle[item] + room[item] / 2
        shift = np.mean([wish[item] - middle[item] for item in order])
        for item in order:
            middle[item] += shift

    for layer in layers:
        pack(layer, {item: float(k) for k, item in enumerate(layer)})
    sides = [[before], [after]] * 4 + [[before, after]] * 4
    for k, side in enumerate(sides):
        for layer in layers[:: 1 if k % 2 == 0 else -1]:
            near = {item: [n for neighbours in side for n in neighbours.get(item, [])] or [item] for item in layer}
            pack(layer, {item: np.mean([middle[n] for n in near[item]]) for item in layer})
    least = min(middle[item] - room[item] / 2 for item in middle)
    return {item: place - least for item, place in middle.items()}


def say(value):
    """A number or a small array in a few characters; of a large array its shape."""
    return _short(np.asarray(value) + 0.0)  # which turns -0 into 0


def assign(name, value):
    """A name with its value, and with its shape if it is an array."""
    return f"{name} = {say(value)}" + (f", shape {np.shape(value)}" if np.ndim(value) and np.size(value) <= 6 else "")


def factors(*values):
    """Numbers for a product or a sum: negative ones in brackets."""
    return [f"({word})" if word.startswith("-") else word for word in map(say, values)]


def rows(name, value):
    """The same in short lines, one for each row."""
    if np.ndim(value) == 0:
        return [f"{name} = {say(value)}"]
    if np.size(value) > 6:
        return [f"{name} {np.shape(value)}"]
    return [f"{name} {np.shape(value)}", *say(value).replace("], [", "],\n [").split("\n")]


def text(x, y, words, kind, anchor="start"):
    """A line of text in SVG."""
    anchor = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}"{anchor}>{html.escape(words)}</text>'
