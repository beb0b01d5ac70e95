"""Exercises of section 1.3.4."""

import numpy as np

from mlcore.teaching.practice import Exercise


class KeptForBackward(Exercise):
    r"""What must be kept?

    Which numbers must a node keep for its backward pass? Answer "nothing" (but shapes), "input" (one or both) or
    "output".

    - `add`: $z = x + y$;
    - `multiply`: $z = xy$;
    - `sum`: $y = \sum_i x_i$;
    - `repeat`: each row $n$ times;
    - `matmul`: $Y = XW$, where $W$ is the node's own;
    - `exp`: $y = e^x$, with one array as cheaply as possible.
    """

    level = "recall"
    hint = "Write down the local derivative. Which letters occur in it?"
    solution = {
        "add": "nothing",
        "multiply": "input",
        "sum": "nothing",
        "repeat": "nothing",
        "matmul": "input",
        "exp": "output",
    }
    worked = r"""
    The derivatives of sum, addition and repetition are constants: no value occurs in them. Each factor of a product is
    the derivative with respect to the other. $\partial L/\partial W = X^{\mathsf T}\, \partial L/\partial Y$ needs the
    input. The exponential is its own derivative, so the output is already what backward multiplies by; with the input
    it would have to be computed again.
    """
    same = dict(zip(solution, ["Nothing", "Input", "Nothing", "Nothing", "Input", "Output"], strict=True))
    wrong = {
        "Not every node needs its inputs: how does the slope of a sum depend on its terms?": solution
        | {"add": "input", "sum": "input", "repeat": "input"},
        "The derivative of the exponential is the exponential, and that has been computed.": solution
        | {"exp": "input"},
        'multiply: "output" is not right': solution | {"multiply": "output"},
    }


class WhereItHides(Exercise):
    r"""Where it hides

    Each line hides a node: "branch", "repeat", "sum" or "multiply". Which one?

    - `skip`: the two uses of `x` in `y = x + f(x)`;
    - `bias`: `b` of shape (3,) in `x + b`, where `x` has shape (8, 3);
    - `dropout`: `y = x * (rng.random(x.shape) > 0.5)`;
    - `bias_back`: `db = dout.sum(axis=0)`;
    - `tied`: one array `W` as the weights of two layers;
    - `scale`: the division in `loss = total / N`.
    """

    level = "recall"
    solution = {
        "skip": "branch",
        "bias": "repeat",
        "dropout": "multiply",
        "bias_back": "sum",
        "tied": "branch",
        "scale": "multiply",
    }
    worked = """
    Whatever is used twice under one name is a branch, whether an input or a weight. Broadcasting is a repeat, and its
    backward is a sum: the line of `bias_back` belongs to that of `bias`. A mask is a factor, and so is one over N.
    """
    same = dict(zip(solution, ["Branch", "Repeat", "Multiply", "Sum", "Branch", "Multiply"], strict=True))
    wrong = {
        "The backward of a repeat is its transpose, not a repeat.": solution | {"bias_back": "repeat"},
        "One W in two layers is one value that goes to two places.": solution | {"tied": "multiply"},
        'dropout: "branch" is not right': solution | {"dropout": "branch"},
    }


class ThreeUses(Exercise):
    r"""A value with three uses

    Let $f = xy + x\,(x + y)$ at $x = 2$, $y = -3$. Draw the graph: $p = xy$, $s = x + y$, $q = xs$, $f = p + q$. What
    comes back to $x$ from $p$, from $q$ and from $s$? And what are $\partial f/\partial x$ and $\partial f/\partial y$?
    """

    level = "by hand"
    hint = "Begin at f: its gradient is 1, and addition passes it on to p and q unchanged. What does s get from q?"
    solution = {
        "from_p": -3,
        "from_q": 2 + -3,
        "from_s": 2,
        "df_dx": -3 + (2 + -3) + 2,
        "df_dy": 2 + 2,
    }
    worked = r"""
    $p$ sends back the other factor, $y = -3$; $q$ sends $s = -1$ to $x$ and $x = 2$ to $s$; $s$ passes its 2 on to both
    of its terms. Together $\partial f/\partial x = -3 - 1 + 2 = -2$. To $y$ come 2 from $p$ and 2 from $s$: 4. (Check:
    $f = x^2 + 2xy$, so $2x + 2y = -2$ and $2x = 4$.)
    """
    same = {"from_p": -3.0, "from_q": -1.0, "from_s": 2.0, "df_dx": -2.0, "df_dy": 4.0}
    wrong = {
        "This is the last of the three alone; what comes back is added up.": solution | {"df_dx": 2},
        "The three are added, not averaged.": solution | {"df_dx": -2 / 3},
        "s is a sum: it passes on what it gets from q, and q multiplies by x.": solution
        | {"from_s": 1, "df_dx": -3, "df_dy": 3},
        "df_dy: ": solution | {"df_dy": 2},
    }


class ProductByHand(Exercise):
    r"""A product by hand

    $$
    X = \begin{pmatrix} 1 & 0 & 2 \\ 0 & 1 & -1 \end{pmatrix}, \quad
    W = \begin{pmatrix} 1 \\ -1 \\ 2 \end{pmatrix},
    $$

    $$
    \frac{\partial L}{\partial Y} = \begin{pmatrix} 1 \\ 10 \end{pmatrix} .
    $$

    What are $Y = XW$, `dX` and `dW`?
    """

    level = "by hand"
    hint = "dW has the shape of W. Each of its entries is a column of X times the column of the upstream gradient."
    solution = {
        "Y": [[1 * 1 + 2 * 2], [1 * -1 - 1 * 2]],
        "dX": [[1, -1, 2], [10, -10, 20]],
        "dW": [[1 * 1], [1 * 10], [2 * 1 - 1 * 10]],
    }
    worked = r"""
    Each row of `dX` is $W^{\mathsf T}$ times the gradient of its example: the second example matters ten times as much.
    `dW` adds over the examples what came in times what came back: $2 \cdot 1 + (-1) \cdot 10 = -8$ for the third input.
    """
    same = {"Y": [[5.0], [-3.0]], "dX": [[1, -1, 2], [10, -10, 20]], "dW": [[1], [10], [-8]]}
    wrong = {
        "the transpose": solution | {"dW": [[1, 10, -8]]},
        "dX is made of the upstream gradient and W; X does not occur in it.": solution
        | {"dX": [[1, 0, 2], [0, 10, -10]]},
        "dW: entry [2, 0] is 2, which is too large": solution | {"dW": [[1], [10], [2]]},
    }


class MemoryOfChain(Exercise):
    r"""What fits into memory?

    A chain of 10 pairs of a product and a sigmoid has 256 units in each layer and numbers of 4 bytes. The first input
    and the output of each sigmoid are kept for backward.

    - `activations`: the bytes kept for a batch of 64;
    - `weights`: the bytes of all weight matrices (no biases);
    - `batch`: the smallest batch for which the activations need more memory than the weights.
    """

    level = "by hand"
    hint = "How many arrays of shape (N, 256) are kept, and how many of shape (256, 256)?"
    solution = {
        "activations": 4 * 64 * 256 * (10 + 1),
        "weights": 4 * 256 * 256 * 10,
        "batch": 256 * 10 // 11 + 1,
    }
    worked = r"""
    Eleven arrays of shape (64, 256) are 720,896 bytes, ten of shape (256, 256) are 2,621,440. The activations grow with
    the batch, $4 \cdot 256 \cdot 11 = 11{,}264$ bytes for each example, and $2{,}621{,}440 / 11{,}264 = 232.7$: from
    233 examples on they take more.
    """
    same = {"activations": 720896.0, "weights": 2621440.0, "batch": 233.0}
    wrong = {
        "The first input is kept too, since the first product needs it.": solution | {"activations": 4 * 64 * 256 * 10},
        "2 times too large": solution | {"activations": 8 * 64 * 256 * 11},
        "Neither 232 nor a fraction: the activations must need more memory than the weights.": solution
        | {"batch": 232},
    }


class BackwardAlongTape(Exercise):
    r"""The whole of backpropagation

    A tape lists the steps of a calculation in the order in which they ran: the name of the output, and for each input
    its name and the local derivative. `[("p", [("a", 4), ("b", 3)]), ("L", [("p", 1), ("a", 1)])]` is $p = ab$,
    $L = p + a$ at $a = 3$, $b = 4$. Return the derivatives of `output` with respect to every name, in a dict.
    """

    level = "implement"
    hint = "Go through the tape from its end. What is the derivative of the output with respect to itself?"
    inputs = [
        ([("p", [("a", 4), ("b", 3)]), ("L", [("p", 1), ("a", 1)])], "L"),
        ([("b", [("a", 1), ("a", 1)]), ("c", [("b", 1), ("b", 1)])], "c"),
        ([("u", [("x", 4.0)]), ("v", [("x", 3.0), ("u", 0.5)]), ("L", [("u", 6.0), ("v", -2.0)])], "L"),
    ]

    def solution(tape, output):
        """Return a dict: the derivative of `output` with respect to every name on the tape."""
        grad = {output: 1.0}
        for out, uses in reversed(tape):
            for name, local in uses:
                grad[name] = grad.get(name, 0.0) + grad[out] * local
        return grad

    worked = """
    When the sweep arrives at a step, it has passed all uses of its output, so `grad[out]` is complete. Each use adds
    upstream times local; `get(name, 0.0)` is what has come back so far. Six lines, for any graph in which every value
    leads to the output.
    """

    def same(tape, output):
        uses = [(name, out, local) for out, inputs in tape for name, local in inputs]

        def slope(x):
            return 1.0 if x == output else sum(local * slope(out) for name, out, local in uses if name == x)

        return {name: slope(name) for name in [output, *(name for name, _, _ in uses)]}

    def overwriting(tape, output):
        grad = {output: 1.0}
        for out, uses in reversed(tape):
            for name, local in uses:
                grad[name] = grad[out] * local
        return grad

    def without_upstream(tape, output):
        grad = {output: 1.0}
        for _, uses in reversed(tape):
            for name, local in uses:
                grad[name] = grad.get(name, 0.0) + local
        return grad

    def from_the_start(tape, output):
        grad = {output: 1.0}
        for out, uses in tape:
            for name, local in uses:
                grad[name] = grad.get(name, 0.0) + grad.get(out, 0.0) * local
        return grad

    wrong = {
        "One use of a value overwrites the others: what comes back has to be added up.": overwriting,
        "The local derivative is only one factor: what comes from upstream is the other.": without_upstream,
        "At the start of the tape no upstream gradient is known yet: begin at its end.": from_the_start,
    }


class UndoBroadcasting(Exercise):
    r"""Undo the broadcasting

    Write the helper that every node with two inputs needs. An input of shape `shape` was broadcast to the shape of the
    output. Given the gradient with respect to the broadcast copy, return that with respect to the input itself.
    """

    level = "implement"
    hint = "NumPy adds axes on the left, and repeats axes of length 1. Over which axes must you sum?"
    inputs = [
        (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (3,)),
        (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (2, 1)),
        (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (2, 3)),
        (np.array([1.0, 2.0, 4.0]), ()),
        (np.arange(24.0).reshape(2, 4, 3), (1, 3)),
        (np.arange(24.0).reshape(2, 4, 3), (4, 1)),
        (np.arange(24.0).reshape(2, 4, 3), (2, 1, 1)),
    ]

    def solution(gradient, shape):
        """Return the gradient with respect to an input that was broadcast from this shape."""
        new = gradient.ndim - len(shape)
        repeated = [new + i for i, n in enumerate(shape) if n == 1]
        return gradient.sum(axis=(*range(new), *repeated)).reshape(shape)

    worked = """
    An entry that was repeated was used in several places, so its gradient is the sum over them. The repeated axes are
    those that NumPy has added on the left, and those that had length 1; the `reshape` brings the latter back.
    """

    def same(gradient, shape):
        while gradient.ndim > len(shape):
            gradient = gradient.sum(axis=0)
        for axis, n in enumerate(shape):
            if n < gradient.shape[axis]:
                gradient = gradient.sum(axis=axis, keepdims=True)
        return gradient

    def averaged(gradient, shape):
        total = UndoBroadcasting.solution(gradient, shape)
        return total * total.size / gradient.size

    wrong = {
        "Each copy counts in full: add up, do not average.": averaged,
        "is a sum missing": lambda gradient, shape: gradient.sum(axis=tuple(range(gradient.ndim - len(shape)))),
        "Cutting off the excess keeps some of the numbers and drops the others.": (
            lambda gradient, shape: gradient.ravel()[: int(np.prod(shape))].reshape(shape)
        ),
    }


class MeanAlongAxis(Exercise):
    r"""A node for the mean

    Write the node that takes the mean over `axis`, which stays as an axis of length 1, for inputs with any number of
    axes.
    """

    level = "implement"
    hint = "A mean is a sum times 1/n. What does each of the two do to the upstream gradient?"
    inputs = [
        (0, np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]])),
        (1, np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]])),
        (-1, np.arange(24.0).reshape(2, 3, 4)),
    ]

    class solution:
        """The mean over `axis`, which stays as an axis of length 1."""

        def __init__(self, axis):
            self.axis = axis

        def forward(self, x):
            """Return the mean; remember the shape of x."""
            self.shape = x.shape
            return x.mean(axis=self.axis, keepdims=True)

        def backward(self, dy):
            """Return the gradient with respect to x."""
            n = self.shape[self.axis]
            return np.repeat(dy, n, axis=self.axis) / n

    worked = r"""
    Sum's backward repeats, and the factor $1/n$ stays a factor. Nothing but the shape is kept: the slope of a mean does
    not depend on its terms.
    """

    class same(solution):
        def backward(self, dy):
            return np.zeros(self.shape) + dy / self.shape[self.axis]

    class undivided(solution):
        def backward(self, dy):
            return np.repeat(dy, self.shape[self.axis], axis=self.axis)

    class too_often(solution):
        def backward(self, dy):
            return np.zeros(self.shape) + dy / np.prod(self.shape)

    class axis_lost(solution):
        def forward(self, x):
            self.shape = x.shape
            return x.mean(axis=self.axis)

    wrong = {
        "This is the backward of a sum: where is the factor of the mean?": undivided,
        "Divide by the number of terms in one mean, not by the size of the array.": too_often,
        "the shape is (2,), but (1, 2) is expected": axis_lost,
    }


class SumOfEachRow(Exercise):
    r"""It works for square inputs

    This node adds up each row of a matrix. For square matrices it runs, for others it stops with an error. Find the
    fault and fix the backward pass. (Is it right for square matrices?)
    """

    level = "debug"
    hint = "dy has shape (N,). Along which axis does NumPy repeat it?"
    inputs = [
        (np.array([[1.0, 2.0], [3.0, 4.0]]),),
        (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),),
        (np.array([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]]),),
    ]

    class given:
        """The sum of each row: (N, D) to (N,)."""

        def forward(self, x):
            self.shape = x.shape
            return x.sum(axis=1)

        def backward(self, dy):
            return np.zeros(self.shape) + dy

    class solution:
        """The sum of each row: (N, D) to (N,)."""

        def forward(self, x):
            self.shape = x.shape
            return x.sum(axis=1)

        def backward(self, dy):
            return np.zeros(self.shape) + dy[:, np.newaxis]

    worked = """
    NumPy reads a vector as a row. So the gradient of the *first row's* sum went down the first *column*: for a square
    matrix the result is the transpose of the right one, without any error. A kept axis of length 1 says where to
    repeat; that is why `Sum` keeps it.
    """

    class same(given):
        def backward(self, dy):
            return np.outer(dy, np.ones(self.shape[1]))

    class shaped(given):
        def backward(self, dy):
            return np.repeat(dy, self.shape[1]).reshape(self.shape[::-1]).T

    class shared_out(solution):
        def backward(self, dy):
            return super().backward(dy) / self.shape[1]

    wrong = {
        "the gradient of x: it is transposed": given,
        "The right shape, but the numbers run along the wrong axis.": shaped,
        "Each term moves the sum in full: nothing is divided.": shared_out,
    }


class ResidualBlock(Exercise):
    r"""The forgotten way

    A block of a deep network computes $y = x + \max(0, xW)$. Its `grads[0]` is right; but deep networks made of it
    train no better than networks without the skip connection. Find the fault and fix it.
    """

    level = "debug"
    hint = "How many times is x used in the forward pass?"
    inputs = [
        (np.array([[1.0, -2.0], [0.5, 2.0]]), np.array([[1.0, 2.0], [-1.0, 1.0], [3.0, 1.0]])),
        (np.array([[0.2]]), np.array([[1.5], [-1.0]])),
    ]

    class given:
        """The block y = x + max(0, x W)."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x, self.h = x.copy(), x @ self.params[0]
            return x + np.maximum(0, self.h)

        def backward(self, dout):
            dh = dout * (self.h > 0)
            self.grads[0][...] = self.x.T @ dh
            return dh @ self.params[0].T

    class solution:
        """The block y = x + max(0, x W)."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x, self.h = x.copy(), x @ self.params[0]
            return x + np.maximum(0, self.h)

        def backward(self, dout):
            dh = dout * (self.h > 0)
            self.grads[0][...] = self.x.T @ dh
            return dout + dh @ self.params[0].T

    worked = """
    x goes two ways, so two gradients come back and are added. The addition passes `dout` unchanged to the skip
    connection: along this way the gradient reaches the first layers of a deep network undiminished, and that is what
    the connection is for.
    """

    class same(given):
        def backward(self, dout):
            dx = dout.copy()
            dx += super().backward(dout)
            return dx

    class halved(given):
        def backward(self, dout):
            return (dout + super().backward(dout)) / 2

    class skip_only(given):
        def backward(self, dout):
            super().backward(dout)
            return dout

    wrong = {
        "the gradient of x: for W = ": given,
        "A branch does not halve: what comes back is added.": halved,
        "Now the way through W is missing.": skip_only,
    }


class WeightUsedTwice(Exercise):
    r"""One weight, two steps

    A recurrent network uses the same weights at every step; this one makes two steps, $h = xW$ and $y = hW$. The
    gradient of $W$ is wrong, that of $x$ is right. Find the fault and fix it. Batches follow one another: after each
    `backward`, `grads` must hold the gradient of its own batch, and nothing of an earlier one.
    """

    level = "debug"
    hint = "The array W is used twice, so it is a branch. What does the second assignment do to the first?"
    inputs = [
        (np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, -1.0], [2.0, 1.0], [0.0, 3.0]])),
        (np.array([[2.0]]), np.array([[1.0], [3.0]])),
    ]

    class given:
        """Two steps with the same weights: y = (x W) W."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x, self.h = x.copy(), x @ self.params[0]
            return self.h @ self.params[0]

        def backward(self, dout):
            self.grads[0][...] = self.h.T @ dout
            dh = dout @ self.params[0].T
            self.grads[0][...] = self.x.T @ dh
            return dh @ self.params[0].T

    class solution:
        """Two steps with the same weights: y = (x W) W."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x, self.h = x.copy(), x @ self.params[0]
            return self.h @ self.params[0]

        def backward(self, dout):
            self.grads[0][...] = self.h.T @ dout
            dh = dout @ self.params[0].T
            self.grads[0] += self.x.T @ dh
            return dh @ self.params[0].T

    worked = """
    Both uses send a gradient back to W, and the second overwrote the first. Within one backward pass they add up
    (`+=`); between two passes they do not, so the first assignment stays `=`. With `+=` in both places the gradient of
    the batch before would still be in there.
    """

    class same(given):
        def backward(self, dout):
            dh = dout @ self.params[0].T
            self.grads[0][...] = self.x.T @ dh + self.h.T @ dout
            return dh @ self.params[0].T

    class never_cleared(given):
        def backward(self, dout):
            dh = dout @ self.params[0].T
            self.grads[0] += self.x.T @ dh + self.h.T @ dout
            return dh @ self.params[0].T

    class wrong_input(given):
        def backward(self, dout):
            dh = dout @ self.params[0].T
            self.grads[0][...] = self.h.T @ dout + self.h.T @ dh
            return dh @ self.params[0].T

    wrong = {
        "grads[0]: for W = ": given,
        "The gradient of the batch before is still in there.": never_cleared,
        "The first step used x, not h.": wrong_input,
    }


class KeepTheValues(Exercise):
    r"""Yesterday's values

    A program reads every batch into the same array, to save memory. This product works until that happens between
    forward and backward. Find the fault and fix it.
    """

    level = "debug"
    hint = "What does `self.y = y` store: six numbers, or a second name for an array?"
    inputs = [
        (np.array([1.0, 2.0]), np.array([3.0, 4.0])),
        (np.array([[1.0, -1.0, 0.5]]), np.array([[2.0, 5.0, -4.0]])),
    ]

    @classmethod
    def run(cls, answer, x, y):
        """As usual, but between forward and backward the caller reads other numbers into its arrays."""

        class Program:
            def __init__(self):
                self.node = answer()

            def forward(self, x, y):
                mine, yours = x.copy(), y.copy()
                z = self.node.forward(mine, yours)
                x[...], y[...] = mine, yours  # should forward have changed its arguments, it is seen
                mine[...], yours[...] = 7.0, 9.0
                return z

            def backward(self, dz):
                return self.node.backward(dz)

        return super().run(Program, x, y)

    class given:
        """The product of two arrays of one shape."""

        def forward(self, x, y):
            self.x, self.y = x, y
            return x * y

        def backward(self, dz):
            return dz * self.y, dz * self.x

    class solution:
        """The product of two arrays of one shape."""

        def forward(self, x, y):
            self.x, self.y = x.copy(), y.copy()
            return x * y

        def backward(self, dz):
            return dz * self.y, dz * self.x

    worked = """
    An assignment only stores a name. When the caller writes into its array, the node sees the new numbers, and the
    product is differentiated at a point where it was never computed. A copy costs memory, but it is safe.
    """

    class same(solution):
        def forward(self, x, y):
            self.x, self.y = np.array(x), np.array(y)
            return self.x * self.y

    class sliced(given):
        def forward(self, x, y):
            return super().forward(x[:], y[:])

    class one_of_two(given):
        def forward(self, x, y):
            return super().forward(x, y.copy())

    wrong = {
        "the gradient of x: for x = ": sliced,
        "the gradient of y: ": one_of_two,
    }


class TwoNamesOneArray(Exercise):
    r"""Two names, one array

    The formula of this addition is right, and every gradient check passes. In a network with skip connections, where
    gradients are added up in place, its results are wrong. Find the fault and fix it.
    """

    level = "debug"
    hint = "How many arrays does backward return, and whose are they?"
    inputs = [
        (np.array([1.0, 2.0]), np.array([3.0, 4.0])),
        (np.array([[1.0, -1.0, 0.5]]), np.array([[2.0, 5.0, -4.0]])),
    ]

    @classmethod
    def run(cls, answer, x, y):
        """As usual, but then the network adds to the gradient of x in place, and scales that of y."""

        class Network:
            def __init__(self):
                self.node = answer()

            def forward(self, x, y):
                return self.node.forward(x, y)

            def backward(self, dz):
                dx, dy = self.node.backward(dz)
                dx += 5
                dy *= 2
                return dx, dy

        return super().run(Network, x, y)

    class given:
        """The sum of two arrays of one shape."""

        def forward(self, x, y):
            return x + y

        def backward(self, dz):
            return dz, dz

    class solution:
        """The sum of two arrays of one shape."""

        def forward(self, x, y):
            return x + y

        def backward(self, dz):
            return dz.copy(), dz.copy()

    worked = """
    `return dz, dz` hands out one array under two names, and it is the caller's array as well. A gradient check adds
    nothing in place, so it notices nothing. Return arrays that nobody else holds.
    """

    class same(given):
        def backward(self, dz):
            return dz + 0, 1 * dz

    class one_copy(given):
        def backward(self, dz):
            return dz, dz.copy()

    class shared_copy(given):
        def backward(self, dz):
            dz = dz.copy()
            return dz, dz

    wrong = {
        "the gradient of x: 2 times too large": given,
        "One of the two is still the caller's own array.": one_copy,
        "One copy under two names is still one array.": shared_copy,
    }


class UnseenGradient(Exercise):
    r"""Nothing is learned

    The optimizer collects the gradients of all layers once, before the first step, in a list of its own. With this
    layer the weights never move. Find the fault and fix it.
    """

    level = "debug"
    hint = "Which array does the optimizer hold: the old one, or the new one?"
    inputs = [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0]])),
        (np.array([[1.0, 2.0, 3.0]]), np.array([[2.0], [0.5]])),
    ]

    class given:
        """The product x @ W."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x = x.copy()
            return x @ self.params[0]

        def backward(self, dout):
            self.grads[0] = self.x.T @ dout
            return dout @ self.params[0].T

    class solution:
        """The product x @ W."""

        def __init__(self, W):
            self.params, self.grads = [W], [np.zeros_like(W)]

        def forward(self, x):
            self.x = x.copy()
            return x @ self.params[0]

        def backward(self, dout):
            self.grads[0][...] = self.x.T @ dout
            return dout @ self.params[0].T

    worked = """
    `grads[0] = ...` puts another array into the layer's list, and the optimizer goes on reading the zeros of the old
    one. `grads[0][...] = ...` writes the numbers into the array that both hold.
    """

    class same(given):
        def backward(self, dout):
            np.matmul(self.x.T, dout, out=self.grads[0])
            return dout @ self.params[0].T

    class silent(given):
        def backward(self, dout):
            np.matmul(self.x.T, dout, out=self.grads[0])

    class growing(given):
        def backward(self, dout):
            self.grads[0] += self.x.T @ dout
            return dout @ self.params[0].T

    class empty(given):
        def backward(self, dout):
            self.grads[0].fill(0)
            self.grads[0] = self.grads[0] + self.x.T @ dout
            return dout @ self.params[0].T

    wrong = {
        "Added in place, the gradients of all batches pile up.": growing,
        "grads[0]: zero everywhere": empty,
        "The optimizer's array is right now; backward must also return the gradient of the input.": silent,
    }


class RowsOfTable(Exercise):
    r"""Rows of a table

    A language model looks its words up: `y = W[words]`, with a row of `W` for each word of the vocabulary. A word may
    occur several times. Return the gradient with respect to `W`, of shape (rows, D), from the upstream gradient `dy`,
    which has one row for each place in the text.
    """

    level = "transfer"
    hint = "A row that is looked up twice is a branch. And what does `dW[[0, 0]] += 1` do?"
    inputs = [
        (np.array([0, 2]), np.array([[1.0, 2.0], [3.0, 4.0]]), 3),
        (np.array([1, 1, 1]), np.array([[1.0, 2.0], [30.0, 40.0], [500.0, 600.0]]), 2),
        (np.array([3, 0, 3, 1]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [1.0, 1.0, 1.0]]), 5),
    ]

    def solution(words, dy, rows):
        """Return the gradient with respect to W (rows, D); dy is that with respect to y = W[words]."""
        dW = np.zeros((rows, dy.shape[1]))
        np.add.at(dW, words, dy)
        return dW

    worked = """
    Looking up is a branch for every row that occurs more than once, so its gradients add up; rows that do not occur get
    zero. `dW[words] += dy` is not enough: NumPy reads all rows first and then writes them back, so of a repeated word
    only the last gradient is left. `np.add.at` adds one after the other.
    """

    def same(words, dy, rows):
        return np.eye(rows)[words].T @ dy

    def buffered(words, dy, rows):
        dW = np.zeros((rows, dy.shape[1]))
        dW[words] += dy
        return dW

    def averaged(words, dy, rows):
        counts = np.bincount(words, minlength=rows)
        return np.eye(rows)[words].T @ dy / np.maximum(counts, 1)[:, np.newaxis]

    wrong = {
        "Of a word that occurs twice only one gradient is left.": buffered,
        "What comes back to a row is added up, not averaged.": averaged,
        "the shape is (2, 2), but (3, 2) is expected": lambda words, dy, rows: dy,
    }


class RunningTotal(Exercise):
    r"""The transpose of a running total

    The node `y = np.cumsum(x, axis=0)` is linear: $y_n = x_0 + \dots + x_n$ for each column. Write it with its backward
    pass, without building a matrix of weights.
    """

    level = "transfer"
    hint = "In which of the outputs does the first row of x occur, and in which the last?"
    inputs = [
        (np.array([[1.0], [2.0], [4.0]]),),
        (np.array([[1.0, -1.0], [0.5, 2.0], [3.0, 1.0], [0.0, 1.0]]),),
        (np.array([[5.0, 6.0]]),),
    ]

    class solution:
        """The running total down each column."""

        def forward(self, x):
            """Return y."""
            return np.cumsum(x, axis=0)

        def backward(self, dy):
            """Return the gradient with respect to x."""
            return np.cumsum(dy[::-1], axis=0)[::-1]

    worked = r"""
    $x_i$ occurs in $y_i$ and in all that follow, so $\partial L/\partial x_i = \sum_{n \ge i} \partial L/\partial y_n$:
    a running total from the end. As a matrix, forward has ones on and below the diagonal, backward on and above it.
    The node keeps nothing, not even a shape.
    """

    class same:
        def forward(self, x):
            return np.tril(np.ones((len(x), len(x)))) @ x

        def backward(self, dy):
            return np.triu(np.ones((len(dy), len(dy)))) @ dy

    class not_transposed(solution):
        def backward(self, dy):
            return np.cumsum(dy, axis=0)

    class all_of_them(solution):
        def backward(self, dy):
            return np.zeros_like(dy) + dy.sum(axis=0)

    class shifted(solution):
        def backward(self, dy):
            return super().backward(dy) - dy

    wrong = {
        "This is the node itself; backward is its transpose.": not_transposed,
        "The last row of x occurs in one output only.": all_of_them,
        "Each row occurs in the output of the same index too.": shifted,
    }


class ForgetAndCompute(Exercise):
    r"""Forget, and compute again

    A chain of 64 layers is too deep for the memory. So forward keeps only every $k$-th activation. Backward takes one
    block of $k$ layers at a time: it computes the block's $k$ activations again, goes back through them, and discards
    them. At the worst moment $64/k + k$ arrays are kept.

    - `arrays`: how many are kept for $k = 4$?
    - `best`: for which divisor $k$ of 64 are they fewest?
    - `saving`: how many times fewer are these than the 64 arrays that are usually kept?
    - `passes`: how many forward passes through the chain does a training step then take in all?
    """

    level = "transfer"
    hint = "Try k = 2, 4, 8, 16. And how often is each layer computed forward?"
    solution = {
        "arrays": 64 // 4 + 4,
        "best": 8,
        "saving": 64 / (64 / 8 + 8),
        "passes": 2,
    }
    worked = r"""
    $64/k + k$ is 34, 20, 16, 20 for $k = 2, 4, 8, 16$: least at $k = \sqrt{64}$. Four times less memory costs one more
    forward pass, since each layer is computed once on the way forward and once again in its block. Memory then grows
    with the square root of the depth. Libraries call it checkpointing.
    """
    same = {"arrays": 20.0, "best": 8.0, "saving": 4, "passes": 2.0}
    wrong = {
        "These are the blocks alone; one of them is also filled again.": solution | {"arrays": 16},
        "With k = 4 there are 16 + 4: can the two parts be better balanced?": solution | {"best": 4, "saving": 3.2},
        "passes: ": solution | {"passes": 8},
    }


class SlopesAtKink(Exercise):
    r"""Slopes at a kink

    At a kink a convex function has no derivative, but every slope of a line that touches its graph from below is a
    *subgradient*. What is the smallest, and what the largest subgradient of

    - $\max(x, 0)$ at 0: `relu`, a pair;
    - $|x|$ at 0: `size`, a pair;
    - $\max(0, 1 - x)$ at 1: `hinge`, a pair?

    And if the slope of every ReLU at 0 is taken as 0, what does backward give at 0

    - for $\operatorname{relu}(x) - \operatorname{relu}(-x)$, which is $x$: `identity`;
    - for $\operatorname{relu}(x) + \operatorname{relu}(-x)$, which is $|x|$: `sum_of_two`?
    """

    level = "recall"
    hint = "The slope from the left and the slope from the right are the two ends."
    solution = {"relu": (0, 1), "size": (-1, 1), "hinge": (-1, 0), "identity": 0, "sum_of_two": 0}
    worked = r"""
    The ends are the slopes on either side of the kink. With 0 at the kink both ReLUs send back nothing. For $|x|$ that
    is one of the allowed slopes. For $x$, whose slope is 1 everywhere, it is wrong: a rule for each node gives a
    derivative of the whole only where all nodes have one. It does no harm where inputs of exactly 0 are rare.
    """
    same = {"relu": (0.0, 1.0), "size": (-1.0, 1.0), "hinge": (-1.0, 0.0), "identity": 0.0, "sum_of_two": 0.0}
    wrong = {
        "To the left of its kink the hinge falls, and to the right it is flat.": solution | {"hinge": (0, 1)},
        "Both terms are ReLUs at 0, and both send back 0.": solution | {"identity": 1},
        "size": solution | {"size": (0, 1)},
    }


class FiveWaysBack(Exercise):
    r"""Five ways back

    Let $b = 2a$, $c = b + a$ and $L = bc$ at $a = 2$. A value adds what comes back to its gradient (`+=`). What
    is $\partial L/\partial a$

    - `right`: in reverse topological order;
    - `breadth_first`: in the order $L, b, c, a$;
    - `recursive`: if each value sends back what it has, and then its inputs do the same, in the order written;
    - `second`: after a second backward in the right order, with nothing cleared but $L$, which starts from 1 again;
    - `second_cleared`: the same, but $b$ and $c$ are cleared in between?
    """

    level = "by hand"
    hint = "b is 4 and c is 6. To b come 6 from L and 4 from c."
    solution = {
        "right": 4 + 2 * (6 + 4),
        "breadth_first": 2 * 6 + 4,
        "recursive": 2 * 6 + 4 + 2 * (6 + 4),
        "second": 24 + 8 + 2 * (10 + 6 + 8),
        "second_cleared": 2 * 24,
    }
    worked = r"""
    *Right*: $c$ gets 4 and sends 4 to $b$ and to $a$; $b$ then holds 10 and sends 20: 24. (Check: $L = 6a^2$.)
    *Breadth first*, $b$ passes on its 6 before the 4 arrives: $12 + 4$. *Recursive*, $b$ has its turn twice, first with
    6 and then with 10: $12 + 4 + 20$. *Second*: $c$ now holds 8, $b$ holds $10 + 6 + 8 = 24$, and $a$ gets $8 + 48$ on
    top of its 24. With $b$ and $c$ cleared it is the sum of two passes.
    """
    same = {"right": 24.0, "breadth_first": 16.0, "recursive": 36.0, "second": 80.0, "second_cleared": 48.0}
    wrong = {
        "The old gradients of b and c are sent back once more.": solution | {"second": 48},
        "What came too late from c must not be counted.": solution | {"breadth_first": 24},
        "b has its turn twice, and the second time it holds 10.": solution | {"recursive": 24},
        "second_cleared: ": solution | {"second_cleared": 24},
    }


class TopologicalOrder(Exercise):
    r"""A topological order

    A graph is a dict: for each value the list of the values from which it is computed (none for an input). Return a
    list of all values that `last` needs, itself included, each once and after everything from which it is computed. If
    there is no such order, because there is a cycle among them, raise a ValueError.
    """

    level = "implement"
    hint = (
        "Depth first: visit the inputs, then append the value. Which values have been begun and are not yet finished?"
    )
    inputs = [
        ({"a": [], "b": ["a"], "c": ["b"], "L": ["b", "c"]}, "L"),
        ({"a": [], "b": ["a"], "c": ["b"], "L": ["c", "b"]}, "L"),
        ({"x": [], "y": ["x", "x"], "z": ["y"], "unused": ["y", "z"]}, "y"),
        ({"x": []}, "x"),
        ({"p": ["q"], "q": ["r"], "r": ["p"], "L": ["x", "p"], "x": []}, "L"),
        ({"h": ["h", "x"], "x": []}, "h"),
        ({"L": ["d", "a"], "d": ["b", "c"], "c": ["a", "b"], "b": ["a"], "a": []}, "L"),
        ({"L": ["x"], "x": [], "loop": ["loop"]}, "L"),
    ]

    @classmethod
    def run(cls, answer, graph, last):
        """What the order holds, and which values come too early; there may be several right orders."""
        order = answer(graph, last)
        if not isinstance(order, (list, tuple)):
            return order
        place = {v: i for i, v in reversed(list(enumerate(order)))}
        early = [v for v in place for x in graph[v] if place.get(x, len(order)) >= place[v]]
        return {"the values": sorted(order), "those before one of their inputs": sorted(set(early))}

    def solution(graph, last):
        """Return all values that `last` needs, each after those from which it is computed."""
        order, begun = [], set()

        def visit(v):
            if v in order:
                return
            if v in begun:
                raise ValueError(f"{v} depends on itself")
            begun.add(v)
            for x in graph[v]:
                visit(x)
            order.append(v)

        visit(last)
        return order

    worked = """
    The depth-first search appends a value when all its inputs are in the list. A value that is met again before it is
    finished depends on itself: a cycle. What `last` does not need is never visited, and a value that is used twice is
    appended once.
    """

    def same(graph, last):
        needed, waiting = set(), [last]
        while waiting:
            v = waiting.pop()
            if v not in needed:
                needed.add(v)
                waiting += graph[v]
        order = []
        while len(order) < len(needed):
            ready = [v for v in needed if v not in order and all(x in order for x in graph[v])]
            if not ready:
                raise ValueError("a cycle")
            order += ready
        return order

    def breadth_first(graph, last):
        found = [last]
        for v in found:
            if v in graph[v]:
                raise ValueError("a cycle")
            found += [x for x in dict.fromkeys(graph[v]) if x not in found]
        return found[::-1]

    def blind_to_cycles(graph, last):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for x in graph[v]:
                    visit(x)
                order.append(v)

        visit(last)
        return order

    def begun_is_a_cycle(graph, last):
        order, begun = [], set()

        def visit(v):
            if v in begun:
                raise ValueError("a cycle")
            begun.add(v)
            for x in graph[v]:
                visit(x)
            order.append(v)

        visit(last)
        return order

    wrong = {
        "Distance from the last value is no order: one path may be longer than another.": breadth_first,
        "On a cycle some value comes before its input: say so, by a ValueError.": blind_to_cycles,
        "A value that is used twice is met twice, and that is no cycle.": begun_is_a_cycle,
    }


class TieOfTwo(Exercise):
    r"""A tie

    This is the backward pass of $z = \max(x, y)$, element by element. It returns the gradients of x and of y. Where the
    two are equal, exactly one of them, x, should get the upstream gradient. The code passes every gradient check at
    random points, and is wrong. Find the fault.
    """

    level = "debug"
    hint = "Two equal inputs, 1 comes back: what do the two gradients add up to?"
    inputs = [
        (np.array([1.0, 10.0, 100.0]), np.array([2.0, 3.0, 5.0]), np.array([1.0, 3.0, 7.0])),
        (np.array([[-2.0, 0.5], [4.0, 3.0]]), np.array([[0.0, -1.0], [2.0, 8.0]]), np.array([[0.0, -2.0], [2.0, 9.0]])),
        (np.array([7.0, -3.0]), np.array([-5.0, -1.0]), np.array([-4.0, -2.0])),
    ]

    def given(dz, x, y):
        """Return the gradients of x and y for z = max(x, y)."""
        return dz * (x >= y), dz * (y >= x)

    def solution(dz, x, y):
        """Return the gradients of x and y for z = max(x, y); of equal ones, x gets all."""
        return dz * (x >= y), dz * (y > x)

    worked = r"""
    At a tie both comparisons hold, and the upstream gradient is sent back twice. If $x$ and $y$ move together, $z$
    moves with them, once; so the two slopes must add up to 1: all to one of them, or half to each. Random points have
    no ties, so a gradient check does not see it; after a ReLU, where many numbers are 0, ties are common.
    """

    def same(dz, x, y):
        first = np.where(x < y, 0, dz)
        return first, dz - first

    def to_y(dz, x, y):
        return dz * (x > y), dz * (y >= x)

    def to_nobody(dz, x, y):
        return dz * (x > y), dz * (y > x)

    def half_each(dz, x, y):
        return dz * ((x > y) + 0.5 * (x == y)), dz * ((y > x) + 0.5 * (x == y))

    def to_the_smaller(dz, x, y):
        return dz * (x <= y), dz * (x > y)

    wrong = {
        "At a tie the upstream gradient is sent back twice.": given,
        "Here the tie goes to y.": to_y,
        "At a tie nobody gets anything.": to_nobody,
        "Half to each would be a rule too, but x should get all.": half_each,
        "The larger one gets the gradient, not the smaller.": to_the_smaller,
    }
