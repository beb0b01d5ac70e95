"""A test of the whole book: exercises of all chapters, in mixed order."""

import numpy as np

from mlcore.teaching.practice import Exercise

PAGE = "1_6_test_of_the_whole_book_practice"
OPENING = """# 1.6 Practice: A Test of the Whole Book

Forty questions on the chapters 1.3.1 to 1.5. Their order is mixed on purpose: nothing tells you which chapter a
question comes from, so you have to choose the method as well as carry it out. Students who had practised mixed problems
did far better in a test a week later than those who had practised one kind at a time
([Rohrer and Taylor, 2007](../book/bibliography.md#rohrer-and-taylor-2007)).

Answer without looking back, with paper and pencil beside you. A question takes two to five minutes, all forty some two
hours: take them ten at a time, on different days. Note the number of each question that is not right at the first try.
Every solution ends with the chapter to read again, and the table at the end counts by chapter."""

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

    $f(x) = x^3$ at $x = 2$, with $h = 0.1$. Give the `forward` difference, the `central` difference, and the
    `derivative` itself.
    """

    level = "by hand"
    read_again = GRADIENT
    within = 1e-4
    hint = "$2.1^3 = 9.261$ and $1.9^3 = 6.859$."
    solution = {
        "forward": (2.1**3 - 2**3) / 0.1,
        "central": (2.1**3 - 1.9**3) / 0.2,
        "derivative": 3 * 2**2,
    }
    worked = r"""
    $(9.261 - 8)/0.1 = 12.61$ and $(9.261 - 6.859)/0.2 = 12.01$; the derivative is $3 \cdot 2^2 = 12$. The forward
    difference is off by about $\frac h2 f'' = 0.6$, the central one by $\frac{h^2}6 f''' = 0.01$.
    """
    same = {"forward": 12.61, "central": 12.01, "derivative": 12.0}
    wrong = {
        "From $x - h$ to $x + h$ it is $2h$.": solution | {"central": 24.02},
        "This is the backward difference, from $x - h$ to $x$.": solution | {"forward": 11.41},
        "central: ": solution | {"central": 12.0},
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

    $$W = \begin{pmatrix} 1 & -1 \\ -1 & 1 \end{pmatrix}, \quad w = (3, 5), \quad t = 1.$$

    Give the `loss` and its gradients with respect to $w$ (`dw`), $W$ (`dW`) and $x$ (`dx`).
    """

    level = "by hand"
    read_again = BACKWARD
    solution = {
        "loss": (3 - 1) ** 2 / 2,
        "dw": np.array([2 * 1, 0]),
        "dW": np.outer([2, 1], [2 * 3, 0]),
        "dx": np.array([6, -6]),
    }
    worked = r"""
    Forward: $z = (1, -1)$, $h = (1, 0)$, $s = 3$, $L = 2$. Backward: $\partial L/\partial s = s - t = 2$;
    $\partial L/\partial w = 2h = (2, 0)$; $\partial L/\partial h = 2w = (6, 10)$; the second unit is off, so
    $\partial L/\partial z = (6, 0)$. Then $\partial L/\partial W = x^{\mathsf T} (6, 0)$, with rows $(12, 0)$ and
    $(6, 0)$, and $\partial L/\partial x = (6, 0)\, W^{\mathsf T} = (6, -6)$.
    """
    same = {"loss": 2.0, "dw": (2, 0), "dW": [[12.0, 0], [6, 0]], "dx": [6.0, -6]}
    wrong = {
        "The second unit is off: nothing goes back through it.": solution
        | {"dW": np.array([[12, 20], [6, 10]]), "dx": np.array([-4, 4])},
        "dW: it is transposed": solution | {"dW": np.array([[12, 6], [0, 0]])},
        "dw: 3 times too large": solution | {"dw": np.array([6, 0])},
        "loss: 2 times too large": solution | {"loss": 4},
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
    - `c`: all weights of a network with one hidden layer of sigmoids;
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
