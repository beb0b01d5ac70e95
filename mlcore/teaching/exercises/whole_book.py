"""A test of the whole book: exercises of all chapters, in mixed order."""

import numpy as np

from mlcore.teaching.practice import Exercise

PAGE = "1_6_test_of_the_whole_book_practice"
OPENING = """# 1.6 Practice: A Test of the Whole Book

Forty questions on the chapters 1.3.1 to 1.5. Their order is mixed on purpose: nothing tells you which chapter a
question comes from, so you have to choose the method as well as carry it out. Students who had practised mixed problems
did far better in a test a week later than those who had practised one kind at a time
([Rohrer and Taylor, 2007](../book/bibliography.md#rohrer-and-taylor-2007)).

Answer without looking back, with paper and pencil beside you. Numbers are to be right to three digits. A question takes
two to five minutes, all forty some two hours: take them ten at a time, on different days. Note the number of each
question that is not right at the first try. Every solution ends with the chapter to read again, and the table at the
end counts by chapter."""

LOSS = "[1.3.1](1_3_1_loss_function.ipynb)"
GRADIENT = "[1.3.2](1_3_2_gradient.ipynb)"
CHAIN = "[1.3.3](1_3_3_chain_rule.ipynb)"
GRAPH = "[1.3.4](1_3_4_computation_graph.ipynb)"
BACKWARD = "[1.3.5](1_3_5_backward_propagation.ipynb)"
UPDATE = "[1.3.6](1_3_6_updating_weights.ipynb)"
TOGETHER = "[1.4](1_4_putting_it_together.ipynb)"
PRACTICE = "[1.5](1_5_in_practice.ipynb)"

ROWS = np.array([[1.0, -2.0, 3.0], [4.0, 0.5, -1.0]])
OTHERS = np.array([[2.0, 1.0, -1.0], [-3.0, 2.5, 0.5]])
FOUR = np.array([[1.0, -2.0], [3.0, 5.0], [-4.0, 0.5], [2.0, -1.5]])


def height(w):
    """Half the squared distance from the origin."""
    return (w**2).sum() / 2


def valley(w):
    """x1² / 2 + 10 x2²."""
    return w[0] ** 2 / 2 + 10 * w[1] ** 2


class WhatGoesIn(Exercise):
    r"""What goes into the loss?

    A library's cross-entropy takes the log-softmax of its input itself. A network gives the scores `x`, several classes
    for each row. Which inputs lead to the right loss? Answer with `True` or `False`.

    - `a`: `x`
    - `b`: `softmax(x)`
    - `c`: `log_softmax(x)`
    - `d`: `x + 7`
    - `e`: `x / 2`
    """

    level = "recall"
    read_again = LOSS
    hint = "Which changes leave all differences of scores in a row as they are?"
    solution = {"a": True, "b": False, "c": True, "d": True, "e": False}
    worked = r"""
    Softmax depends on the differences of scores and on nothing else. (b) Probabilities lie between 0 and 1, so their
    differences are at most 1: the loss runs, and cannot come near 0. (c) Log-softmax subtracts one number from all
    scores of a row, their log-sum-exp; so does (d). Taken twice it changes nothing, which is why this slip is harmless
    and (b) is not. (e) halves all differences.
    """
    same = {"a": 1 == 1, "b": 0 == 1, "c": 1 == 1, "d": 1 == 1, "e": 0 == 1}
    wrong = {
        "Softmax twice: no score is then more than 1 above another.": solution | {"b": True},
        "How do log-softmax and the scores differ within one row?": solution | {"c": False},
        "e: True is not right": solution | {"e": True},
        "d: False is not right": solution | {"d": False},
    }


class ThreeLinks(Exercise):
    r"""Three links

    $L = \sqrt v$ with $v = u^2 + 9$ and $u = 2x$, at $x = 2$. Give the derivatives of $L$ with respect to $v$, $u$ and
    $x$, and the `change` of $L$ that they predict if $x$ grows by 0.01.
    """

    level = "by hand"
    read_again = CHAIN
    solution = {
        "dL_dv": 1 / (2 * np.sqrt(25)),
        "dL_du": 1 / (2 * np.sqrt(25)) * 2 * 4,
        "dL_dx": 1 / (2 * np.sqrt(25)) * 2 * 4 * 2,
        "change": 1 / (2 * np.sqrt(25)) * 2 * 4 * 2 * 0.01,
    }
    worked = r"""
    Forward: $u = 4$, $v = 25$, $L = 5$. Backward, each line the one before times one local derivative: $1/(2\sqrt v) =
    0.1$; times $2u = 8$ is 0.8; times 2 is 1.6. So a nudge of 0.01 changes $L$ by about 0.016.
    """
    same = {"dL_dv": 0.1, "dL_du": 0.8, "dL_dx": 1.6, "change": 0.016}
    wrong = {
        "The last link, $u = 2x$, has a derivative too.": solution | {"dL_dx": 0.8},
        "Each local derivative is taken at the value of the forward pass: here $u = 4$, not $x = 2$.": solution
        | {"dL_du": 0.4, "dL_dx": 0.8, "change": 0.008},
        "The derivative of a square root has the root in its denominator.": solution | {"dL_dv": 2.5},
        "change: ": solution | {"change": 1.6},
    }


class WhoseSteps(Exercise):
    r"""Whose steps are these?

    On an endless even slope the gradient is always 4. The learning rate is 0.1, the momentum 0.9, the other settings
    are the usual ones. These are the lengths of the first three steps, rounded. Whose are they: `"SGD"`, `"Momentum"`,
    `"AdaGrad"` or `"Adam"`?

    - `a`: 0.1, 0.071, 0.058
    - `b`: 0.4, 0.76, 1.084
    - `c`: 0.1, 0.1, 0.1
    - `d`: 0.4, 0.4, 0.4
    """

    level = "recall"
    read_again = UPDATE
    solution = {"a": "AdaGrad", "b": "Momentum", "c": "Adam", "d": "SGD"}
    worked = r"""
    (a) AdaGrad divides by the root of a growing sum: $0.1 \cdot 4/\sqrt{16\,t} = 0.1/\sqrt t$. (b) Momentum keeps 0.9
    of its step and adds 0.4. (c) Adam divides an average of gradients by the root of an average of squares: the size 4
    cancels. (d) Learning rate times gradient.
    """
    same = {"a": "adagrad", "b": "momentum", "c": "adam", "d": "sgd"}
    wrong = {
        "Whose sum of squares never forgets?": solution | {"a": "Adam", "c": "AdaGrad"},
        "The steps of plain SGD on an even slope are all equal.": solution | {"b": "SGD", "d": "Momentum"},
        'c: "SGD" is not right': solution | {"c": "SGD"},
    }


class DifferencesOfCube(Exercise):
    r"""Differences of a cube

    $f(x) = x^3$ at $x = 4$, with $h = 0.1$. Give the `forward` difference, the `central` difference, and the
    `derivative` itself.
    """

    level = "by hand"
    read_again = GRADIENT
    within = 1e-4
    hint = "$4.1^3 = 68.921$ and $3.9^3 = 59.319$."
    solution = {
        "forward": (4.1**3 - 4**3) / 0.1,
        "central": (4.1**3 - 3.9**3) / 0.2,
        "derivative": 3 * 4**2,
    }
    worked = r"""
    $(68.921 - 64)/0.1 = 49.21$ and $(68.921 - 59.319)/0.2 = 48.01$; the derivative is $3 \cdot 4^2 = 48$. The forward
    difference is off by about $\frac h2 f'' = 1.2$, the central one by $\frac{h^2}6 f''' = 0.01$.
    """
    same = {"forward": 49.21, "central": 48.01, "derivative": 48.0}
    wrong = {
        "From $x - h$ to $x + h$ it is $2h$.": solution | {"central": 96.02},
        "This is the backward difference, from $x - h$ to $x$.": solution | {"forward": 46.81},
        "central: ": solution | {"central": 48.0},
    }


class RowDots(Exercise):
    r"""A product for each row

    Write the node $y_n = \sum_d a_{nd}\, b_{nd}$, one number for each row of two arrays of shape (N, D). `backward`
    gets `dy` of shape (N,), and returns the gradients with respect to `a` and `b`.
    """

    level = "implement"
    read_again = GRAPH
    hint = "A sum repeats its upstream gradient; a product hands the other factor on."
    inputs = [(ROWS, OTHERS), (FOUR, FOUR[::-1].copy()), (ROWS[:, :2], OTHERS[:, 1:])]

    class solution:
        def forward(self, a, b):
            self.a, self.b = a, b
            return (a * b).sum(axis=1)

        def backward(self, dy):
            dy = dy[:, np.newaxis]
            return dy * self.b, dy * self.a

    worked = r"""
    Two nodes in one. Back through the sum, `dy[n]` goes to every place of row $n$: that is what the new axis does. Back
    through the product each factor gets it times the other. Without the new axis `dy * self.b` stops with an error, or
    worse, for N = D it runs, and multiplies columns.
    """

    class same:
        def forward(self, a, b):
            self.inputs = a, b
            return np.einsum("nd,nd->n", a, b)

        def backward(self, dy):
            return tuple((x.T * dy).T for x in self.inputs[::-1])

    class Swapped(same):
        def backward(self, dy):
            return tuple((x.T * dy).T for x in self.inputs)

    class OverColumns(same):
        def backward(self, dy):
            a, b = self.inputs
            return dy * b, dy * a

    class NoUpstream(same):
        def backward(self, dy):
            a, b = self.inputs
            return b.copy(), a.copy()

    class OfMatrices(same):
        def forward(self, a, b):
            self.inputs = a, b
            return a @ b.T

    wrong = {
        "The slope of a product with respect to one factor is the other factor.": Swapped,
        "could not be broadcast together": OverColumns,
        "The upstream gradient is missing: multiply by it.": NoUpstream,
        "is a sum missing, or did two arrays broadcast?": OfMatrices,
    }


class ImagesForWhat(Exercise):
    r"""Which images for what?

    The images are split into `"training"`, `"validation"` and `"test"`. Which part may be used to

    - `a`: compute the gradient of a step;
    - `b`: choose the learning rate;
    - `c`: compute the mean and standard deviation by which *all* inputs are scaled;
    - `d`: decide after which epoch to stop;
    - `e`: find the accuracy that you report?
    """

    level = "recall"
    read_again = TOGETHER
    hint = "What has been used to decide anything no longer says what happens on new images."
    solution = {"a": "training", "b": "validation", "c": "training", "d": "validation", "e": "test"}
    worked = """
    What is learned from images, parameters or the numbers that scale the inputs, is learned from the training part.
    Choices between trained networks (b, d) need images that none of them has been trained on. And since a choice
    favours the images it was made with, the number that is reported comes from a part that has decided nothing.
    """
    same = {"a": "Training", "b": "Validation", "c": "Training", "d": "Validation", "e": "Test"}
    wrong = {
        "Who stops when the test accuracy is best has made a choice with the test images.": solution | {"d": "test"},
        "The scaling is part of what is learned, and must not see the other images.": solution | {"c": "test"},
        "On the training images the rate that overfits most looks best.": solution | {"b": "training"},
        'e: "validation" is not right': solution | {"e": "validation"},
    }


class ReluByHand(Exercise):
    r"""A network with ReLU, by hand

    One example $x = (2, 1)$, no biases: $z = x W$, $h = \max(0, z)$, $s = h \cdot w$, $L = \frac12 (s - t)^2$ with

    $$W = \begin{pmatrix} 1 & -1 \\ -1 & 1 \end{pmatrix}, \quad w = (3, 5), \quad t = -1.$$

    Give the `loss` and its gradients with respect to $w$ (`dw`), $W$ (`dW`) and $x$ (`dx`).
    """

    level = "by hand"
    read_again = BACKWARD
    solution = {
        "loss": (3 + 1) ** 2 / 2,
        "dw": [(3 + 1) * 1, 0],
        "dW": np.outer([2, 1], [(3 + 1) * 3, 0]),
        "dx": [12, -12],
    }
    worked = r"""
    Forward: $z = (1, -1)$, $h = (1, 0)$, $s = 3$, $L = 8$. Backward: $\partial L/\partial s = s - t = 4$;
    $\partial L/\partial w = 4h = (4, 0)$; $\partial L/\partial h = 4w = (12, 20)$; the second unit is off, so
    $\partial L/\partial z = (12, 0)$. Then $\partial L/\partial W = x^{\mathsf T} (12, 0)$, with rows $(24, 0)$ and
    $(12, 0)$, and $\partial L/\partial x = (12, 0)\, W^{\mathsf T} = (12, -12)$.
    """
    same = {"loss": 8.0, "dw": (4, 0), "dW": [[24.0, 0], [12, 0]], "dx": (12.0, -12)}
    wrong = {
        "The second unit is off: nothing goes back through it.": solution
        | {"dW": np.array([[24, 40], [12, 20]]), "dx": [-8, 8]},
        "dW: it is transposed": solution | {"dW": np.array([[24, 12], [0, 0]])},
        "dw: 3 times too large": solution | {"dw": [12, 0]},
        "loss: 2 times too large": solution | {"loss": 16},
    }


class ClipThenDecay(Exercise):
    r"""Clip, then step

    The weights $w = (2, -1)$ have the gradient $(6, 8)$. It is clipped to a norm of 5. Then SGD with a learning rate of
    0.1 and *decoupled* weight decay $\lambda = 0.5$ makes one step. Give the `norm` before clipping, the `clipped`
    gradient, and the weights `after` the step.
    """

    level = "by hand"
    read_again = PRACTICE
    solution = {
        "norm": np.hypot(6, 8),
        "clipped": np.array([6, 8]) * 5 / 10,
        "after": (1 - 0.1 * 0.5) * np.array([2, -1]) - 0.1 * np.array([3, 4]),
    }
    worked = r"""
    The norm is 10, so the whole gradient is halved: $(3, 4)$. The decay shrinks the weights by the factor $1 - 0.1
    \cdot 0.5 = 0.95$, to $(1.9, -0.95)$; the step subtracts $(0.3, 0.4)$. Result: $(1.6, -1.35)$. The decay is not
    clipped: it is no part of the gradient.
    """
    same = {"norm": 10, "clipped": (3, 4), "after": (1.6, -1.35)}
    wrong = {
        "This clips each entry by itself, and turns the gradient.": solution | {"clipped": np.array([5, 5])},
        "The decay in one step is the learning rate times lambda.": solution | {"after": np.array([0.7, -0.9])},
        "Where is the decay?": solution | {"after": np.array([1.7, -1.4])},
        "clipped: 2 times too large": solution | {"clipped": np.array([6, 8])},
    }


class LogOfZero(Exercise):
    r"""The logarithm of nothing

    This function returns the logarithms of the softmax of each row. It never overflows. Yet for the scores (1000, 0) it
    returns $(0, -\infty)$. Find the fault, and put it right.
    """

    level = "debug"
    read_again = LOSS
    inputs = [
        (np.array([[1000.0, 0.0], [0.0, 1.0]]),),
        (np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]]),),
        (np.array([[-2000.0, 3.0, 1.0], [-1e4, -1e4, -1e4], [0.0, 40.0, 20.0]]),),
    ]

    def given(x):
        """Return the log-softmax of the rows of x (N, C)."""
        y = np.exp(x - x.max(axis=1, keepdims=True))
        y /= y.sum(axis=1, keepdims=True)
        return np.log(y)

    def solution(x):
        """Return the log-softmax of the rows of x (N, C)."""
        shifted = x - x.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    worked = r"""
    $e^{-1000}$ is rounded to 0, and its logarithm is gone for good. But it is known before the exponential is taken:
    $\log y_k = x_k - \operatorname{lse}(x)$. Only the sum is exponentiated, and after the shift one of its terms is 1,
    so its logarithm is finite.
    """

    def same(x):
        return x - np.logaddexp.reduce(x, axis=1)[:, np.newaxis]

    def with_epsilon(x):
        y = np.exp(x - x.max(axis=1, keepdims=True))
        return np.log(y / y.sum(axis=1, keepdims=True) + 1e-7)

    def unshifted(x):
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))

    def over_all(x):
        return x - np.logaddexp.reduce(x, axis=None)

    wrong = {
        "A small number beside the probability changes all logarithms, and caps them.": with_epsilon,
        "overflow": unshifted,
        "Each row has a sum of its own.": over_all,
    }


class OrderBack(Exercise):
    r"""In which order back?

    $p = xy$, $q = p + x$, $r = \sin p$, $L = q\,r$. Backward visits each node once, and a node may be visited when its
    gradient is complete. Which orders are right? Answer with `True` or `False`.

    - `a`: L, q, r, p
    - `b`: L, r, q, p
    - `c`: L, q, p, r
    - `d`: p, q, r, L
    """

    level = "recall"
    read_again = GRAPH
    hint = "From which nodes does $p$ collect its gradient?"
    solution = {"a": True, "b": True, "c": False, "d": False}
    worked = """
    Any order in which a node comes after all nodes that use it: the reverse of a topological order. p is used by q and
    by r, so both must have been visited before it; between those two there is no arrow, and either may come first. In
    (c) p would hand on half of its gradient, and (d) is an order for forward.
    """
    same = {"a": 1 == 1, "b": 1 == 1, "c": 0 == 1, "d": 0 == 1}
    wrong = {
        "When p is visited here, what comes from r has not arrived.": solution | {"c": True},
        "Between q and r there is no arrow.": solution | {"b": False},
        "d: True is not right": solution | {"d": True},
    }


class ThreeFourFive(Exercise):
    r"""First 3, then 4

    A weight has the gradient 3 in the first step and 4 in the second. The learning rate is 0.1, and $\epsilon$ may be
    neglected. How long are both steps of `adagrad`, and both of `rmsprop` with $\rho = 0.9$? All averages and sums
    start at 0.
    """

    level = "by hand"
    read_again = UPDATE
    hint = "The squares are 9 and 16."
    solution = {
        "adagrad": [0.1 * 3 / np.sqrt(9), 0.1 * 4 / np.sqrt(9 + 16)],
        "rmsprop": [0.1 * 3 / np.sqrt(0.1 * 9), 0.1 * 4 / np.sqrt(0.9 * 0.9 + 0.1 * 16)],
    }
    worked = r"""
    AdaGrad: the sum of squares is 9, then 25; $0.1 \cdot 3/3 = 0.1$ and $0.1 \cdot 4/5 = 0.08$. RMSprop: the average is
    $0.1 \cdot 9 = 0.9$, then $0.9 \cdot 0.9 + 0.1 \cdot 16 = 2.41$; $0.3/\sqrt{0.9} = 0.316$ and $0.4/\sqrt{2.41} =
    0.258$. The first is long because the average starts at 0 and is not corrected.
    """
    same = {"adagrad": (0.1, 0.08), "rmsprop": (0.316, 0.258)}
    wrong = {
        "The present gradient counts too, in the sum by which it is divided.": solution | {"adagrad": [0.1, 0.4 / 3]},
        "AdaGrad adds the squares up; without the first one every step would be 0.1.": solution
        | {"adagrad": [0.1, 0.1]},
        "This is corrected as in Adam; RMSprop does not do that.": solution
        | {"rmsprop": [0.1, 0.4 / np.sqrt(2.41 / 0.19)]},
        "rmsprop: ": solution | {"rmsprop": [0.3 / 0.9, 0.4 / 2.41]},
    }


class KindsOfDifferentiation(Exercise):
    r"""Three ways to a derivative

    What is described: `"symbolic"`, `"numerical"` or `"automatic"` differentiation?

    - `a`: the function is called twice at neighbouring points.
    - `b`: one formula is turned into another, which may be much longer.
    - `c`: the program runs, and the chain rule is applied to the values of each of its operations.
    - `d`: below a certain step the result becomes worse.
    - `e`: all derivatives of a loss with respect to a million weights cost a few forward passes.
    """

    level = "recall"
    read_again = CHAIN
    solution = {"a": "numerical", "b": "symbolic", "c": "automatic", "d": "numerical", "e": "automatic"}
    worked = """
    Numerical differentiation (a, d) treats the function as a black box and divides a small difference, full of rounding
    error, by a small step; for a million weights it needs a million calls. Symbolic (b) works on formulas, without
    values. Automatic (c, e) works on values, one operation at a time, exact up to rounding; its reverse mode is
    backpropagation.
    """
    same = {"a": "Numerical", "b": "Symbolic", "c": "Automatic", "d": "Numerical", "e": "Automatic"}
    wrong = {
        "Automatic differentiation works on values; it never writes a formula of the derivative.": solution
        | {"b": "automatic", "c": "symbolic"},
        "One call for each weight would be a million calls.": solution | {"e": "numerical"},
        'd: "automatic" is not right': solution | {"d": "automatic"},
    }


class ThereAndBack(Exercise):
    r"""The wrong gate

    A layer for $y = \max(0, x)$. It passes a gradient check in which all upstream gradients are 1; yet
    networks with it learn badly. Find the fault, and put it right.
    """

    level = "debug"
    read_again = BACKWARD
    inputs = [(ROWS,), (FOUR,), (np.array([-1.0, 2.0, 3.0, -0.5, 0.25]),)]

    class given:
        def forward(self, x):
            self.y = np.maximum(0, x)
            return self.y

        def backward(self, dout):
            return np.maximum(0, dout) * (self.y > 0)

    class solution:
        def forward(self, x):
            self.positive = x > 0
            return np.maximum(0, x)

        def backward(self, dout):
            return dout * self.positive

    worked = """
    What is blocked on the way back depends on the *input* of the forward pass, not on the sign of the upstream
    gradient: a negative gradient passes through an open unit like any other. So forward has to remember which entries
    were positive.
    """

    class same:
        def forward(self, x):
            self.x = x.copy()
            return x * (x > 0)

        def backward(self, dout):
            return np.where(self.x > 0, dout, 0)

    class UpstreamGate(same):
        def backward(self, dout):
            return np.maximum(0, dout)

    class OfInput(same):
        def backward(self, dout):
            return dout * np.maximum(0, self.x)

    class Closed(same):
        def backward(self, dout):
            return np.where(self.x > 0, 0, dout)

    wrong = {
        "A negative upstream gradient passes an open unit like a positive one.": given,
        "Whether a unit is open is decided by its input.": UpstreamGate,
        "The slope of an open unit is 1, whatever its input.": OfInput,
        "This lets through what it should block.": Closed,
    }


class OneScore(Exercise):
    r"""One score

    A network with one score gives $x = \log 3$. Give, with a binary cross-entropy, the probability `p` of "yes", the
    `loss` and its `slope` with respect to the score if the answer is yes ($t = 1$), and the loss `otherwise` ($t = 0$).
    """

    level = "by hand"
    read_again = LOSS
    hint = "The score is the logarithm of the odds."
    solution = {"p": 3 / (3 + 1), "loss": -np.log(3 / 4), "slope": 3 / 4 - 1, "otherwise": -np.log(1 / 4)}
    worked = r"""
    The odds are $e^x = 3$ to 1, so $p = 3/4$. The loss is $-\log p = 0.288$, its slope $p - t = -0.25$: the score is to
    rise. If the answer is no, the loss is $-\log(1 - p) = \log 4 = 1.386$, larger by just the score.
    """
    same = {"p": 0.75, "loss": 0.288, "slope": -0.25, "otherwise": 1.386}
    wrong = {
        "These are the odds; the probability is odds / (odds + 1).": solution | {"p": 3.0},
        "slope: the sign is wrong": solution | {"slope": 0.25},
        "The slope of the sigmoid does not stand in $p - t$: it has cancelled.": solution | {"slope": -0.25 * 0.1875},
        "is the logarithm natural?": solution | {"loss": -np.log10(3 / 4)},
    }


class HarmlessZeros(Exercise):
    r"""Harmless zeros

    Which parameters may start at 0, so that the network can still learn what its architecture allows? Answer with
    `True` (harmless) or `False`. What is not named starts at random.

    - `a`: all biases;
    - `b`: the weights of a linear classifier, one affine layer and softmax;
    - `c`: all weights and biases of a network with one hidden layer of sigmoids;
    - `d`: the weights of the *last* of its two layers only;
    - `e`: weights and biases of the *first* layer, if the hidden units are ReLUs.
    """

    level = "recall"
    read_again = f"{BACKWARD} and {PRACTICE}"
    hint = "Ask of each: do two units ever get different gradients, and does any gradient go back at all?"
    solution = {"a": True, "b": True, "c": False, "d": True, "e": False}
    worked = r"""
    (a) The weights already tell the units apart. (b) Each class gets a gradient of its own, $x^{\mathsf T}(y - t)$:
    there are no units that could be twins. (c) All hidden units get the same input, the same output weights and so the
    same gradient for ever. (d) In the first step the first layer gets no gradient; but the hidden values differ, so the
    last layer moves, and from then on both learn. (e) All units are at 0, where `x > 0` is false: no gradient of a
    weight will ever be other than 0.
    """
    same = {"a": 1 == 1, "b": 1 == 1, "c": 0 == 1, "d": 1 == 1, "e": 0 == 1}
    wrong = {
        "Equal units with equal gradients stay equal.": solution | {"c": True},
        "Which gradient is not zero in the first step, that of the first layer or of the last?": solution
        | {"d": False},
        "b: False is not right": solution | {"b": False},
        "Units that are 0 for every input send nothing back, and have nothing to send on.": solution | {"e": True},
    }


class HalveUntilLower(Exercise):
    r"""Halve until it is lower

    Write a function that finds a learning rate for one step from `w` against the gradient `g`: it tries `lr`, `lr / 2`,
    `lr / 4` and so on, and returns the first rate for which the step ends *lower* than it began.
    """

    level = "implement"
    read_again = GRADIENT
    inputs = [
        (height, np.array([1.0, -2.0]), np.array([1.0, -2.0]), 2.0),
        (height, np.array([1.0, -2.0]), np.array([1.0, -2.0]), 0.3),
        (valley, np.array([10.0, 1.0]), np.array([10.0, 20.0]), 1.0),
        (valley, np.array([0.0, 2.0]), np.array([0.0, 40.0]), 3.2),
    ]

    def solution(f, w, g, lr):
        """Return the first of lr, lr / 2, lr / 4, ... with which a step from w lowers f."""
        while f(w - lr * g) >= f(w):
            lr /= 2
        return lr

    worked = r"""
    Where the gradient of a smooth function is not zero, a small enough step against it goes down, so the loop ends. As
    high as before is not lower, hence `>=`: with $\eta = 2/\lambda$ a step in a parabola lands exactly as high on the
    other side. Libraries ask for a little more than "lower", and call it backtracking.
    """

    def same(f, w, g, lr):
        rates = [lr * 0.5**k for k in range(60)]
        return next(rate for rate in rates if f(w - rate * g) - f(w) < 0)

    def as_high(f, w, g, lr):
        while f(w - lr * g) > f(w):
            lr /= 2
        return lr

    def halved_first(f, w, g, lr):
        lr /= 2
        while f(w - lr * g) >= f(w):
            lr /= 2
        return lr

    def once(f, w, g, lr):
        return lr / 2 if f(w - lr * g) >= f(w) else lr

    def point(f, w, g, lr):
        while f(w - lr * g) >= f(w):
            lr /= 2
        return w - lr * g

    wrong = {
        "A step that ends as high as it began is not lower.": as_high,
        "The first rate to try is `lr` itself.": halved_first,
        "One halving need not be enough.": once,
        "expected a number, but got an array of shape (2,)": point,
    }


class LazyClassifier(Exercise):
    r"""Better than nothing?

    In a confusion matrix, entry $(i, j)$ counts examples of class $i$ that were taken for class $j$:

    $$\begin{pmatrix} 80 & 10 \\ 4 & 6 \end{pmatrix}$$

    Give the `accuracy`, the accuracy of a `lazy` classifier that always says the more frequent class, and the share of
    the examples of the `rare` class that is recognised.
    """

    level = "by hand"
    read_again = TOGETHER
    solution = {"accuracy": (80 + 6) / 100, "lazy": (80 + 10) / 100, "rare": 6 / (4 + 6)}
    worked = """
    Right are the 80 + 6 on the diagonal, of 100: 0.86. Class 0 has 90 examples, so always saying 0 is right in
    90 %: the network is worse, by accuracy. But of the 10 examples of class 1 it finds 6, the lazy one none. A single
    percentage says little where classes are unequal.
    """
    same = {"accuracy": 0.86, "lazy": 0.9, "rare": 0.6}
    wrong = {
        "The examples of a class stand in its row; this is the share of a column.": solution | {"rare": 6 / 16},
        "How many examples has class 0? Those in its row.": solution | {"lazy": 0.84},
        "accuracy: ": solution | {"accuracy": 0.8},
    }


class ThreeGates(Exercise):
    r"""Three gates

    At the inputs 2 and 5 a node gets the upstream gradient 6. What does it send back to the first and to the second
    input, if it is `add`, `multiply`, `maximum` or `subtract` (the first minus the second)?
    """

    level = "by hand"
    read_again = GRAPH
    solution = {
        "add": [6, 6],
        "multiply": [6 * 5, 6 * 2],
        "maximum": [0, 6],
        "subtract": [6, -6],
    }
    worked = """
    Addition hands the gradient to both; multiplication times the *other* input; the maximum only to the input that won,
    5; and subtraction turns the sign for the second, since a larger second input lowers the result.
    """
    same = {"add": (6, 6), "multiply": (30, 12), "maximum": (0, 6), "subtract": (6.0, -6.0)}
    wrong = {
        "multiply: the right numbers, but in another order": solution | {"multiply": [12, 30]},
        "Addition does not divide its gradient: each input moves the sum as much as itself.": solution
        | {"add": [3, 3]},
        "A small nudge of the smaller input does not move the maximum.": solution | {"maximum": [6, 6]},
        "subtract: ": solution | {"subtract": [6, 6]},
    }


class FrozenLayers(Exercise):
    r"""Frozen layers

    A trained network of four affine layers, a sigmoid between each two, gets a new task. Only the *third* affine layer
    is to be trained; the others stay as they are. Which of these must be computed in a step? Answer with `True` or
    `False`.

    - `a`: the output of the first affine layer;
    - `b`: the gradient with respect to the weights of the fourth affine layer;
    - `c`: the gradient with respect to the input of the fourth affine layer;
    - `d`: the gradient with respect to the weights of the third;
    - `e`: the gradient with respect to the input of the third;
    - `f`: the gradient back through the sigmoid between the first and the second.
    """

    level = "transfer"
    read_again = f"{CHAIN} and {BACKWARD}"
    hint = "Draw the layers in a row, and the way from the loss to the weights that are trained."
    solution = {"a": True, "b": False, "c": True, "d": True, "e": False, "f": False}
    worked = """
    Forward has to run through all layers. Backward has to get from the loss to the third layer: through the loss, the
    *input* of the fourth layer and the last sigmoid; there it computes the gradients of weights and biases, and ends.
    What lies before it needs no gradient at all, which is why training only late layers is cheap.
    """
    same = {"a": 1 == 1, "b": 0 == 1, "c": 1 == 1, "d": 1 == 1, "e": 0 == 1, "f": 0 == 1}
    wrong = {
        "A frozen layer still lies on the way back: what comes before it needs the gradient of its input.": solution
        | {"c": False},
        "Nothing before the third layer is trained, so nothing there needs a gradient.": solution
        | {"e": True, "f": True},
        "b: True is not right": solution | {"b": True},
        "a: False is not right": solution | {"a": False},
    }


class LinesOfDecay(Exercise):
    r"""What kind of decay?

    `adam(w, g)` makes one step of Adam with the gradient `g`, in place; `g` is the gradient of the data alone. Is each
    of these a step with an `"L2"` penalty, with `"decoupled"` weight decay, or with `"neither"`?

    - `a`: `adam(w, g + decay * w)`
    - `b`: `w *= 1 - lr * decay; adam(w, g)`
    - `c`: `adam(w, (1 - decay) * g)`
    - `d`: `adam(w, g); loss += decay / 2 * (w**2).sum()`
    """

    level = "recall"
    read_again = PRACTICE
    solution = {"a": "L2", "b": "decoupled", "c": "neither", "d": "neither"}
    worked = r"""
    (a) The penalty $\frac\lambda2 \sum w^2$ has the gradient $\lambda w$, and Adam divides it by the size of the
    gradients like the rest. (b) The weights shrink beside Adam's step: AdamW. (c) Adam does not notice a constant
    factor in its gradients. (d) Adding the price to the number that is printed changes no gradient, and so no weight.
    """
    same = {"a": "l2", "b": "Decoupled", "c": "Neither", "d": "Neither"}
    wrong = {
        "Decoupled means: Adam's averages never see the decay.": solution | {"a": "decoupled", "b": "L2"},
        "Does any weight move differently because of this?": solution | {"d": "L2"},
        'c: "decoupled" is not right': solution | {"c": "decoupled"},
    }


class DividePairs(Exercise):
    r"""Divide two pairs

    In forward mode each number carries its slope: a pair (value, slope). Write the division of two pairs, and return
    the pair of the quotient.
    """

    level = "implement"
    read_again = CHAIN
    inputs = [((6.0, 1.0), (2.0, 3.0)), ((3.0, -1.0), (-4.0, 2.0)), ((0.0, 5.0), (5.0, 1.0)), ((7.0, 2.0), (-0.5, 4.0))]

    def solution(a, b):
        """Return the pair of the quotient of the pairs a and b."""
        (x, dx), (y, dy) = a, b
        return x / y, (dx * y - x * dy) / y**2

    worked = r"""
    The two ways in which the quotient moves: through $x$ at the rate $1/y$, through $y$ at the rate $-x/y^2$. Each is
    multiplied by the slope of its number, and both are added: $x'/y - x\,y'/y^2$. A program that does this for
    every operation carries the derivative along with the value.
    """

    def same(a, b):
        quotient = a[0] / b[0]
        return [quotient, (a[1] - quotient * b[1]) / b[0]]

    def each_alone(a, b):
        return a[0] / b[0], a[1] / b[1]

    def like_a_product(a, b):
        (x, dx), (y, dy) = a, b
        return x / y, (dx * y + x * dy) / y**2

    def no_square(a, b):
        (x, dx), (y, dy) = a, b
        return x / y, (dx * y - x * dy) / y

    wrong = {
        "The slope of a quotient is not the quotient of the slopes.": each_alone,
        "A larger denominator makes the quotient smaller: one sign is negative.": like_a_product,
        "The denominator of the slope is squared.": no_square,
        "The order of the two products decides the sign.": lambda a, b: (
            a[0] / b[0],
            (a[0] * b[1] - a[1] * b[0]) / b[0] ** 2,
        ),
    }


class HalfTheStep(Exercise):
    r"""Half the step

    By which factor does each error change if the step $h$ of a numerical derivative is halved? Think of steps at which
    this error is the larger one: the truncation error of the `forward` difference, that of the `central` difference,
    and the `rounding` error of either.
    """

    level = "recall"
    read_again = GRADIENT
    solution = {"forward": 1 / 2, "central": 1 / 4, "rounding": 2}
    worked = r"""
    The truncation errors are $\frac h2 f''$ and $\frac{h^2}6 f'''$, so a half and a quarter. The rounding error of the
    values of $f$, about $\epsilon\,|f|$, is divided by $h$: it doubles. Hence the best step lies in between, and a
    larger one for the central difference.
    """
    same = {"forward": 0.5, "central": 0.25, "rounding": 2.0}
    wrong = {
        "The symmetric formula cancels the term with $h$; what is left goes with its square.": solution
        | {"central": 0.5},
        "The same rounding error is divided by a smaller step.": solution | {"rounding": 0.5},
        "forward: 2 times too small": solution | {"forward": 0.25},
    }


class Coasting(Exercise):
    r"""Coasting

    Momentum with $\eta = 0.1$ and $\mu = 0.8$ has gone down an endless slope with gradient 1 for a long time. How long
    is its `step`? Now the ground becomes level, gradient 0: how long is the `next` step, and how far does it still move
    in all (`coast`)?
    """

    level = "by hand"
    read_again = UPDATE
    hint = r"$\mu + \mu^2 + \mu^3 + \dots = \mu/(1 - \mu)$."
    solution = {"step": 0.1 / (1 - 0.8), "next": 0.8 * 0.1 / (1 - 0.8), "coast": 0.1 / (1 - 0.8) * 0.8 / (1 - 0.8)}
    worked = r"""
    The step settles where $v = 0.8\,v + 0.1$, at $\eta/(1-\mu) = 0.5$, five times that of SGD. On level ground it is
    multiplied by 0.8 each time: $0.4 + 0.32 + \dots = 0.5 \cdot 0.8/0.2 = 2$, four more of the old steps. That carries
    it over flat places, and past the minimum.
    """
    same = {"step": 0.5, "next": 0.4, "coast": 2.0}
    wrong = {
        "This is the step of plain SGD; the old velocity is added.": solution | {"step": 0.1},
        "The last step on the slope is not counted: it is over.": solution | {"coast": 2.5},
        "Without a gradient the velocity is not gone: 0.8 of it is left.": solution | {"next": 0.0, "coast": 0.0},
        "coast: ": solution | {"coast": 0.4},
    }


class LossOrMetric(Exercise):
    r"""Why not the accuracy?

    We want a high accuracy. Why is a network trained on the cross-entropy and not directly on the accuracy?

    - `"a"`: The accuracy is to be large, and gradient descent can only make something small.
    - `"b"`: The accuracy can be computed for the whole data set only, not for a batch.
    - `"c"`: The gradient of the accuracy is zero almost everywhere.
    - `"d"`: The accuracy needs the test images.
    """

    level = "recall"
    read_again = LOSS
    solution = "c"
    worked = """
    A small change of a weight changes the scores a little, and nearly always changes no decision: the accuracy is a
    staircase, level almost everywhere, with jumps where it has no derivative. The cross-entropy changes with every
    score. (a) A minus sign would do. (b, d) It is a mean over whichever examples one takes.
    """
    same = "C"
    wrong = {
        "A minus sign in front would settle that.": "a",
        "It is the share of right answers among any examples, also among 32.": "b",
        '"d" is not right': "d",
    }


class ShapesBack(Exercise):
    r"""Shapes on the way back

    A network with 8 inputs, 5 hidden units and 3 classes (affine, sigmoid, affine, softmax with loss) gets a batch of
    4. Give the shapes of the gradients, as tuples: with respect to the `scores`, the hidden values `h`, the weights
    `W1` and `W2`, the biases `b2`, and the inputs `x`.
    """

    level = "by hand"
    read_again = BACKWARD
    hint = "A gradient of one number, the loss, has the shape of what it is taken with respect to."
    solution = {"scores": (4, 3), "h": (4, 5), "W1": (8, 5), "W2": (5, 3), "b2": (3,), "x": (4, 8)}
    worked = """
    Each has the shape of the array itself. What belongs to the examples has the batch as its first axis (4); weights
    and biases do not: their gradients are summed over the batch, by the product with the transpose or by the sum over
    the rows.
    """
    same = {"scores": [4, 3], "h": [4, 5], "W1": [8, 5], "W2": [5, 3], "b2": [3], "x": [4, 8]}
    wrong = {
        "Each example adds to the same biases: their gradient is summed over the batch.": solution | {"b2": (4, 3)},
        "Weights have no axis for the batch.": solution | {"W1": (4, 8, 5), "W2": (4, 5, 3)},
        "W1: the right numbers, but in another order": solution | {"W1": (5, 8)},
    }


class BestIsLast(Exercise):
    r"""The best is the last

    This function goes down by SGD and is to return the parameters at which the loss was lowest, the first of equally
    low ones. It always returns the last ones. Find the fault, and put it right.
    """

    level = "debug"
    read_again = TOGETHER
    hint = "How many arrays are there?"
    inputs = [
        (np.array([3.0, 0.0]), [np.array([20.0, 0.0]), np.array([20.0, 5.0]), np.array([-30.0, 0.0])], 0.1, height),
        (np.array([1.0]), [np.array([-1.0]), np.array([4.0]), np.array([-2.0])], 0.5, height),
        (np.array([1.0, 1.0]), [np.array([-1.0, 2.0]), np.array([-5.0, 1.0])], 0.2, valley),
        (np.array([0.5, 0.0]), [np.array([-1.0, 1.0])], 1.0, valley),
    ]

    def given(w, gradients, lr, loss):
        """Return the parameters with the lowest loss on the way from w."""
        w = w.copy()
        best, lowest = w, loss(w)
        for g in gradients:
            w -= lr * g
            if loss(w) < lowest:
                best, lowest = w, loss(w)
        return best

    def solution(w, gradients, lr, loss):
        """Return the parameters with the lowest loss on the way from w."""
        w = w.copy()
        best, lowest = w.copy(), loss(w)
        for g in gradients:
            w -= lr * g
            if loss(w) < lowest:
                best, lowest = w.copy(), loss(w)
        return best

    worked = """
    `best = w` gives a second name to the one array, and `w -= ...` changes it under both names. What is to be kept has
    to be copied, the start included. A program that stops early and "keeps the best parameters" without copies has kept
    those of its last epoch.
    """

    def same(w, gradients, lr, loss):
        points = [w, *(w - lr * total for total in np.cumsum(gradients, axis=0))]
        return min(points, key=loss).copy()

    def start_forgotten(w, gradients, lr, loss):
        w = w.copy()
        best, lowest = w, loss(w)
        for g in gradients:
            w -= lr * g
            if loss(w) < lowest:
                best, lowest = w.copy(), loss(w)
        return best

    def copied_at_end(w, gradients, lr, loss):
        return BestIsLast.given(w, gradients, lr, loss).copy()

    def compared_with_start(w, gradients, lr, loss):
        w = w.copy()
        best, lowest = w.copy(), loss(w)
        for g in gradients:
            w -= lr * g
            if loss(w) < lowest:
                best = w.copy()
        return best

    def last_of_equals(w, gradients, lr, loss):
        points = [w, *(w - lr * total for total in np.cumsum(gradients, axis=0))]
        return min(points[::-1], key=loss).copy()

    wrong = {
        "If no step is lower than the start, the start is to be returned, as it was.": start_forgotten,
        "A copy at the end comes too late: the values are gone by then.": copied_at_end,
        "The lowest loss so far has to be remembered, too.": compared_with_start,
        "Of equally low ones the first is asked for.": last_of_equals,
    }


class OneBiasManyRows(Exercise):
    r"""One factor, one bias, many rows

    $Y = c\,X + b$ with one number $c = 2$ and a bias $b$ of shape (2,), which is added to each row.

    $$X = \begin{pmatrix} 1 & 3 \\ 2 & 1 \\ -2 & -1 \end{pmatrix}, \qquad
    \frac{\partial L}{\partial Y} = \begin{pmatrix} 1 & 2 \\ 0 & -1 \\ 4 & 3 \end{pmatrix}.$$

    Give the gradients with respect to $X$ (`dX`), $c$ (`dc`) and $b$ (`db`).
    """

    level = "by hand"
    read_again = GRAPH
    solution = {
        "dX": 2 * np.array([[1, 2], [0, -1], [4, 3]]),
        "dc": 1 + 3 * 2 - 1 - 2 * 4 - 3,
        "db": [1 + 4, 2 - 1 + 3],
    }
    worked = """
    The bias is repeated for each row, so its gradient is the sum over the rows, (5, 4). The one factor is repeated for
    every entry: its gradient is the sum over all entries of gradient times X, 1 + 6 + 0 − 1 − 8 − 3 = −5. And X gets
    the upstream gradient times the other factor, 2.
    """
    same = {"dX": [[2, 4], [0, -2], [8, 6]], "dc": -5.0, "db": (5, 4)}
    wrong = {
        "This is the sum of each row; the bias stands in each row once.": solution | {"db": np.array([3, -1, 7])},
        "Each entry of X times the gradient at the same place, and then the sum of all.": solution | {"dc": 9},
        "dc: expected a number": solution | {"dc": np.array([[1, 6], [0, -1], [-8, -3]])},
        "db: ": solution | {"db": np.array([5 / 3, 4 / 3])},
    }


class StepsOfSchedule(Exercise):
    r"""A staircase with a ramp

    The learning rate warms up along a line in 5 steps, the last of which has the full rate of 0.4. Then it is constant
    for 10 steps, counted without those of the ramp; then it is halved, and again after every 10 steps. Steps count from
    0. What is the rate in step 1 (`ramp`), in step 14 (`full`), in step 15 (`halved`) and in step 44 (`late`)?
    """

    level = "by hand"
    read_again = PRACTICE
    hint = "The ramp has the steps 0 to 4. Which steps have the full rate after it?"
    solution = {"ramp": 0.4 * 2 / 5, "full": 0.4, "halved": 0.4 / 2, "late": 0.4 * 0.5**3}
    worked = r"""
    On the ramp step $k$ has the rate $0.4\,(k + 1)/5$: 0.16 in step 1. After it, step $k$ has $0.4 \cdot 0.5^n$, with
    $n$ the whole part of $(k - 5)/10$: 0 for step 14, 1 for step 15, 3 for step 44 (39/10 = 3.9).
    """
    same = {"ramp": 0.16, "full": 0.4, "halved": 0.2, "late": 0.05}
    wrong = {
        "Step 0 is the first: it has a fifth of the rate already.": solution | {"ramp": 0.08},
        "Step 15 is the eleventh after the ramp.": solution | {"halved": 0.4},
        "late: 2 times too small": solution | {"late": 0.025},
        "full: ": solution | {"full": 0.2},
    }


class TwoOutputs(Exercise):
    r"""How sure is it?

    A network gives two numbers for each example, a prediction `m` and the logarithm `s` of its variance. With Gaussian
    noise the mean negative log-likelihood is, but for a constant, $L = \frac1N \sum_n \frac12 \bigl(s_n + (t_n -
    m_n)^2\, e^{-s_n}\bigr)$. Return its gradients with respect to `m` and `s`.
    """

    level = "transfer"
    read_again = LOSS
    inputs = [
        (np.array([1.0, -0.5, 2.0]), np.array([0.5, 0.0, -1.0]), np.array([2.0, 0.5, 1.0])),
        (np.array([0.0, 3.0]), np.array([-0.5, 1.0]), np.array([1.0, 1.0])),
        (np.array([[1.0], [2.0], [0.0], [1.5]]), np.zeros((4, 1)), np.array([[3.0], [2.0], [-1.0], [0.0]])),
    ]

    def solution(m, s, t):
        """Return the gradients of the mean loss with respect to m and s."""
        d, precision = m - t, np.exp(-s)
        return d * precision / len(m), (1 - d**2 * precision) / (2 * len(m))

    worked = r"""
    The first is the squared error's $m - t$, weighted: what the network calls noisy counts less. The second is zero
    where $e^s = (t - m)^2$, so each variance moves towards the squared error that occurs. Both have $1/N$ once, from
    the mean. That $s$ is the *logarithm* keeps the variance positive for any score.
    """

    def same(m, s, t):
        n, z = len(t), (t - m) * np.exp(-s / 2)
        return -z * np.exp(-s / 2) / n, 0.5 / n - 0.5 * z * z / n

    def summed(m, s, t):
        return (m - t) * np.exp(-s), (1 - (m - t) ** 2 * np.exp(-s)) / 2

    def uphill(m, s, t):
        dm, ds = TwoOutputs.solution(m, s, t)
        return -dm, ds

    def like_a_constant(m, s, t):
        dm, _ = TwoOutputs.solution(m, s, t)
        return dm, 0 * s + 1 / (2 * len(m))

    def other_sign(m, s, t):
        dm, _ = TwoOutputs.solution(m, s, t)
        return dm, (1 + (m - t) ** 2 * np.exp(-s)) / (2 * len(m))

    wrong = {
        "as many times too large as m has rows: is the mean taken?": summed,
        "The derivative of $(t - m)^2$ with respect to $m$ is $-2(t - m)$: look at the sign.": uphill,
        "s stands in both terms, also in the exponent.": like_a_constant,
        "The derivative of $e^{-s}$ has a minus sign.": other_sign,
    }


class StateOfUnit(Exercise):
    r"""How is this unit?

    These hidden units were watched over all training images. What are they: `"dead"`, `"saturated"`, `"twins"` or
    `"healthy"`?

    - `a`: a ReLU, 0 for 60 % of the images, between 0 and 3 for the others;
    - `b`: a ReLU, 0 for every image;
    - `c`: a sigmoid, above 0.999 for half of the images, below 0.001 for the others;
    - `d`: two sigmoids between 0.3 and 0.7, always exactly equal.
    """

    level = "recall"
    read_again = BACKWARD
    solution = {"a": "healthy", "b": "dead", "c": "saturated", "d": "twins"}
    worked = r"""
    (a) That is what a ReLU is for: it learns from the images that make it positive. (b) No image sends a gradient
    through it, so nothing will change that. (c) The slope is $y(1 - y) < 0.001$ on either side: it learns hardly
    anything, though it tells images apart. (d) They started with equal weights, get equal gradients, and count as one.
    """
    same = {"a": "Healthy", "b": "Dead", "c": "Saturated", "d": "Twins"}
    wrong = {
        "It is off for some images, and learns from the others.": solution | {"a": "dead"},
        "Its outputs differ; but what is the slope there?": solution | {"c": "healthy"},
        'b: "saturated" is not right': solution | {"b": "saturated"},
    }


class AdagradInPlace(Exercise):
    r"""AdaGrad, in place

    Write one step of AdaGrad for one array: add the squares of the gradient to `h`, and move `w`, both in place. Put
    `eps` beside the root, not under it.
    """

    level = "implement"
    read_again = UPDATE
    inputs = [
        (np.array([1.0, -2.0]), [np.array([3.0, -4.0]), np.array([4.0, 1.0]), np.array([0.0, 2.0])], 0.1, 1e-7),
        (
            np.array([[0.5], [1.0], [-1.0]]),
            [np.array([[0.1], [0.0], [-0.3]]), np.array([[0.2], [0.0], [5.0]])],
            0.5,
            0.1,
        ),
    ]

    def solution(w, g, h, lr, eps):
        """Move w by one step of AdaGrad with the gradient g; h holds the sum of squares."""
        h += g**2
        w -= lr * g / (np.sqrt(h) + eps)

    worked = r"""
    First the sum, then the step: a coordinate whose first gradient is $g$ makes a first step of $\eta\,g/|g|$. Where
    all gradients so far were 0, `eps` keeps 0/0 away. `h = h + g**2` would make a new array, and the caller's sum would
    stay 0 for ever.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr, eps):
        start, w, h, path, used = w, w.copy(), np.zeros_like(w), [], [g.copy() for g in gradients]
        for g in used:
            answer(w, g, h, lr, eps)
            path.append(w.copy())
        happened = h.any() or (w != start).any()
        return {"w": np.array(path), "h": h, "the gradients afterwards": np.array(used)} if happened else None

    def same(w, g, h, lr, eps):
        np.add(h, g * g, out=h)
        w[...] = w - g * lr / (eps + h**0.5)

    def new_sum(w, g, h, lr, eps):
        h = h + g**2
        w -= lr * g / (np.sqrt(h) + eps)

    def no_root(w, g, h, lr, eps):
        h += g**2
        w -= lr * g / (h + eps)

    def under_the_root(w, g, h, lr, eps):
        h += g**2
        w -= lr * g / np.sqrt(h + eps)

    def step_first(w, g, h, lr, eps):
        w -= lr * g / (np.sqrt(h) + eps)
        h += g**2

    def forgetful(w, g, h, lr, eps):
        h[...] = 0.9 * h + 0.1 * g**2
        w -= lr * g / (np.sqrt(h) + eps)

    wrong = {
        "The caller's h must change: with = alone the name gets a new array.": new_sum,
        "Divide by the root of the sum: a step has the size of lr, not of lr / g.": no_root,
        "eps stands beside the root.": under_the_root,
        "The gradient of this step counts in the sum, too.": step_first,
        "This is the leaky average of RMSprop.": forgetful,
    }


class BothWays(Exercise):
    r"""Both ways through a Jacobian

    $y = (x_1 x_2,\; x_1 + x_2)$ at $x = (2, 5)$. Give its Jacobian `J`, with a row for each output; what it makes of
    the nudge $(1, 2)$ of $x$ (`forward`); and what comes back to $x$ from the upstream gradient $(1, -3)$ (`backward`).
    """

    level = "by hand"
    read_again = CHAIN
    solution = {
        "J": [[5, 2], [1, 1]],
        "forward": [5 + 2 * 2, 1 + 2],
        "backward": [5 - 3, 2 - 3],
    }
    worked = r"""
    $\partial y_1/\partial x = (x_2, x_1) = (5, 2)$ and $\partial y_2/\partial x = (1, 1)$. Forward, a column from the
    right: $Jv = (9, 3)$. Backward, a row from the left: $uJ = (2, -1)$. Both cost the same here; with many inputs and
    one loss only the way back gives all derivatives at once.
    """
    same = {"J": ((5.0, 2), (1, 1)), "forward": (9, 3), "backward": (2, -1)}
    wrong = {
        "J: it is transposed": solution | {"J": np.array([[5, 1], [2, 1]])},
        "The upstream gradient multiplies from the left: its first entry goes with the first row.": solution
        | {"backward": np.array([-1, -2])},
        "The slope of a product with respect to one factor is the other.": solution
        | {"J": np.array([[2, 5], [1, 1]]), "forward": np.array([12, 3]), "backward": np.array([-1, 2])},
        "forward: ": solution | {"forward": np.array([7, 4])},
    }


class LinesOfLoop(Exercise):
    r"""The lines of a loop

    These are the lines of one epoch of training, its first batch, in a wrong order.

    - `a`: `optimizer.update(net.params, net.grads)`
    - `b`: `batch = order[0:32]`
    - `c`: `net.backward()`
    - `d`: `order = rng.permutation(len(x))`
    - `e`: `loss = net.forward(x[batch], t[batch])`

    Give the right `order`, as a text such as "abcde". And to which parameters does the `loss` belong: those `"before"`
    the update or those `"after"` it?
    """

    level = "recall"
    read_again = TOGETHER
    solution = {"order": "dbeca", "loss": "before"}
    worked = """
    Draw an order, take a batch from it, go forward, go back, update. Backward uses what forward has stored, and the
    update uses the gradients that backward has written. The loss was computed before the update, so the loss that a
    loop prints belongs to the parameters that are just being left.
    """
    same = {"order": "DBECA", "loss": "Before"}
    wrong = {
        "The update needs the gradients of this batch.": solution | {"order": "dbeac"},
        "Backward goes back through what forward has stored.": solution | {"order": "dbcea"},
        "Is the network run again after the update?": solution | {"loss": "after"},
    }


class DropoutGiven(Exercise):
    r"""Dropout with given numbers

    Write dropout as a function. `r` holds random numbers from 0 to 1, of the shape of `x`. While training, an entry is
    dropped where its number is *below* `p`, and what is kept is scaled so that the mean stays. Otherwise `x` stays as
    it is.
    """

    level = "implement"
    read_again = PRACTICE
    inputs = [
        (ROWS, np.array([[0.1, 0.6, 0.25], [0.9, 0.2, 0.3]]), 0.25, True),
        (ROWS, np.array([[0.1, 0.6, 0.25], [0.9, 0.2, 0.3]]), 0.25, False),
        (FOUR[:, 0], np.array([0.79, 0.8, 0.95, 0.0]), 0.8, True),
        (FOUR[:, 1], np.array([0.0, 0.5, 0.2, 0.999]), 0.0, True),
    ]

    def solution(x, r, p, training):
        """Return x with some entries dropped while training, those whose r is below p."""
        if not training:
            return x
        return np.where(r < p, 0, x / (1 - p))

    worked = r"""
    An entry is kept with probability $1 - p$; divided by it, its mean is $(1 - p) \cdot x/(1 - p) = x$. So nothing has
    to be scaled in use, where all units are on. With $p = 0$ nothing is dropped, not even where the number is 0.
    """

    def same(x, r, p, training):
        kept = (r >= p) / (1 - p) if training else np.ones_like(x)
        return kept * x

    def unscaled(x, r, p, training):
        return np.where(training & (r < p), 0, x)

    def scaled_by_p(x, r, p, training):
        return np.where(r < p, 0, x / p if p else x) if training else x

    def always(x, r, p, training):
        return np.where(r < p, 0, x / (1 - p))

    def kept_and_dropped(x, r, p, training):
        return np.where(r < p, x / (1 - p), 0) if training else x

    def border(x, r, p, training):
        return np.where(r <= p, 0, x / (1 - p)) if training else x

    wrong = {
        "Divide by the share that is kept, so that the mean stays.": unscaled,
        "The share that is kept is 1 - p.": scaled_by_p,
        "When the network is used, nothing is dropped.": always,
        "This keeps what is to be dropped.": kept_and_dropped,
        "Dropped is what is below p, not what equals it.": border,
    }


class CentreRows(Exercise):
    r"""Centred rows

    A layer subtracts from each row of `x`, of shape (N, D), the mean of that row. (Normalisation layers begin like
    this.) Write it with its backward pass.
    """

    level = "transfer"
    read_again = GRAPH
    hint = "Each entry has two ways to the outputs: straight on, and through the mean to every output of its row."
    inputs = [(ROWS,), (FOUR,), (np.array([[1.0, 4.0, -2.0], [0.5, 0.0, 3.0], [2.0, 2.0, -1.0]]),)]

    class solution:
        def forward(self, x):
            return x - x.mean(axis=1, keepdims=True)

        def backward(self, dout):
            return dout - dout.mean(axis=1, keepdims=True)

    worked = r"""
    Straight on, the entry gets `dout`. Through the mean: all outputs of the row subtract it, so their gradients add up
    to $-\sum_k$ `dout[n, k]`, and the entry is $1/D$ of the mean. Together `dout` minus its mean: the layer's matrix,
    $I - \frac1D \mathbf{1}\mathbf{1}^{\mathsf T}$, is its own transpose. Adding the same to a whole row changes no
    output, so each row of the gradient sums to 0.
    """

    class same:
        def forward(self, x):
            self.D = x.shape[1]
            return x - x @ np.full((self.D, self.D), 1 / self.D)

        def backward(self, dout):
            return dout - dout.sum(axis=1)[:, np.newaxis] / self.D

    class StraightOn(same):
        def backward(self, dout):
            return dout.copy()

    class NoMean(same):
        def backward(self, dout):
            return dout - dout.sum(axis=1, keepdims=True)

    class OverColumns(same):
        def backward(self, dout):
            return dout - dout.mean(axis=0)

    class Diagonal(same):
        def backward(self, dout):
            return dout * (1 - 1 / self.D)

    wrong = {
        "The second way is missing: each entry moves the mean of its row.": StraightOn,
        "Each entry is only one D-th of the mean.": NoMean,
        "The mean was taken over each row.": OverColumns,
        "An entry moves the other outputs of its row, too.": Diagonal,
    }


class UpdatedTooSoon(Exercise):
    r"""Updated too soon

    One step of SGD for two matrices, $h = x W_1$ and $y = h W_2$, from the upstream gradient `dy`. Divided by
    the learning rate, the step of the first matrix is not its gradient: they differ by more, the larger the rate. Find
    the fault, and put it right.
    """

    level = "debug"
    read_again = BACKWARD
    inputs = [
        (ROWS, FOUR[:2, :], FOUR[:3, :], np.array([[1.0, -1.0], [0.5, 2.0]]), 0.2),
        (FOUR, FOUR[::-1, :1].copy(), OTHERS, np.array([[1.0], [2.0], [-1.0]]), 0.05),
    ]

    def given(x, dy, W1, W2, lr):
        """Return W1 and W2 after one step of SGD."""
        h = x @ W1
        W2 = W2 - lr * h.T @ dy
        dh = dy @ W2.T
        W1 = W1 - lr * x.T @ dh
        return W1, W2

    def solution(x, dy, W1, W2, lr):
        """Return W1 and W2 after one step of SGD."""
        h = x @ W1
        dh = dy @ W2.T
        W2 = W2 - lr * h.T @ dy
        W1 = W1 - lr * x.T @ dh
        return W1, W2

    worked = """
    All gradients belong to one point: the parameters of the forward pass. `dh` has to go back through the weights that
    made `y`, not through those of the next step. That is why a network first runs backward through all layers and only
    then calls the optimizer.
    """

    def same(x, dy, W1, W2, lr):
        first, second = x.T @ (dy @ W2.T), (x @ W1).T @ dy
        return [W1 - lr * first, W2 - lr * second]

    def other_one_first(x, dy, W1, W2, lr):
        W1 = W1 - lr * x.T @ (dy @ W2.T)
        W2 = W2 - lr * (x @ W1).T @ dy
        return W1, W2

    def uphill(x, dy, W1, W2, lr):
        return W1 + lr * x.T @ (dy @ W2.T), W2 + lr * (x @ W1).T @ dy

    def in_place(x, dy, W1, W2, lr):
        first, second = x.T @ (dy @ W2.T), (x @ W1).T @ dy
        W1 -= lr * first
        W2 -= lr * second
        return W1, W2

    wrong = {
        "Now h belongs to the new first matrix: neither may move before both gradients are there.": other_one_first,
        "A step goes against the gradient.": uphill,
        "W1 itself is changed: work on a copy": in_place,
    }


class OneVelocityForTwo(Exercise):
    r"""One velocity for two

    This Momentum keeps a velocity for each array, under its shape. It has trained many networks. With two hidden layers
    of the same size it goes astray. Find the fault, and put it right; the list of parameters is the same at each call.
    """

    level = "debug"
    read_again = UPDATE
    hint = "What do the two weight matrices of shape (50, 50) share?"
    inputs = [
        ([np.array([1.0, 2.0]), np.array([-1.0, 0.5])], [np.array([1.0, -2.0]), np.array([3.0, 1.0])], 0.1, 0.9),
        ([np.ones((2, 1)), np.zeros(3), np.ones(3)], [np.ones((2, 1)), np.ones(3), -2 * np.ones(3)], 0.2, 0.5),
    ]

    def given(params, grads, state, lr, momentum):
        """Move all params one step by Momentum, in place; state is a dict, empty before the first call."""
        for w, g in zip(params, grads, strict=True):
            v = momentum * state.get(w.shape, 0.0) - lr * g
            state[w.shape] = v
            w += v

    def solution(params, grads, state, lr, momentum):
        """Move all params one step by Momentum, in place; state is a dict, empty before the first call."""
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            v = momentum * state.get(i, 0.0) - lr * g
            state[i] = v
            w += v

    worked = """
    Arrays of one shape found each other's velocity. The place in the list tells them apart, for as long as the list
    stays the same. So the fault shows with equal layers only; a test of an optimizer needs at least two arrays of the
    same shape, and more than one step.
    """

    @classmethod
    def run(cls, answer, params, grads, lr, momentum):
        params, grads, state = [w.copy() for w in params], [g.copy() for g in grads], {}
        for _ in range(3):
            answer(params, grads, state, lr, momentum)
        seen = {f"params[{i}]": w for i, w in enumerate(params)}
        return seen | {f"grads[{i}] afterwards": g for i, g in enumerate(grads)}

    def same(params, grads, state, lr, momentum):
        velocities = state.setdefault("v", [np.zeros_like(w) for w in params])
        for w, g, v in zip(params, grads, velocities, strict=True):
            v[...] = momentum * v - lr * g
            w += v

    def one_for_all(params, grads, state, lr, momentum):
        for w, g in zip(params, grads, strict=True):
            state["v"] = momentum * np.mean(state.get("v", 0.0)) - lr * g
            w += state["v"]

    def no_memory(params, grads, state, lr, momentum):
        state = {}
        OneVelocityForTwo.solution(params, grads, state, lr, momentum)

    def old_velocity(params, grads, state, lr, momentum):
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            w += state.get(i, 0.0)
            state[i] = momentum * state.get(i, 0.0) - lr * g

    wrong = {
        "There must be a velocity for each array.": one_for_all,
        "The velocities must outlive the call.": no_memory,
        "The step is taken with the new velocity.": old_velocity,
    }


class KnowsFrequencies(Exercise):
    r"""It knows the frequencies

    Of the examples 90 % belong to class 0 and 10 % to class 1. What is the mean cross-entropy of a classifier that
    gives *every* example the probabilities $(0.5, 0.5)$ (`undecided`), $(0.9, 0.1)$ (`frequencies`) or $(0.1, 0.9)$
    (`swapped`)?
    """

    level = "by hand"
    read_again = LOSS
    solution = {
        "undecided": np.log(2),
        "frequencies": -0.9 * np.log(0.9) - 0.1 * np.log(0.1),
        "swapped": -0.9 * np.log(0.1) - 0.1 * np.log(0.9),
    }
    worked = r"""
    $-\log 0.5 = 0.693$ for each example. With the frequencies themselves $0.9 \cdot 0.105 + 0.1 \cdot 2.303 = 0.325$,
    the entropy: no constant answer does better. Swapped, $0.9 \cdot 2.303 + 0.1 \cdot 0.105 = 2.083$, far worse than
    knowing nothing. So a network whose loss rests at 0.325 here has learned the frequencies and not looked at its
    inputs.
    """
    same = {"undecided": 0.693, "frequencies": 0.325, "swapped": 2.083}
    wrong = {
        "One example in ten is of class 1, and costs much more.": solution | {"frequencies": -np.log(0.9)},
        "is the logarithm natural?": solution | {"undecided": 1.0},
        "The logarithm of each example first, then the mean.": solution | {"swapped": -np.log(0.9 * 0.1 + 0.1 * 0.9)},
        "frequencies: ": solution | {"frequencies": 0.693},
    }


class SlopeFromOutput(Exercise):
    r"""Enough to know the output

    A layer that keeps only its output $y$, and not its input $x$, saves memory. For which of these can its slope be
    computed from $y$ alone, for every input? Answer with `True` or `False`.

    - `sigmoid`: $y = \sigma(x)$
    - `square`: $y = x^2$, for inputs of both signs
    - `relu`: $y = \max(0, x)$
    - `sine`: $y = \sin x$
    - `root`: $y = \sqrt x$, for $x > 0$
    """

    level = "recall"
    read_again = f"{GRAPH} and {BACKWARD}"
    hint = "Are there two inputs with equal outputs and different slopes?"
    solution = {"sigmoid": True, "square": False, "relu": True, "sine": False, "root": True}
    worked = r"""
    $y(1 - y)$ for the sigmoid; 1 where $y > 0$ and else 0 for the ReLU; $1/(2y)$ for the root. The square has the same
    output at $x$ and at $-x$, with slopes of opposite sign; the sine has 0 at $0$ and at $\pi$, with the slopes 1 and
    $-1$.
    """
    same = {"sigmoid": 1 == 1, "square": 0 == 1, "relu": 1 == 1, "sine": 0 == 1, "root": 1 == 1}
    wrong = {
        "The root of the output gives the size of the input, not its sign.": solution | {"square": True},
        "A positive output of a ReLU came from a positive input.": solution | {"relu": False},
        "sine: True is not right": solution | {"sine": True},
        "root: False is not right": solution | {"root": False},
    }


class LossTimesTen(Exercise):
    r"""Ten times the loss

    From now on the loss is given in another unit: each value is ten times what it was. By which factor does each of
    these change? The place does not change.

    - `gradient`: the gradient;
    - `limit`: the learning rate above which gradient descent diverges;
    - `sgd`: a step of SGD with the old learning rate;
    - `adam`: a step of Adam with the old learning rate ($\epsilon$ is negligible);
    - `clipped`: a step of SGD whose gradient is clipped to a norm of 1, if it was longer than that before.
    """

    level = "transfer"
    read_again = f"{GRADIENT}, {UPDATE} and {PRACTICE}"
    solution = {"gradient": 10, "limit": 1 / 10, "sgd": 10, "adam": 1, "clipped": 1}
    worked = r"""
    All derivatives are ten times as large, the second ones too, so the limit $2/\lambda_{\max}$ is a tenth. A step of
    SGD is proportional to the gradient. In Adam's $\hat m/\sqrt{\hat v}$ the factor cancels, and clipping brings either
    gradient to the length 1. So the learning rate of SGD has a unit, and depends on whether a loss is a sum or a mean;
    that of Adam has not.
    """
    same = {"gradient": 10.0, "limit": 0.1, "sgd": 10.0, "adam": 1.0, "clipped": 1.0}
    wrong = {
        "Steeper and more curved: it diverges sooner.": solution | {"limit": 10},
        "Both averages of Adam see the factor; what is left of it in their ratio?": solution | {"adam": 10},
        "After clipping both gradients have the same length.": solution | {"clipped": 10},
        "sgd: ": solution | {"sgd": 1},
    }
