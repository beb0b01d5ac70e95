"""Section 1.3.4: a computation graph that builds itself while an expression is computed.

A `Variable` is a value that knows which node it came from. Operators and `apply` run a node of `mlcore` forward and
return its output as another variable, so that writing an expression draws its graph; `backward` then visits the
nodes in the opposite order and adds up what comes back to each variable. There is no second set of nodes here::

    a, b = Variable(3.0, "a"), Variable(4.0, "b")
    y = a * b + a            # runs Multiply and Add forward
    y.backward()             # a.grad is 5, b.grad is 3
    y.draw()                 # the graph, with the numbers of this run (needs what the figures need)
    y.steps()                # the same, node by node: a player with slider and keys

Operators: ``+ - * / ** @``, with numbers and arrays as constants; methods ``sum``, ``repeat``, ``relu``, ``sigmoid``.
Everything else with `forward` and `backward`, such as a layer or a loss: ``apply(layer, x)``,
``apply(loss, scores, t)``.
"""

import itertools
import weakref
from collections import namedtuple

import numpy as np

from mlcore._checks import as_floating
from mlcore.contract import Node
from mlcore.layers import ReLU, Sigmoid
from mlcore.nodes import Add, MatMul, Multiply, Power, Repeat, Sum

_numbers = itertools.count()  # steps are numbered as they run, and nothing runs before its inputs are there

Record = namedtuple("Record", ["upstream", "returned", "accumulate"])  # of a backward: for each step what it sent back


class Operators:
    """What can be written with variables: each operator runs its node."""

    __array_ufunc__ = None  # so that `array + variable` asks the variable

    def _constant(self, other):
        """A plain number takes the float type of the variable that it meets."""
        return np.asarray(other, self.value.dtype) if type(other) in (int, float) else other

    def __add__(self, other):
        return apply(Add(), self, self._constant(other))

    def __radd__(self, other):
        return apply(Add(), self._constant(other), self)

    def __mul__(self, other):
        return apply(Multiply(), self, self._constant(other))

    def __rmul__(self, other):
        return apply(Multiply(), self._constant(other), self)

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return self + (-other if isinstance(other, (Variable, int, float)) else -as_floating("Variable", other))

    def __rsub__(self, other):
        return other + -self

    def __pow__(self, n):
        return apply(Power(n), self)

    def __truediv__(self, other):
        return self * (other if isinstance(other, Variable) else as_floating("Variable", self._constant(other))) ** -1.0

    def __rtruediv__(self, other):
        return other * self**-1.0

    def __matmul__(self, other):
        return apply(MatrixProduct(), self, other)

    def __rmatmul__(self, other):
        return apply(MatrixProduct(), other, self)

    def sum(self, axis=0):
        """Return the sum over an axis, which stays as an axis of length 1."""
        return apply(Sum(axis), self)

    def repeat(self, n, axis=0):
        """Return each slice along an axis n times in a row."""
        return apply(Repeat(n, axis), self)

    def relu(self):
        """Return the positive part."""
        return apply(ReLU(), self)

    def sigmoid(self):
        """Return the logistic sigmoid."""
        return apply(Sigmoid(), self)


class Variable(Operators):
    r"""A value in a computation graph.

    .. math:: \frac{\partial y}{\partial x} = \sum_{\text{uses } k \text{ of } x}
              \left( \frac{\partial y}{\partial x} \right)_{\!k}

    Arithmetic with variables gives variables. A variable never changes: for other values, write the expression again.

    Parameters
    ----------
    value : array_like
        A number or an array. It is copied; integers become float64.
    name : str, optional
        What the variable is called in pictures and texts; it may be set later.

    Attributes
    ----------
    value : ndarray
        The value, read-only.
    grad : ndarray or None
        After ``y.backward()`` the gradient of y with respect to this variable, if y was computed from it.
    step : object or None
        What made it: a node, its inputs and outputs; None for an input.

    Raises
    ------
    TypeError
        If a value does not hold real numbers.
    ValueError
        If shapes do not fit: the error is that of the node.

    Examples
    --------
    >>> a, b = Variable(3.0, "a"), Variable(4.0, "b")
    >>> y = a * b + a
    >>> y.backward()
    >>> print(y.value, a.grad, b.grad)
    15.0 5.0 3.0

    References
    ----------
    Section 1.3.4; the idea of a graph that grows with the expression, and the names, as in A. Karpathy's micrograd.
    """

    def __init__(self, value, name=""):
        self.value = np.array(as_floating("Variable", value))
        self.value.setflags(write=False)
        self.name, self.step, self.grad, self.record = name, None, None, None

    def __repr__(self):
        return f"Variable({self.value!r}, {self.name!r})"

    def topological_order(self):
        """Return the steps from which this variable was computed, each of them after those that it needs."""
        found, waiting = set(), [self]
        while waiting:
            step = waiting.pop().step
            if step is not None and step not in found:
                found.add(step)
                waiting += step.variables
        return sorted(found, key=lambda step: step.number)

    def backward(self, upstream=None, accumulate=True):
        """Set `grad` of every variable from which this one was computed, and of itself.

        Each backward needs its own forward, since nodes forget: a second one is refused, and leaves the gradients as
        they are. What an earlier backward, through another expression, left in `grad` is replaced and not added to.

        Parameters
        ----------
        upstream : array_like, optional
            The gradient of the loss with respect to this variable. It may be left out for a single number, which
            then is the loss.
        accumulate : bool, optional
            Whether the gradients of a value that is used more than once add up. False, where the last one wins, is
            wrong: it is there to be looked at.

        Raises
        ------
        ValueError
            If the upstream gradient has not the shape of the value, or an input that needs a gradient gets none.
        RuntimeError
            If a node has been gone back through, or has run forward again, since it computed this variable.
        """
        upstream, steps = self._checked_upstream(upstream), self.topological_order()
        for step in steps:
            step.check_memory()
        gradients, returned = {self: upstream}, {}
        for step in reversed(steps):
            returned[step] = step.send_back(gradients)
            for x, gradient in zip(step.inputs, returned[step], strict=False):
                if isinstance(x, Variable):
                    gradients[x] = gradients[x] + gradient if accumulate and x in gradients else np.array(gradient)
        for variable, gradient in gradients.items():
            variable.grad = gradient
        self.record = Record(upstream, returned, accumulate)

    def _checked_upstream(self, upstream):
        if upstream is None and self.value.size != 1:
            raise ValueError(
                f"Variable.backward: a value of shape {self.value.shape} is no single loss; give the upstream gradient"
            )
        upstream = as_floating("Variable.backward", np.ones_like(self.value) if upstream is None else upstream)
        if upstream.shape != self.value.shape:
            raise ValueError(f"Variable.backward: upstream has shape {upstream.shape}, expected {self.value.shape}")
        return upstream.astype(self.value.dtype)

    def __reduce__(self):
        """Copies and pickles hold the graph step by step, so that it may be as deep as it likes."""
        if self.step is None:
            return _leaf, (self.value, self.name, self.grad)
        steps = self.topological_order()
        place = {y: (i, k) for i, step in enumerate(steps) for k, y in enumerate(step.outputs)}
        rows = [step.row(place) for step in steps]
        record = self.record and self.record._replace(returned=[self.record.returned[step] for step in steps])
        return _rebuilt, (rows, place[self], record)

    def draw(self, down=None):
        """Return a picture of the graph with the values of its run, and after `backward` with the gradients.

        It needs what the figures need.

        Parameters
        ----------
        down : bool, optional
            Whether the graph runs down the page and not from left to right; by default if it is wider than a page.

        Returns
        -------
        Drawing
            Shows itself at the end of a notebook cell; `print` gives the same in words.
        """
        from mlcore.teaching.graph_drawing import Drawing

        return Drawing(self, down)

    def steps(self, down=None):
        """Return a player that goes forward node by node, then backward, and says the local rule of each.

        If `backward` has not been run, it is run. Parameters are those of `draw`.

        Returns
        -------
        Frames
            Shows itself at the end of a notebook cell.
        """
        from mlcore.teaching.graph_drawing import steps

        return steps(self, down)


class Step:
    """One run of a node: what went in, what came out, and which pass the node must still remember."""

    def __init__(self, node, inputs):
        self.node, self.inputs, self.number = node, inputs, next(_numbers)
        values = node.forward(*(x.value if isinstance(x, Variable) else x for x in inputs))
        if not isinstance(node, Node):  # one that promises nothing
            node._pass = object()
            values = tuple(map(np.array, values)) if isinstance(values, tuple) else np.array(values)
        self.memory = node._pass
        self.values = values if isinstance(values, tuple) else (values,)
        self._outputs = [lambda: None] * len(self.values)

    @property
    def outputs(self):
        """The variables that came out; a step does not keep them alive, since they do so with the step."""
        alive = tuple(ref() or self._output(value) for ref, value in zip(self._outputs, self.values, strict=True))
        self._outputs = [weakref.ref(y) for y in alive]
        return alive

    def _output(self, value):
        output = Variable(0.0)
        output.value, output.step = np.asarray(value), self
        output.value.setflags(write=False)
        return output

    @property
    def variables(self):
        """The inputs that are no constants."""
        return [x for x in self.inputs if isinstance(x, Variable)]

    def check_memory(self):
        """Raise a RuntimeError if the node does not remember this run any more."""
        if self.memory is None or self.node._pass is not self.memory:
            raise RuntimeError(
                f"Variable.backward: {type(self.node).__name__} does not remember this forward pass any more. Each "
                "backward needs its own forward, so write the expression again; and a node remembers the last pass "
                "only, so make two nodes that share their parameters instead of using one twice"
            )

    def send_back(self, gradients):
        """Return what the node sends back to each input; an output that nobody used has the gradient 0."""
        upstream = [gradients.get(y, np.zeros_like(y.value)) for y in self.outputs]
        returned = self.node.backward(*upstream)
        self.node._pass = None
        returned = returned if isinstance(returned, tuple) else (returned,)
        if any(isinstance(x, Variable) for x in self.inputs[len(returned) :]):
            raise ValueError(f"{type(self.node).__name__} has no gradient for one of its inputs: give that as an array")
        return returned

    def row(self, place):
        """What a copy is rebuilt from, with places in the graph instead of variables that a step made."""
        made = [place.get(x) if isinstance(x, Variable) else None for x in self.inputs]
        inputs = [(None, x) if at is None else (at, None) for at, x in zip(made, self.inputs, strict=True)]
        outputs = [(y.value, y.name, y.grad) for y in self.outputs]
        return self.node, inputs, outputs, self.memory is not None and self.node._pass is self.memory


class MatrixProduct(Node):
    """Matrix product of two inputs: :class:`MatMul`, whose W is a parameter, made anew for each W."""

    def forward(self, x, W):
        """Return x @ W."""
        self.node = MatMul(W)
        return self.node.forward(x)

    def backward(self, dout):
        """Return the gradients of x and W."""
        return self.node.backward(dout), self.node.grads[0]


def apply(node, *inputs):
    """Run a node forward on variables and constants, and remember how.

    Parameters
    ----------
    node : node, layer or loss
        Any object with `forward` and `backward`. It remembers one pass only, so each use needs an object of its own.
    *inputs : Variable or array_like
        The inputs of `forward`. Only variables get gradients.

    Returns
    -------
    Variable or tuple of Variable
        The output, or a tuple if there are several.

    Raises
    ------
    TypeError
        If `node` is no such object.

    Examples
    --------
    >>> from mlcore import SigmoidWithLoss
    >>> x = Variable([[0.0], [0.0]], "x")
    >>> loss = apply(SigmoidWithLoss(), x, [1, 0])
    >>> loss.backward()
    >>> x.grad
    array([[-0.25],
           [ 0.25]])

    References
    ----------
    Section 1.3.4.
    """
    if isinstance(node, type) or not (hasattr(node, "forward") and hasattr(node, "backward")):
        raise TypeError(f"apply: expected a node with forward and backward; got {node!r}")
    outputs = Step(node, inputs).outputs
    return outputs if len(outputs) > 1 else outputs[0]


def _leaf(value, name, grad):
    """An input of a graph that was copied."""
    x = Variable(value, name)
    x.grad = grad
    return x


def _rebuilt(rows, result, record):
    """The variable at the place `result` of a graph that was copied."""
    steps, made = [], []
    for node, inputs, outputs, remembered in rows:
        step = object.__new__(Step)
        step.node, step.number, step.memory = node, next(_numbers), node._pass if remembered else None
        step.inputs = tuple(x if at is None else made[at[0]][at[1]] for at, x in inputs)
        step.values, step._outputs = tuple(value for value, *_ in outputs), [lambda: None] * len(outputs)
        steps.append(step)
        made.append(step.outputs)
        for y, (_, name, grad) in zip(made[-1], outputs, strict=True):
            y.name, y.grad = name, grad
    y = made[result[0]][result[1]]
    y.record = record and record._replace(returned=dict(zip(steps, record.returned, strict=True)))
    return y
