"""Exercises of section 1.3.5."""

import numpy as np

from mlcore import Sigmoid, sigmoid, softmax, softmax_cross_entropy
from mlcore.teaching.practice import Exercise


class TrueOfLayers(Exercise):
    r"""True or false?

    Answer with `True` or `False`.

    - `a`: Each row of the gradient of softmax with loss with respect to the scores sums to zero, for soft targets too.
    - `b`: If the loss of one example doubles, so does the size of its gradient $y - t$.
    - `c`: A network whose loss falls as fast as that of a right one has right gradients.
    - `d`: A hidden layer whose weights all start at 0.5, with all weights behind it at 0.5 too, works as one unit.
    - `e`: A gradient of size $10^{-9}$ in the first layer shows that its backward is wrong.
    """

    level = "recall"
    solution = {"a": True, "b": False, "c": False, "d": True, "e": False}
    worked = r"""
    (a) $y$ and $t$ both sum to 1. (b) No entry of $y - t$ exceeds 1: a loss of 50 and one of 100 have practically the
    same gradient. (c) A network whose bias gradients are 32 times too small learns as well. (d) Equal units receive
    equal gradients and stay equal, whatever value they share. (e) After fifteen sigmoids no more than that may be left
    of a right gradient; only the *relative* error of a check tells.
    """
    same = {"a": 1 == 1, "b": 1 == 0, "c": 1 == 0, "d": 1 == 1, "e": 1 == 0}
    wrong = {
        "The gradient of a score is a difference of two probabilities: how large can it be?": solution | {"b": True},
        "A bias gradient that is too small still has the right sign: how well does such a network learn?": solution
        | {"c": True},
        "What tells the units apart, if all start with the same numbers?": solution | {"d": False},
        "Small is not wrong: a check compares relative to the size.": solution | {"e": True},
        "a: False is not right": solution | {"a": False},
    }


class TwoRowsOfScores(Exercise):
    r"""Two rows by hand

    Softmax gives $y = \begin{pmatrix}0.1 & 0.6 & 0.3\\ 0.5 & 0.25 & 0.25\end{pmatrix}$ for two examples, whose classes
    are 1 and 0. The loss is the mean of both. Write its gradient with respect to the scores, shape (2, 3).
    """

    level = "by hand"
    hint = "Write the two targets as rows, subtract them, and remember the mean."
    solution = np.array([[0.1, 0.6 - 1, 0.3], [0.5 - 1, 0.25, 0.25]]) / 2
    worked = r"""
    $y - t$ has the rows $(0.1, -0.4, 0.3)$ and $(-0.5, 0.25, 0.25)$, and the mean of two rows halves both. Each row
    sums to zero.
    """
    same = [[0.05, -0.2, 0.15], [-0.25, 0.125, 0.125]]
    wrong = {
        "2 times too large": 2 * solution,
        "the sign is wrong": -solution,
        "Subtract the target from the probabilities before you divide by N.": (
            np.array([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]]) / 2 - np.array([[0, 1, 0], [1, 0, 0]])
        ),
        "These are the probabilities over N; the target is missing.": (
            np.array([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]]) / 2
        ),
    }


class AffineWithThreeRows(Exercise):
    r"""Three rows through an affine layer

    $$X = \begin{pmatrix}1&0\\2&1\\0&-1\end{pmatrix},\quad W = \begin{pmatrix}1&2\\3&-1\end{pmatrix},$$

    $$G = \frac{\partial L}{\partial Y} = \begin{pmatrix}1&0\\0&2\\-1&1\end{pmatrix}.$$

    Write $\partial L/\partial X$, $\partial L/\partial W$ and $\partial L/\partial b$, on paper first.
    """

    level = "by hand"
    hint = "The three shapes are (3, 2), (2, 2) and (2,). What do all rows share?"
    solution = {
        "dx": np.array([[1, 0], [0, 2], [-1, 1]]) @ np.array([[1, 2], [3, -1]]).T,
        "dW": np.array([[1, 0], [2, 1], [0, -1]]).T @ np.array([[1, 0], [0, 2], [-1, 1]]),
        "db": np.array([[1, 0], [0, 2], [-1, 1]]).sum(axis=0),
    }
    worked = r"""
    $G W^{\mathsf T} = \begin{pmatrix}1&3\\4&-2\\1&-4\end{pmatrix}$, $X^{\mathsf T} G =
    \begin{pmatrix}1&4\\1&1\end{pmatrix}$, and the column sums of $G$ are $(0, 3)$. The first bias gets 0 because
    the first and the third row pull it in opposite directions.
    """
    same = {"dx": [[1.0, 3.0], [4.0, -2.0], [1.0, -4.0]], "dW": [[1.0, 4.0], [1.0, 1.0]], "db": [0.0, 3.0]}
    wrong = {
        "dW: it is transposed": solution | {"dW": solution["dW"].T},
        "With W itself instead of its transpose the shapes fit, since W is square; the numbers do not.": solution
        | {"dx": np.array([[1, 0], [0, 2], [-1, 1]]) @ np.array([[1, 2], [3, -1]])},
        "All rows share b: add what comes back from them, and do not take the mean.": solution
        | {"db": np.array([0.0, 1.0])},
    }


class WholeStepByHand(Exercise):
    r"""A whole step by hand

    One input, one hidden sigmoid unit, one score with `SigmoidWithLoss`: $z = w_1 x + b_1$, $h = \sigma(z)$,
    $s = w_2 h + b_2$. Take $x = 2$, $w_1 = \tfrac12$, $b_1 = \ln 3 - 1$, $w_2 = 4$, $b_2 = -3$ and the target
    $t = 1$. Compute the loss, four gradients, and $w_1$ after a step of SGD with learning rate 0.4.
    """

    level = "by hand"
    hint = "z is ln 3, for which the chapter gives h and its slope; s comes out as 0."
    solution = {
        "loss": np.log(2),
        "dw2": -1 / 2 * 3 / 4,
        "db2": -1 / 2,
        "dw1": -1 / 2 * 4 * 3 / 16 * 2,
        "db1": -1 / 2 * 4 * 3 / 16,
        "w1": 1 / 2 + 0.4 * 3 / 4,
    }
    worked = r"""
    $z = \ln 3$, $h = \tfrac34$, $s = 3 - 3 = 0$, $y = \tfrac12$, $L = \ln 2$. Back: $\partial L/\partial s = y - t =
    -\tfrac12$, which is $\partial L/\partial b_2$; times $h$ for $w_2$: $-\tfrac38$. $\partial L/\partial h =
    -\tfrac12\cdot 4 = -2$; times the slope $\tfrac3{16}$: $\partial L/\partial z = -\tfrac38$, which is
    $\partial L/\partial b_1$; times $x$: $\partial L/\partial w_1 = -\tfrac34$. The step moves $w_1$ *up*, to 0.8.
    """
    same = {"loss": 0.6931, "dw2": -0.375, "db2": -0.5, "dw1": -0.75, "db1": -0.375, "w1": 0.8}
    wrong = {
        "In y - t the slope of the last sigmoid has cancelled already; it needs no other.": {
            "loss": np.log(2),
            "dw2": -3 / 32,
            "db2": -1 / 8,
            "dw1": -3 / 16,
            "db1": -3 / 32,
            "w1": 1 / 2 + 0.4 * 3 / 16,
        },
        "On the way to b1 lies the hidden sigmoid: multiply by h(1 - h).": solution
        | {"db1": -2.0, "dw1": -4.0, "w1": 2.1},
        "A step goes against the gradient.": solution | {"w1": 0.2},
    }


class TanhLayer(Exercise):
    r"""A layer of your own

    Write the layer $y = \tanh x$. Like `Sigmoid` it should remember its output only: $\tanh' = 1 - \tanh^2$.
    """

    level = "implement"
    hint = "forward stores y; backward multiplies the upstream gradient by a slope that is computed from y."
    inputs = [
        (np.array([0.5, -1.0, 0.0]),),
        (np.array([[2.0, -0.3], [0.1, 1.5], [-2.5, 0.7]]),),
        (np.array([[[0.4, 0.2, -0.9]]]),),
    ]

    class solution:
        def forward(self, x):
            """Return tanh(x)."""
            self.y = np.tanh(x)
            return self.y

        def backward(self, dout):
            """Return the gradient with respect to x."""
            return dout * (1 - self.y**2)

    worked = r"""
    The slope is at most 1, at 0, where that of the sigmoid is a quarter: tanh is a sigmoid scaled by 2 in both
    directions, $\tanh x = 2\sigma(2x) - 1$, and $2 \cdot 2 \cdot \tfrac14 = 1$. Over ten layers that is the difference
    between 1 and $(1/4)^{10} \approx 10^{-6}$, as long as no unit is saturated.
    """

    class same:
        def forward(self, x):
            self.layer = Sigmoid()
            return 2 * self.layer.forward(2 * x) - 1

        def backward(self, dout):
            return 4 * self.layer.backward(dout)

    class ForgetsUpstream(solution):
        def backward(self, dout):
            return 1 - self.y**2

    class SigmoidSlope(solution):
        def backward(self, dout):
            return dout * self.y * (1 - self.y)

    class OfTheInput(solution):
        def forward(self, x):
            self.y = x
            return np.tanh(x)

    wrong = {
        "The upstream gradient is missing: the chain rule multiplies by it.": ForgetsUpstream,
        "y(1 - y) is the slope of the sigmoid.": SigmoidSlope,
        "What is remembered is the input, but the slope is written for the output.": OfTheInput,
    }


class OneTrainingStep(Exercise):
    r"""One training step

    Write one step of SGD for a two-layer network without any layers: affine, sigmoid, affine, softmax with loss (index
    labels). The functions `sigmoid`, `softmax` and `softmax_cross_entropy` are at hand. Return the loss before the step
    and the four parameters after it; leave the arguments as they are.
    """

    level = "implement"
    hint = "A few lines forward and back: h, s, ds, then dW2 and db2, then dz, then dW1 and db1."
    inputs = [
        (
            np.array([[1.0, 2.0]]),
            np.array([0]),
            np.array([[2.0, -4.0], [-1.0, 2.0]]),
            np.array([np.log(3), 0.0]),
            np.array([[2.0, 0.0], [-1.0, 1.0]]),
            np.array([0.0, 0.5]),
            0.1,
        ),
        (
            np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5], [0.2, 0.3, 0.1], [-1.0, 1.5, 0.4]]),
            np.array([2, 0, 1, 1]),
            np.array([[0.3, -0.2], [0.8, 0.5], [-0.6, 0.1]]),
            np.array([0.1, -0.3]),
            np.array([[1.0, -0.5, 0.3], [0.2, 0.7, -1.1]]),
            np.array([0.0, 0.2, -0.1]),
            0.5,
        ),
    ]

    def solution(x, t, W1, b1, W2, b2, lr):
        """Return the loss, and W1, b1, W2, b2 after one step."""
        h = sigmoid(x @ W1 + b1)
        s = h @ W2 + b2
        loss = softmax_cross_entropy(s, t)

        ds = softmax(s)
        ds[np.arange(len(t)), t] -= 1
        ds /= len(t)
        dz = ds @ W2.T * h * (1 - h)
        return (
            loss,
            W1 - lr * x.T @ dz,
            b1 - lr * dz.sum(axis=0),
            W2 - lr * h.T @ ds,
            b2 - lr * ds.sum(axis=0),
        )

    worked = r"""
    The two matrix products of each affine layer, one slope, one difference: that is all of backpropagation for this
    network. Note that $\partial L/\partial h$ needs $W_2$ as it was *before* the step: a program that updates in place
    must finish the backward pass first.
    """

    def same(x, t, W1, b1, W2, b2, lr):
        N, one_hot = len(x), np.eye(len(b2))[t]
        h = (1 + np.tanh((x @ W1 + b1) / 2)) / 2
        s = h @ W2 + b2
        log_y = s - np.logaddexp.reduce(s, axis=1)[:, np.newaxis]
        ds = (np.exp(log_y) - one_hot) / N
        dz = np.einsum("nc,hc,nh->nh", ds, W2, h - h**2)
        steps = [np.einsum("nd,nh->dh", x, dz), dz.T @ np.ones(N), np.einsum("nh,nc->hc", h, ds), np.ones(N) @ ds]
        return -np.vdot(one_hot, log_y) / N, *(p - lr * g for p, g in zip((W1, b1, W2, b2), steps, strict=True))

    def step(x, t, W1, b1, W2, b2, lr, sign=-1, mean=True, slope=True, late=False):
        h = sigmoid(x @ W1 + b1)
        y = softmax(h @ W2 + b2)
        ds = (y - np.eye(len(b2))[t]) / (len(t) if mean else 1)
        W2_new = W2 + sign * lr * h.T @ ds
        dz = ds @ (W2_new if late else W2).T * (h * (1 - h) if slope else 1)
        moved = [sign * lr * g for g in (x.T @ dz, dz.sum(axis=0), ds.sum(axis=0))]
        loss = -np.log(y[np.arange(len(t)), t]).mean()
        return loss, W1 + moved[0], b1 + moved[1], W2_new, b2 + moved[2]

    wrong = {
        "This goes along the gradient: the loss will rise.": lambda *inputs: OneTrainingStep.step(*inputs, sign=1),
        "The loss is a mean over the rows; its gradient needs 1/N, once.": lambda *inputs: OneTrainingStep.step(
            *inputs, mean=False
        ),
        "On the way back through the sigmoid its slope is missing.": lambda *inputs: OneTrainingStep.step(
            *inputs, slope=False
        ),
        "The gradient with respect to h needs W2 as it was in the forward pass.": lambda *inputs: OneTrainingStep.step(
            *inputs, late=True
        ),
    }


class MeanTakenTwice(Exercise):
    r"""Too slow by a factor

    A linear classifier learns, but needs a learning rate 32 times as large as usual, and another one as soon as the
    batch size changes. This function should return the gradients of the mean loss with respect to $W$ and $b$. Find the
    fault and fix it.
    """

    level = "debug"
    hint = "How often does the number of rows divide?"
    inputs = [
        (np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0, 2]), np.array([[0.1, 0.2, -0.3], [0.4, 0.0, 0.5]])),
        (np.array([[1.0], [0.5], [-2.0], [0.0]]), np.array([1, 0, 0, 1]), np.array([[0.7, -0.2]])),
    ]

    def given(x, t, W):
        """Return dW and db of the mean loss of the scores x @ W, at b = 0."""
        ds = softmax(x @ W)
        ds[np.arange(len(t)), t] -= 1
        ds /= len(t)
        return x.T @ ds / len(x), ds.mean(axis=0)

    def solution(x, t, W):
        """Return dW and db of the mean loss of the scores x @ W, at b = 0."""
        ds = softmax(x @ W)
        ds[np.arange(len(t)), t] -= 1
        ds /= len(t)
        return x.T @ ds, ds.sum(axis=0)

    worked = r"""
    $1/N$ belongs to the loss, and to the loss only: `ds` already holds it. What comes after are sums over the rows,
    written as a matrix product for $W$ and as `sum` for $b$. If you prefer to keep it out of `ds`, you must divide
    *every* gradient of *every* layer, once.
    """

    def same(x, t, W):
        ds = softmax(x @ W) - np.eye(W.shape[1])[t]
        return np.einsum("nd,nc->dc", x, ds) / len(x), ds.mean(axis=0)

    def one_left(x, t, W):
        return MeanTakenTwice.solution(x, t, W)[0], MeanTakenTwice.given(x, t, W)[1]

    def none(x, t, W):
        return tuple(len(x) * g for g in MeanTakenTwice.solution(x, t, W))

    wrong = {
        "is there one mean too many?": given,
        "One of the two is right now; look at the bias.": one_left,
        "is the mean taken?": none,
    }


class SlopePutBack(Exercise):
    r"""Slow where it is most wrong

    The author of this function remembered that the chain rule passes through the sigmoid. The network learns, but
    strangely slowly from its worst mistakes. Find the fault and fix it.
    """

    level = "debug"
    hint = "What is the derivative of the loss with respect to y? Multiply it by the slope: what is left?"
    inputs = [
        (np.log([3.0, 1.0]), np.array([1, 0])),
        (np.array([10.0, -10.0, 2.0]), np.array([0, 1, 1])),
        (np.array([-1.0, 0.5, 0.0, 3.0]), np.array([0.2, 0.9, 0.5, 1.0])),
    ]

    def given(x, t):
        """Return the gradient of the mean loss with respect to the scores x (N,), for targets t (N,)."""
        y = sigmoid(x)
        return (y - t) * y * (1 - y) / len(t)

    def solution(x, t):
        """Return the gradient of the mean loss with respect to the scores x (N,), for targets t (N,)."""
        y = sigmoid(x)
        return (y - t) / len(t)

    worked = r"""
    $\partial L/\partial y = (y-t)/(y(1-y))$ has the slope in its denominator, so that it cancels. The faulty product is
    the gradient of the *squared* error behind a sigmoid, $\tfrac12(y-t)^2$: at $x = 10$, $t = 0$ it is $0.00005$
    instead of 1 (before the mean).
    """

    def same(x, t):
        y = (1 + np.tanh(x / 2)) / 2
        return ((1 - t) * y - t * (1 - y)) / x.size

    wrong = {
        "The slope is still there, and shrinks the largest errors the most.": given,
        "the sign is wrong": lambda x, t: (t - sigmoid(x)) / len(t),
        "as many times too large as x has rows": lambda x, t: sigmoid(x) - t,
        "This is the derivative with respect to y; it is still to be multiplied by the slope.": lambda x, t: (
            (sigmoid(x) - t) / (sigmoid(x) * (1 - sigmoid(x))) / len(t)
        ),
    }


class TestedOnSquares(Exercise):
    r"""Tested on a square

    This affine layer passed its test of shapes, with 4 rows, 4 inputs and 4 outputs. Find two faults and fix them.
    """

    level = "debug"
    hint = "Write down the shape of each line for N = 3, D = 2, H = 4."
    inputs = [
        (np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([0.1, -0.2]), np.array([[1.0, 0.0], [-1.0, 2.0]])),
        (
            np.array([[1.0, 0.5, -1.0, 2.0], [0.0, 1.0, 3.0, -2.0]]),
            np.array([1.0, 0.0, 2.0, -1.0]),
            np.array([[1.0, 2.0], [0.0, -1.0], [2.5, 0.5]]),
        ),
    ]

    class given:
        def __init__(self, W, b):
            self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

        def forward(self, x):
            """Return x @ W + b."""
            self.x = x
            return x @ self.params[0] + self.params[1]

        def backward(self, dout):
            """Write dW and db into grads and return dx."""
            self.grads[0][...] = dout.T @ self.x
            self.grads[1][...] = dout.sum(axis=1)
            return dout @ self.params[0].T

    class solution:
        def __init__(self, W, b):
            self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

        def forward(self, x):
            """Return x @ W + b."""
            self.x = x
            return x @ self.params[0] + self.params[1]

        def backward(self, dout):
            """Write dW and db into grads and return dx."""
            self.grads[0][...] = self.x.T @ dout
            self.grads[1][...] = dout.sum(axis=0)
            return dout @ self.params[0].T

    worked = r"""
    `dout.T @ x` is the transpose of $X^{\mathsf T} G$, and `axis=1` adds over the outputs instead of the rows. With
    equal sizes nothing complains: shapes that fit prove nothing there. So test with sizes that all differ, and compare
    with a measured gradient.
    """

    class same(solution):
        def backward(self, dout):
            np.einsum("nd,nh->dh", self.x, dout, out=self.grads[0])
            self.grads[1][:] = np.ones(len(dout)) @ dout
            return np.einsum("nh,dh->nd", dout, self.params[0])

    class OnlyWeights(given):
        def backward(self, dout):
            self.grads[0][...] = self.x.T @ dout
            self.grads[1][...] = dout.sum(axis=1)
            return dout @ self.params[0].T

    class LastRow(solution):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads[1][...] = dout[-1]
            return dx

    class Replaced(solution):
        def backward(self, dout):
            self.grads = [self.x.T @ dout, dout.sum(axis=0)]
            return dout @ self.params[0].T

    class MeanOfRows(solution):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads[1][...] = dout.mean(axis=0)
            return dx

    wrong = {
        "it is transposed": given,
        "The weights are right now. The bias serves every row: over which axis is its gradient summed?": OnlyWeights,
        "One row is not enough: all of them share b.": LastRow,
        "Right formulas, but new arrays: an optimizer holds the old ones, and sees zeros.": Replaced,
        "The mean belongs to the loss alone; here is a sum.": MeanOfRows,
    }


class SlopeOfWhat(Exercise):
    r"""The slope of what?

    Many small programs have a helper like `slope`. Here the backward pass of a hidden layer uses it, and a gradient
    check fails in the first layer's weights. Find the fault and fix it.
    """

    level = "debug"
    hint = "slope(v) = v (1 - v) is the slope of the sigmoid in terms of what?"
    inputs = [
        (np.array([[1.0, 2.0]]), np.array([[2.0, -4.0], [-1.0, 2.0]]), np.array([[-1.0, 1.0]])),
        (
            np.array([[0.5, -1.0], [2.0, 0.3], [0.0, 1.0]]),
            np.array([[1.0, 0.2, -0.5], [0.4, -1.0, 3.0]]),
            np.array([[1.0, 0.0, 2.0], [-1.0, 0.5, 0.4], [0.3, -2.0, 1.0]]),
        ),
    ]

    def given(x, W, dh):
        """Return the gradient with respect to W, given that with respect to h = sigmoid(x @ W)."""

        def slope(v):
            return v * (1 - v)

        z = x @ W
        return x.T @ (dh * slope(z))

    def solution(x, W, dh):
        """Return the gradient with respect to W, given that with respect to h = sigmoid(x @ W)."""

        def slope(h):
            return h * (1 - h)

        return x.T @ (dh * slope(sigmoid(x @ W)))

    worked = r"""
    $h(1-h)$ is the slope in terms of the *output*. Applied to the input, the same parabola is nonsense: at $z = 5$ it
    gives $-20$, where the slope is $0.007$. A name that says which of the two is meant is the cheapest protection.
    """

    def same(x, W, dh):
        z = x @ W
        return np.einsum("nd,nh->dh", x, dh / (2 + np.exp(z) + np.exp(-z)))

    wrong = {
        "The slope is still taken of z: sigmoid'(z) = h (1 - h).": given,
        "The slope multiplies the upstream gradient; here it replaces it.": lambda x, W, dh: (
            x.T @ (1 / (2 + np.exp(x @ W) + np.exp(-x @ W)))
        ),
        "The sigmoid's own slope is missing.": lambda x, W, dh: x.T @ dh,
    }


class ProbabilitiesThatChange(Exercise):
    r"""Probabilities that change

    This function returns the probabilities and the gradient of the mean loss with respect to the scores. The gradient
    is right; yet a plot of the probabilities shows negative ones. Find the fault and fix it.
    """

    level = "debug"
    hint = "To how many arrays do the names y and dx refer?"
    inputs = [
        (np.log([[0.2, 0.3, 0.5]]), np.array([1])),
        (np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([1, 1, 0])),
    ]

    def given(x, t):
        """Return the probabilities, and the gradient of the mean loss with respect to the scores x (N, C)."""
        y = softmax(x)
        dx = y
        dx[np.arange(len(t)), t] -= 1
        dx /= len(t)
        return y, dx

    def solution(x, t):
        """Return the probabilities, and the gradient of the mean loss with respect to the scores x (N, C)."""
        y = softmax(x)
        dx = y.copy()
        dx[np.arange(len(t)), t] -= 1
        dx /= len(t)
        return y, dx

    worked = r"""
    `dx = y` gives the array a second name and copies nothing, so that `-= 1` and `/=` change the probabilities as well.
    Here only a plot suffers. A layer that keeps `y` and goes back twice would return a wrong gradient the second time.
    """

    def same(x, t):
        y = softmax(x)
        return y, (y - np.eye(x.shape[1])[t]) / len(x)

    def half_copied(x, t):
        y = softmax(x)
        y[np.arange(len(t)), t] -= 1
        return y, y / len(t)

    def copied_late(x, t):
        y, dx = ProbabilitiesThatChange.given(x, t)
        return y.copy(), dx

    wrong = {
        "Both names still refer to one array.": given,
        "The division makes a new array, but the 1 has been subtracted before it.": half_copied,
        "result 1": copied_late,
    }


class SecondBatch(Exercise):
    r"""Right for the first batch

    This affine layer passes its gradient check. In training the loss falls for some steps and then climbs: from the
    second batch on its gradients are wrong. Find the fault and fix it, without replacing the arrays of `grads`.
    """

    level = "debug"
    hint = "What is in the arrays of grads when the second backward begins?"
    inputs = [
        (np.array([[1.0, 2.0], [3.0, 5.0], [0.5, -1.0]]), np.array([0.1, -0.2]), np.array([[1.0, 0.0, 2.0]])),
        (np.array([[1.0, 0.5, -1.0]]), np.array([1.0, 0.0, 2.0]), np.array([[1.0], [0.0], [2.5], [-4.0]])),
    ]

    class given:
        def __init__(self, W, b):
            self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

        def forward(self, x):
            """Return x @ W + b."""
            self.x = x
            return x @ self.params[0] + self.params[1]

        def backward(self, dout):
            """Write dW and db into grads and return dx."""
            self.grads[0] += self.x.T @ dout
            self.grads[1] += dout.sum(axis=0)
            return dout @ self.params[0].T

    class solution:
        def __init__(self, W, b):
            self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

        def forward(self, x):
            """Return x @ W + b."""
            self.x = x
            return x @ self.params[0] + self.params[1]

        def backward(self, dout):
            """Write dW and db into grads and return dx."""
            self.grads[0][...] = self.x.T @ dout
            self.grads[1][...] = dout.sum(axis=0)
            return dout @ self.params[0].T

    worked = r"""
    `+=` adds to what the batch before has left. Some libraries do so on purpose, and need a `zero_grad()` before each
    batch; without it you get this symptom. The layers of `mlcore` overwrite, in place: after `self.grads = [...]` the
    optimizer would still hold the old arrays.
    """

    class same(given):
        def backward(self, dout):
            for g in self.grads:
                g.fill(0)
            return super().backward(dout)

    class Replaced(solution):
        def backward(self, dout):
            self.grads = [self.x.T @ dout, dout.sum(axis=0)]
            return dout @ self.params[0].T

    class HalfFixed(given):
        def backward(self, dout):
            self.grads[0][...] = 0
            return super().backward(dout)

    wrong = {
        "What the batch before has left is still in it.": given,
        "The optimizer holds the arrays that were there before backward, and they get nothing.": Replaced,
        "The bias still adds up.": HalfFixed,
    }


class FromSymptomToCause(Exercise):
    r"""From symptom to cause

    A network (affine, sigmoid, affine, softmax with loss; batches of 50) misbehaves. For each report of a gradient
    check, name the most likely fault: `"no mean"`, `"mean twice"`, `"mean over the biases"`, `"slope in the loss"`,
    `"hidden backward"`, `"adds up"` or `"start"`.

    - `a`: all four gradients 50 times too large.
    - `b`: right in W1, W2; b1 and b2 50 times too small.
    - `c`: right in W2 and b2; no constant ratio in W1 and b1.
    - `d`: no constant ratio anywhere.
    - `e`: all right at first; after a second backward on the same batch, all doubled.
    - `f`: all right, always; the loss stays at $\ln C$ and the hidden units are all equal.
    """

    level = "transfer"
    hint = "Go backwards from the loss. Which gradients are computed after the fault, and which before it?"
    solution = {
        "a": "no mean",
        "b": "mean over the biases",
        "c": "hidden backward",
        "d": "slope in the loss",
        "e": "adds up",
        "f": "start",
    }
    worked = r"""
    A constant ratio points to a forgotten or doubled factor, and the gradients that have it say in which sum. No
    constant ratio points to a wrong formula; going back, the gradients are right until it is used, so in (c) it lies
    between $W_2$ and $W_1$, and in (d) at the very end. (e) shows only after two backward passes. In (f) the gradient
    is right, and the starting point is not.
    """
    same = {key: value.upper() for key, value in solution.items()}
    wrong = {
        "W2 and b2 are right, so what the loss sends back is right too.": solution | {"c": "slope in the loss"},
        "A factor N in the wrong direction: too large, not too small.": solution | {"a": "mean twice"},
        "If the check always passes, the gradients are right: look elsewhere.": solution | {"f": "hidden backward"},
        "The weights are right, so the mean of the loss is too.": solution | {"b": "mean twice"},
    }


class SquaredErrorOnProbabilities(Exercise):
    r"""Squared error behind a softmax

    Somebody trains a classifier with $L = \frac{1}{2N}\sum_n \sum_k (y_{nk} - t_{nk})^2$, $y = \mathrm{softmax}(x)$.
    Write the gradient with respect to the scores; the targets are distributions of shape (N, C).
    """

    level = "transfer"
    hint = "Nothing cancels here: multiply u = (y - t)/N by the Jacobian of softmax, diag(y) - y yᵀ, row by row."
    inputs = [
        (np.log([[0.2, 0.3, 0.5]]), np.array([[0.0, 1.0, 0.0]])),
        (np.array([[8.0, 0.0], [0.0, 1.0], [0.3, 0.3]]), np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])),
    ]

    def solution(x, t):
        """Return the gradient with respect to the scores x (N, C)."""
        y = softmax(x)
        u = (y - t) / len(x)
        return y * (u - (u * y).sum(axis=1, keepdims=True))

    worked = r"""
    Each row still sums to zero, since softmax notices no shift. But where the network is confident and wrong, $y$ is
    close to 0 or 1 and the gradient fades: at scores (8, 0) with the second class right it is 0.0007, where
    cross-entropy has 1 (before the mean). This is why the loss should contain the logarithm that undoes the
    exponential.
    """

    def same(x, t):
        rows = []
        for y, target in zip(softmax(x), t, strict=True):
            rows.append((np.diag(y) - np.outer(y, y)) @ (y - target))
        return np.array(rows) / len(x)

    def diagonal(x, t):
        y = softmax(x)
        return (y - t) * y * (1 - y) / len(x)

    wrong = {
        "That is the gradient of cross-entropy.": lambda x, t: (softmax(x) - t) / len(x),
        "Softmax does not work on each score by itself: its Jacobian has entries off the diagonal.": diagonal,
        "The loss is a mean over the rows: 1/N is missing.": lambda x, t: (
            len(x) * SquaredErrorOnProbabilities.solution(x, t)
        ),
    }


class RareClasses(Exercise):
    r"""Rare classes count more

    In a data set with a rare class, each example gets the weight of its class, and the loss is the *weighted mean*
    $L = \sum_n w_{t_n} L_n \,/\, \sum_n w_{t_n}$ of the cross-entropies. Write its gradient with respect to the scores.
    """

    level = "transfer"
    hint = "1/N was the share of each row in the mean. What is its share now?"
    inputs = [
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]), np.array([1, 0]), np.array([1.0, 4.0, 2.0])),
        (np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([1, 0, 0]), np.array([0.5, 10.0])),
    ]

    def solution(x, t, w):
        """Return the gradient with respect to x (N, C), for labels t (N,) and class weights w (C,)."""
        dx = softmax(x)
        dx[np.arange(len(t)), t] -= 1
        return dx * (w[t] / w[t].sum())[:, np.newaxis]

    worked = r"""
    $\partial L/\partial L_n = w_{t_n} / \sum_m w_{t_m}$ takes the place of $1/N$, once for each row. With equal weights
    it *is* $1/N$. Each row has the weight of its class: a factor for each row, not for each column.
    """

    def same(x, t, w):
        one_hot = np.eye(len(w))[t]
        share = one_hot @ w
        return np.diag(share) @ (softmax(x) - one_hot) / share.sum()

    wrong = {
        "The weights of a weighted mean add up to 1: divide by their sum, not by N.": lambda x, t, w: (
            (softmax(x) - np.eye(len(w))[t]) * w[t][:, np.newaxis] / len(t)
        ),
        "Divide by the weights of the examples in the batch, not by those of all classes.": lambda x, t, w: (
            (softmax(x) - np.eye(len(w))[t]) * w[t][:, np.newaxis] / w.sum()
        ),
        "The weight belongs to the example, so to the whole row; here each column has one.": lambda x, t, w: (
            (softmax(x) - np.eye(len(w))[t]) * w / w[t].sum()
        ),
        "Multiply the difference by the weight, not the target alone: a row must still sum to zero.": lambda x, t, w: (
            (softmax(x) - np.eye(len(w))[t] * w[t][:, np.newaxis]) / w[t].sum()
        ),
    }


class XorByHand(Exercise):
    r"""XOR by hand

    A ReLU network for XOR: $h_1 = \max(0, x_1 + x_2)$, $h_2 = \max(0, x_1 + x_2 - 1)$, $s = h_1 - 2 h_2$.

    - `scores`: its scores for $(0, 0)$, $(0, 1)$, $(1, 0)$, $(1, 1)$, in this order.
    - `forced`: an *affine* score has $s(0, 0) = -1$, $s(0, 1) = 2$ and $s(1, 0) = 3$. What is $s(1, 1)$?
    - `dw`: for the example $(1, 1)$ with $\partial L/\partial s = \tfrac12$: the gradient with respect to the weight
      from $h_2$ to $s$, which is $-2$.
    """

    level = "by hand"
    hint = "For an affine score the two diagonals of the square have the same sum."
    solution = {"scores": np.array([0, 1, 1, 2 - 2 * 1]), "forced": 2 + 3 - (-1), "dw": 1 / 2 * 1}
    worked = r"""
    $h_1$ is 0, 1, 1, 2 and $h_2$ is 0, 0, 0, 1, so $s$ is 0, 1, 1, 0: the second unit wakes up for $(1, 1)$ only and
    takes back what was too much. An affine score has no such unit: $s(0,0) + s(1,1) = s(0,1) + s(1,0)$ forces
    $s(1,1) = 6$, far on the wrong side. The weight is multiplied by $h_2 = 1$, so its gradient is
    $\tfrac12 \cdot 1$; its own value, $-2$, goes to $h_2$.
    """
    same = {"scores": [0.0, 1.0, 1.0, 0.0], "forced": 6.0, "dw": 0.5}
    wrong = {
        "What does the second unit take away at (1, 1)?": solution | {"scores": np.array([0, 1, 1, 2])},
        "Without max(0, ...) at the hidden units this would be an affine score.": solution
        | {"scores": np.array([2, 1, 1, 0])},
        "That would be right for XOR; an affine score has no choice.": solution | {"forced": -1},
        "That is what goes on to the unit. The weight gets dL/ds times the unit.": solution | {"dw": -1.0},
    }


class BackwardOverLayers(Exercise):
    r"""Back through all layers

    Write the backward pass of a network. `layers` have run forward already, first to last; `dout` is the gradient
    with respect to the output of the last one.
    """

    level = "implement"
    hint = "What does the last layer hand to the one before it?"
    inputs = [
        (2, np.array([[0.5, -1.0], [2.0, 0.3], [1.0, 1.0]]), np.array([[1.0, -2.0], [0.5, 0.0], [-1.0, 3.0]])),
        (1, np.array([[1.5, -0.5]]), np.array([[2.0, 0.7]])),
        (0, np.array([[1.0, 2.0]]), np.array([[3.0, -4.0]])),
    ]

    def solution(layers, dout):
        """Return the gradient with respect to the input of the first layer."""
        for layer in reversed(layers):
            dout = layer.backward(dout)
        return dout

    worked = r"""
    Each layer turns the gradient of its output into that of its input, which is the output of the layer before it.
    The first layer counts too: without its `backward` its parameters would get no gradient. A network without layers
    hands back what it was given.
    """

    @classmethod
    def run(cls, answer, pairs, x, dout):
        from mlcore import Affine

        W, b = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([0.1, -0.2])
        layers = [layer for k in range(pairs) for layer in (Affine((k + 1) * W, b), Sigmoid())]
        for layer in layers:
            x = layer.forward(x)
        dx = answer(layers, dout)
        return dx if dx is None else {"dx": dx} | {f"grads {k}": la.grads for k, la in enumerate(layers) if la.grads}

    def same(layers, dout):
        k = len(layers)
        while k > 0:
            k -= 1
            dout = layers[k].backward(dout)
        return dout

    def same_order(layers, dout):
        for layer in layers:
            dout = layer.backward(dout)
        return dout

    def same_gradient(layers, dout):
        for layer in reversed(layers):
            dx = layer.backward(dout)
        return dx if layers else dout

    def without_first(layers, dout):
        for layer in reversed(layers[1:]):
            dout = layer.backward(dout)
        return dout

    wrong = {
        "The last layer is the first to go back through.": same_order,
        "Each layer needs the gradient that the layer behind it returned, not always the same.": same_gradient,
        "The first layer has a backward too.": without_first,
    }


class ZeroTimesLogarithm(Exercise):
    r"""Nothing times minus infinity

    This cross-entropy of probabilities returns `nan` for a network that is certain and right. Find out why, and
    change it so that a class with target 0 costs nothing, whatever its probability. A right class with probability 0
    still costs infinitely much, and no other loss may change.
    """

    level = "debug"
    hint = "What is 0 times minus infinity? An epsilon would change the other losses."
    inputs = [
        (np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]), np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])),
        (np.array([[1e-14, 1.0], [0.25, 0.75]]), np.array([[1.0, 0.0], [0.6, 0.4]])),
        (np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])),
        (np.array([[1.0, 0.0], [0.5, 0.5], [0.1, 0.9]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])),
    ]

    def given(y, t):
        """Return the mean over the rows of -sum_k t_k log y_k."""
        with np.errstate(all="ignore"):
            return -(t * np.log(y)).sum(axis=1).mean()

    def solution(y, t):
        """Return the mean over the rows of -sum_k t_k log y_k."""
        with np.errstate(all="ignore"):
            return -(t * np.log(np.where(t > 0, y, 1))).sum(axis=1).mean()

    worked = r"""
    $\log 0 = -\infty$, and $0 \cdot (-\infty)$ is `nan`, which every sum and every mean keeps. Where $t = 0$, the sum
    gets the logarithm of 1 instead: 0. An $\varepsilon$ in the logarithm would also remove the `nan`, and
    change every other loss: of a right class with probability $10^{-14}$ the loss is 32.2, and with
    $\varepsilon = 10^{-7}$ it is 16.1. A loss that starts from scores has no need of all this.
    """

    def same(y, t):
        total = 0.0
        for row, target in zip(y, t, strict=True):
            for p, share in zip(row, target, strict=True):
                if share > 0:
                    total += share * (-np.log(p) if p > 0 else np.inf)
        return total / len(y)

    def epsilon(y, t):
        return -(t * np.log(y + 1e-7)).sum(axis=1).mean()

    def by_probability(y, t):
        return -(t * np.log(np.where(y > 0, y, 1))).sum(axis=1).mean()

    def nans_are_nothing(y, t):
        with np.errstate(all="ignore"):
            return -np.nanmean(t * np.log(y))

    wrong = {
        "A target of 0 times the logarithm of 0 is still nan.": given,
        "An epsilon changes every loss, most of all where the right class has hardly any probability.": epsilon,
        "The target decides what counts: a right class with probability 0 costs infinitely much.": by_probability,
        "A mean over all elements divides by N C, and what is left out is not counted.": nans_are_nothing,
    }


class StartForLeakyReLU(Exercise):
    r"""A start for leaky ReLU

    A leaky ReLU gives $h = z$ for $z > 0$ and $h = a z$ otherwise. Its layer has $D$ inputs, each with the mean square
    1, independent weights with mean 0 and variance $\sigma^2$, and no bias, so that $z$ is symmetrical about 0. Return
    the *standard deviation* $\sigma$ for which the mean square of $h$ is 1 too.
    """

    level = "transfer"
    hint = "Half of the mean square of z passes whole. What becomes of the other half?"
    inputs = [(100, 0.0), (50, 0.1), (8, 1.0), (30, 0.5)]

    def solution(D, a):
        """Return the standard deviation of the weights for D inputs and the negative slope a."""
        return np.sqrt(2 / ((1 + a**2) * D))

    worked = r"""
    $\mathrm{E}[z^2] = D\sigma^2$; one half of it passes whole, the other half with the factor $a^2$:
    $\mathrm{E}[h^2] = \tfrac12 (1 + a^2) D \sigma^2$. It is 1 for $\sigma^2 = 2 / ((1 + a^2) D)$, as in He et al.
    (2015), section 2.2. With $a = 0$ that is He's scale for ReLU, and with $a = 1$, where nothing is bent,
    $1/\sqrt D$.
    """

    def same(D, a):
        kept = (1 + a * a) / 2
        return 1 / (D * kept) ** 0.5

    wrong = {
        "That is the variance; its root is asked for.": lambda D, a: 2 / ((1 + a**2) * D),
        "A mean square gets the factor a squared.": lambda D, a: np.sqrt(2 / ((1 + a) * D)),
        "Some of the negative half passes: He's scale for ReLU is too large.": lambda D, a: np.sqrt(2 / D),
        "The bend is missing: for ReLU, a = 0, half of the mean square is lost.": lambda D, a: np.sqrt(1 / D),
    }
