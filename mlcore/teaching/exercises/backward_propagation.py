"""Exercises of section 1.3.5."""

import numpy as np

from mlcore import Sigmoid, softmax
from mlcore.teaching.practice import Exercise


class TrueOfLayers(Exercise):
    r"""True or false?

    Answer with `True` or `False`.

    - `a`: Each row of the gradient of softmax with loss by the scores sums to zero, for soft targets too.
    - `b`: If the loss of one example doubles, so does the size of its gradient $y - t$.
    - `c`: A network whose loss falls as fast as that of a right one has right gradients.
    - `d`: A hidden layer whose weights all start at 0.5, with all weights behind it at 0.5 too, works as one unit.
    - `e`: A gradient of size $10^{-9}$ in the first layer shows that its backward is wrong.
    """

    level = "recall"
    solution = {"a": True, "b": False, "c": False, "d": True, "e": False}
    worked = r"""
    (a) $y$ and $t$ both sum to 1. (b) No entry of $y - t$ exceeds 1: a loss of 50 and one of 100 have practically the
    same gradient. (c) `MeanBias` does, with bias gradients 32 times too small. (d) Equal units receive equal gradients
    and stay equal, whatever the value that they share. (e) Fifteen sigmoids may leave no more than that of a right
    gradient; only the *relative* error of a check tells.
    """
    same = {"a": 1 == 1, "b": 1 == 0, "c": 1 == 0, "d": 1 == 1, "e": 1 == 0}
    wrong = {
        "The gradient of a score is a difference of two probabilities: how large can it be?": solution | {"b": True},
        "What did the network with the mean over the biases do?": solution | {"c": True},
        "What tells the units apart, if all start with the same numbers?": solution | {"d": False},
        "Small and wrong are two things: a check compares relative to the size.": solution | {"e": True},
        "a: False is not right": solution | {"a": False},
    }


class TwoRowsOfScores(Exercise):
    r"""Two rows by hand

    Softmax gives $y = \begin{pmatrix}0.1 & 0.6 & 0.3\\ 0.5 & 0.25 & 0.25\end{pmatrix}$ for two examples, whose classes
    are 1 and 0. The loss is the mean of both. Write its gradient by the scores, shape (2, 3).
    """

    level = "by hand"
    hint = "Write the two targets as rows, subtract, and think of the mean."
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
    \begin{pmatrix}1&4\\1&1\end{pmatrix}$, and the column sums of $G$ are $(0, 3)$. That the first bias gets 0 says
    that what the first row asks for, the third row refuses.
    """
    same = {"dx": [[1.0, 3.0], [4.0, -2.0], [1.0, -4.0]], "dW": [[1.0, 4.0], [1.0, 1.0]], "db": [0.0, 3.0]}
    wrong = {
        "dW: it is transposed": solution | {"dW": solution["dW"].T},
        "With W itself in the place of its transpose the shapes fit, since W is square; the numbers do not.": solution
        | {"dx": np.array([[1, 0], [0, 2], [-1, 1]]) @ np.array([[1, 2], [3, -1]])},
        "All rows share b: add what they ask for, and do not take the mean.": solution | {"db": np.array([0.0, 1.0])},
    }


class WholeStepByHand(Exercise):
    r"""A whole step by hand

    One input, one hidden sigmoid unit, one score with `SigmoidWithLoss`: $z = w_1 x + b_1$, $h = \sigma(z)$,
    $s = w_2 h + b_2$. Take $x = 2$, $w_1 = \tfrac12$, $b_1 = \ln 3 - 1$, $w_2 = 4$, $b_2 = -3$ and the target
    $t = 1$. Compute the loss, four gradients, and $w_1$ after a step of SGD with learning rate 0.4.
    """

    level = "by hand"
    hint = "z is ln 3, for which the chapter knows h and its slope; s comes out as 0."
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
        "The sigmoid's slope in the loss has been cancelled; y - t needs no other.": {
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
            """Return the gradient by x."""
            return dout * (1 - self.y**2)

    worked = r"""
    The slope is at most 1, at 0, where the sigmoid has a quarter: tanh is a sigmoid that is stretched twice in each
    direction, $\tanh x = 2\sigma(2x) - 1$, and $2 \cdot 2 \cdot \tfrac14 = 1$. Through ten layers that is the whole
    difference between 1 and $10^{-6}$, as long as no unit is saturated.
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

    Write one step of SGD for a two-layer network in plain NumPy: affine, sigmoid, affine, softmax with loss (index
    labels). Return the loss before the step and the four parameters after it; leave the arguments as they are.
    """

    level = "implement"
    hint = "Six lines forward and back: h, y, ds, then dW2 and db2, then dz, then dW1 and db1."
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
        h = 1 / (1 + np.exp(-(x @ W1 + b1)))
        y = softmax(h @ W2 + b2)
        loss = -np.log(y[np.arange(len(t)), t]).mean()

        ds = y.copy()
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
    network. Note that $\partial L/\partial h$ needs $W_2$ *before* the step; a program that updates in place must go
    back first, all the way.
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
        h = 1 / (1 + np.exp(-(x @ W1 + b1)))
        y = softmax(h @ W2 + b2)
        ds = (y - np.eye(len(b2))[t]) / (len(t) if mean else 1)
        W2_new = W2 + sign * lr * h.T @ ds
        dz = ds @ (W2_new if late else W2).T * (h * (1 - h) if slope else 1)
        moved = [sign * lr * g for g in (x.T @ dz, dz.sum(axis=0), ds.sum(axis=0))]
        loss = -np.log(y[np.arange(len(t)), t]).mean()
        return loss, W1 + moved[0], b1 + moved[1], W2_new, b2 + moved[2]

    wrong = {
        "You go along the gradient: the loss will rise.": lambda *inputs: OneTrainingStep.step(*inputs, sign=1),
        "The loss is a mean over the rows; its gradient needs 1/N, once.": lambda *inputs: OneTrainingStep.step(
            *inputs, mean=False
        ),
        "On the way back through the sigmoid its slope is missing.": lambda *inputs: OneTrainingStep.step(
            *inputs, slope=False
        ),
        "The gradient by h needs W2 as it was in the forward pass.": lambda *inputs: OneTrainingStep.step(
            *inputs, late=True
        ),
    }


class MeanTakenTwice(Exercise):
    r"""Too slow by a factor

    A linear classifier learns, but needs a learning rate that is 32 times the usual, and another one as soon as the
    batch size changes. Its function returns the gradients by $W$ and $b$ of the mean loss. Find the fault, and mend it.
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
    $1/N$ belongs to the loss, and the loss only: `ds` already holds it. What comes after are sums over the rows,
    written as a matrix product for $W$ and as `sum` for $b$. Whoever prefers to keep it out of `ds` must divide
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
        "is there a mean too many?": given,
        "One of the two is mended; look at the bias.": one_left,
        "is the mean taken?": none,
    }


class SlopePutBack(Exercise):
    r"""Slow where it is most wrong

    The author of this function remembered that the chain rule passes through the sigmoid. The network learns, only
    strangely slowly from its worst mistakes. Find the fault, and mend it.
    """

    level = "debug"
    hint = "What is the derivative of the loss by y, and what is left when it is multiplied by the slope?"
    inputs = [
        (np.log([3.0, 1.0]), np.array([1, 0])),
        (np.array([10.0, -10.0, 2.0]), np.array([0, 1, 1])),
        (np.array([-1.0, 0.5, 0.0, 3.0]), np.array([0.2, 0.9, 0.5, 1.0])),
    ]

    def given(x, t):
        """Return the gradient of the mean loss by the scores x (N,), targets t (N,)."""
        y = 1 / (1 + np.exp(-x))
        return (y - t) * y * (1 - y) / len(t)

    def solution(x, t):
        """Return the gradient of the mean loss by the scores x (N,), targets t (N,)."""
        y = 1 / (1 + np.exp(-x))
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
        "The slope is still there, and pulls down the largest errors the most.": given,
        "the sign is wrong": lambda x, t: (t - 1 / (1 + np.exp(-x))) / len(t),
        "as many times too large as x has rows": lambda x, t: 1 / (1 + np.exp(-x)) - t,
        "That is the derivative by y; by the score the slope still multiplies it.": lambda x, t: (
            (1 / (1 + np.exp(-x)) - t) / (1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x)))) / len(t)
        ),
    }


class TestedOnSquares(Exercise):
    r"""Tested on a square

    This affine layer passed its test of shapes, with 4 rows, 4 inputs and 4 outputs. Find two faults, and mend them.
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
    `dout.T @ x` is the transpose of $X^{\mathsf T} G$, and `axis=1` adds over the outputs instead of the rows. On a
    square nothing complains: shapes that fit prove nothing there. So test with sizes that all differ, and compare with
    a measured gradient.
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
        "The weights are mended. The bias serves every row: over which axis must it be added up?": OnlyWeights,
        "One row is not enough: all of them share b.": LastRow,
        "Right formulas, but new arrays: whoever holds the old ones, as an optimizer does, sees zeros.": Replaced,
        "The mean belongs to the loss alone; here is a sum.": MeanOfRows,
    }


class SlopeOfWhat(Exercise):
    r"""The slope of what?

    A helper like `slope` is found in many small programs. Here it stands in the backward pass of a hidden layer, and a
    gradient check fails in the first layer's weights. Find the fault, and mend it.
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
        """Return the gradient by W, given that by h = sigmoid(x @ W)."""

        def slope(v):
            return v * (1 - v)

        z = x @ W
        return x.T @ (dh * slope(z))

    def solution(x, W, dh):
        """Return the gradient by W, given that by h = sigmoid(x @ W)."""

        def slope(h):
            return h * (1 - h)

        h = 1 / (1 + np.exp(-(x @ W)))
        return x.T @ (dh * slope(h))

    worked = r"""
    $h(1-h)$ is the slope in terms of the *output*. Of the input the same parabola makes nonsense: at $z = 5$ it gives
    $-20$, where the slope is $0.007$. A name that says which of the two is meant is the cheapest protection.
    """

    def same(x, W, dh):
        z = x @ W
        return np.einsum("nd,nh->dh", x, dh / (2 + np.exp(z) + np.exp(-z)))

    wrong = {
        "The slope is still taken of z: sigmoid'(z) = h (1 - h).": given,
        "The slope multiplies what comes from above; here it takes its place.": lambda x, W, dh: (
            x.T @ (1 / (2 + np.exp(x @ W) + np.exp(-x @ W)))
        ),
        "The sigmoid's own slope is missing.": lambda x, W, dh: x.T @ dh,
    }


class ProbabilitiesThatChange(Exercise):
    r"""Probabilities that change

    This function returns the loss, the probabilities and the gradient by the scores. Loss and gradient are right; yet
    a plot of the probabilities shows negative ones. Find the fault, and mend it.
    """

    level = "debug"
    hint = "How many arrays are there behind the names y and dx?"
    inputs = [
        (np.log([[0.2, 0.3, 0.5]]), np.array([1])),
        (np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([1, 1, 0])),
    ]

    def given(x, t):
        """Return the mean loss, the probabilities and the gradient by the scores."""
        y = softmax(x)
        loss = -np.log(y[np.arange(len(t)), t]).mean()
        dx = y
        dx[np.arange(len(t)), t] -= 1
        dx /= len(t)
        return loss, y, dx

    def solution(x, t):
        """Return the mean loss, the probabilities and the gradient by the scores."""
        y = softmax(x)
        loss = -np.log(y[np.arange(len(t)), t]).mean()
        dx = y.copy()
        dx[np.arange(len(t)), t] -= 1
        dx /= len(t)
        return loss, y, dx

    worked = r"""
    `dx = y` gives the array a second name and copies nothing, so that `-= 1` and `/=` change the probabilities as well.
    Here only a plot suffers. A layer that keeps `y` and is asked to go back twice would return a wrong gradient the
    second time; `mlcore` copies, and then forgets.
    """

    def same(x, t):
        y = softmax(x)
        return -np.log(np.take_along_axis(y, t[:, np.newaxis], 1)).mean(), y, (y - np.eye(x.shape[1])[t]) / len(x)

    def half_copied(x, t):
        y = softmax(x)
        loss = -np.log(y[np.arange(len(t)), t]).mean()
        y[np.arange(len(t)), t] -= 1
        return loss, y, y / len(t)

    def copied_late(x, t):
        loss, y, dx = ProbabilitiesThatChange.given(x, t)
        return loss, y.copy(), dx

    wrong = {
        "Both names still stand for one array.": given,
        "The division makes a new array, but the 1 has been subtracted before it.": half_copied,
        "result 2": copied_late,
    }


class SecondBatch(Exercise):
    r"""Right for the first batch

    This affine layer passes its gradient check. In training the loss falls for some steps and then climbs: from the
    second batch on its gradients are wrong. Find the fault, and mend it without replacing the arrays of `grads`.
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
    `+=` adds to what the batch before has left. Some libraries mean it so, and ask for a `zero_grad()` before each
    batch; whoever forgets it gets this symptom. The layers of `mlcore` overwrite, in place: `self.grads = [...]` would
    cut the tie to the optimizer, which holds the old arrays.
    """

    @classmethod
    def run(cls, answer, W, b, x):
        layer = answer(W, b)
        grads = list(layer.grads)  # what an optimizer holds
        for batch in (-2 * x, x):
            out = layer.forward(batch)
            dx = layer.backward(np.ones_like(out) + batch[:, :1])
        return {"dW": grads[0].copy(), "db": grads[1].copy(), "dx": dx}

    class same(given):
        def backward(self, dout):
            for g in self.grads:
                g.fill(0)
            return super().backward(dout)

    class Replaced(solution):
        def backward(self, dout):
            self.grads = [self.x.T @ dout, dout.sum(axis=0)]
            return dout @ self.params[0].T

    class HalfMended(given):
        def backward(self, dout):
            self.grads[0][...] = 0
            return super().backward(dout)

    wrong = {
        "What the first batch has left is still in it.": given,
        "The optimizer holds the arrays that were there before backward, and they get nothing.": Replaced,
        "The bias still adds up.": HalfMended,
    }


class FromSymptomToCause(Exercise):
    r"""From symptom to cause

    A network (affine, sigmoid, affine, softmax with loss; batches of 50) misbehaves. For each report of a gradient
    check name the most likely fault: `"no mean"`, `"mean twice"`, `"mean over the biases"`, `"slope in the loss"`,
    `"hidden backward"`, `"adds up"` or `"start"`.

    - `a`: all four gradients 50 times too large.
    - `b`: right in W1, W2; b1 and b2 50 times too small.
    - `c`: right in W2 and b2; no constant ratio in W1 and b1.
    - `d`: no constant ratio anywhere.
    - `e`: all right at the first backward, all twice too large at the second.
    - `f`: all right, always; the loss stays at $\ln C$ and the hidden units are all equal.
    """

    level = "transfer"
    hint = "Go from the loss backwards. Which parameters lie behind the fault, and which before it?"
    solution = {
        "a": "no mean",
        "b": "mean over the biases",
        "c": "hidden backward",
        "d": "slope in the loss",
        "e": "adds up",
        "f": "start",
    }
    worked = r"""
    A constant ratio is a forgotten or doubled factor, and where it stands says which sum. No constant ratio is a wrong
    formula; the gradients are right down to the place where it stands, so in (c) it lies between $W_2$ and $W_1$,
    and in (d) at the very end. (e) needs two backward passes to show. In (f) the gradient is right, and the starting
    point is not.
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
    Write the gradient by the scores; the targets are distributions of shape (N, C).
    """

    level = "transfer"
    hint = "Nothing cancels here: multiply u = (y - t)/N by the Jacobian of softmax, diag(y) - y yᵀ, row by row."
    inputs = [
        (np.log([[0.2, 0.3, 0.5]]), np.array([[0.0, 1.0, 0.0]])),
        (np.array([[8.0, 0.0], [0.0, 1.0], [0.3, 0.3]]), np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])),
    ]

    def solution(x, t):
        """Return the gradient by the scores x (N, C)."""
        y = softmax(x)
        u = (y - t) / len(x)
        return y * (u - (u * y).sum(axis=1, keepdims=True))

    worked = r"""
    Each row still sums to zero, since softmax notices no shift. But where the network is sure and wrong, $y$ is close
    to 0 or 1 and the gradient fades: at scores (8, 0) with the second class right it is 0.0007, where cross-entropy
    has 1 (before the mean). This is why the loss should contain the logarithm that undoes the exponential.
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
        "Softmax does not work on each score by itself: its Jacobian has entries beside the diagonal.": diagonal,
        "The loss is a mean over the rows: 1/N is missing.": lambda x, t: (
            len(x) * SquaredErrorOnProbabilities.solution(x, t)
        ),
    }


class RareClasses(Exercise):
    r"""Rare classes count more

    In a data set with a rare class, each example gets the weight of its class, and the loss is the *weighted mean*
    $L = \sum_n w_{t_n} L_n \,/\, \sum_n w_{t_n}$ of the cross-entropies. Write its gradient by the scores.
    """

    level = "transfer"
    hint = "1/N was the say of each row in the mean. What is its say now?"
    inputs = [
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]), np.array([1, 0]), np.array([1.0, 4.0, 2.0])),
        (np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([1, 0, 0]), np.array([0.5, 10.0])),
    ]

    def solution(x, t, w):
        """Return the gradient by x (N, C), for labels t (N,), class weights w (C,)."""
        dx = softmax(x)
        dx[np.arange(len(t)), t] -= 1
        return dx * (w[t] / w[t].sum())[:, np.newaxis]

    worked = r"""
    $\partial L/\partial L_n = w_{t_n} / \sum_m w_{t_m}$ takes the place of $1/N$, once for each row. With equal weights
    it *is* $1/N$. The weights are those of the row's class: a factor for each row, not for each column.
    """

    def same(x, t, w):
        one_hot = np.eye(len(w))[t]
        say = one_hot @ w
        return np.diag(say) @ (softmax(x) - one_hot) / say.sum()

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
    $\log 0 = -\infty$, and $0 \cdot (-\infty)$ is `nan`, which every sum and every mean keeps. Where $t = 0$ the
    logarithm of 1 stands in the sum instead: 0. An $\varepsilon$ in the logarithm would also remove the `nan`, and
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
