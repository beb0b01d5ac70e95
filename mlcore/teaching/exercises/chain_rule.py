"""Exercises of section 1.3.3."""

import numpy as np

from mlcore.teaching.practice import Exercise


class Counted(float):
    """A number that counts how often such numbers are multiplied."""

    times = 0

    def __mul__(self, other):
        Counted.times += 1
        return super().__mul__(other)

    __rmul__ = __mul__


class ShapesOfJacobians(Exercise):
    r"""Shapes

    The calculation runs $x \to y \to z$ with 5, 3 and 2 numbers. In numerator layout, rows for outputs, what are the
    shapes of $J_{y,x}$, of $J_{z,y}$ and of their product? And what shape does $J_{z,x}$ have in the other
    layout?
    """

    level = "recall"
    hint = "A row for each output, a column for each input."
    solution = {"J_yx": (3, 5), "J_zy": (2, 3), "product": (2, 5), "other": (5, 2)}
    worked = r"""
    $J_{y,x}$ has a row for each of the 3 numbers of $y$ and a column for each of the 5 of $x$. The last step comes
    leftmost: (2, 3) times (3, 5) is (2, 5). Denominator layout is the transpose.
    """
    same = {"J_yx": [3, 5], "J_zy": [2, 3], "product": [2, 5], "other": [5, 2]}
    wrong = {
        "This is denominator layout throughout: rows for inputs.": {
            "J_yx": (5, 3),
            "J_zy": (3, 2),
            "product": (5, 2),
            "other": (5, 2),
        },
        "The other layout is the transpose, not the same.": solution | {"other": (2, 5)},
        "product: entry [0]": solution | {"product": (3, 3)},
    }


class WhichMode(Exercise):
    r"""Forward or reverse?

    Which mode finds the whole Jacobian with fewer multiplications, "forward" or "reverse"?

    - `loss`: a loss with respect to a million weights;
    - `orbit`: a thousand positions of a planet with respect to its mass;
    - `scores`: ten scores of a network with respect to the 64 pixels of an image;
    - `weather`: the temperature at 500 places tomorrow with respect to three constants of the model.
    """

    level = "recall"
    hint = "Forward mode needs a sweep for each input, reverse mode one for each output."
    solution = {"loss": "reverse", "orbit": "forward", "scores": "reverse", "weather": "forward"}
    worked = """
    Count inputs and outputs: a million and 1, 1 and 1000, 64 and 10, 3 and 500. The smaller number wins. Reverse mode
    is the mode of learning only because a loss is one number.
    """
    same = {"loss": "Reverse", "orbit": "Forward", "scores": "Reverse", "weather": "Forward"}
    wrong = {
        "Reverse mode is not always best: where there are few inputs and many outputs it needs many sweeps.": (
            dict.fromkeys(["loss", "orbit", "scores", "weather"], "reverse")
        ),
        "It is the other way round: forward mode needs a sweep for each input.": {
            "loss": "forward",
            "orbit": "reverse",
            "scores": "forward",
            "weather": "reverse",
        },
        "scores: ": solution | {"scores": "forward"},
    }


class ThreeWays(Exercise):
    r"""Three ways to one slope

    Let $L = x u + v^2$ with $u = x^2$ and $v = 3x$, at $x = 2$. How much does each way contribute to $dL/dx$: the
    direct one, since $x$ occurs in $L$ itself, the one through $u$, and the one through $v$? And what is $dL/dx$?
    """

    level = "by hand"
    hint = "First compute u and v. Then multiply along each way; for the direct one u and v are held fixed."
    solution = {
        "direct": 2**2,
        "through_u": 2 * (2 * 2),
        "through_v": 2 * (3 * 2) * 3,
        "total": 4 + 8 + 36,
    }
    worked = r"""
    $u = 4$ and $v = 6$. Direct: $\partial L/\partial x = u = 4$. Through $u$: $\partial L/\partial u \cdot du/dx = x
    \cdot 2x = 8$. Through $v$: $2v \cdot 3 = 36$. Together 48. (Check: $L = x^3 + 9x^2$ has the slope $3x^2 + 18x =
    48$.)
    """
    same = {"direct": 4.0, "through_u": 8.0, "through_v": 36.0, "total": 48.0}
    wrong = {
        "This is the partial derivative, with u and v held fixed: one way of three.": solution | {"total": 4},
        "One way is missing from the sum: x occurs in L itself as well.": solution | {"total": 44},
        "through_v: ": solution | {"through_v": 2 * 6, "total": 24},
    }


class PathsAndArrows(Exercise):
    r"""Paths and arrows

    A network has 4 inputs, three hidden layers of 100 units each, and 1 output; every unit is connected to every unit
    of the next layer. How many paths lead from *one* input to the output? And how many multiplications does one sweep
    from the output back to all inputs take, with one for each arrow?
    """

    level = "by hand"
    hint = "A path chooses one unit in each hidden layer. Between layers of n and m units there are n m arrows."
    solution = {
        "paths": 100**3,
        "multiplications": 4 * 100 + 100 * 100 + 100 * 100 + 100 * 1,
    }
    worked = """
    A path is a choice of one of 100 units, three times: a million. The arrows are 400 + 10,000 + 10,000 + 100 = 20,500.
    The sweep finds the slopes of all four inputs at that price, while there are four million paths from all four.
    """
    same = {"paths": 1e6, "multiplications": 20500.0}
    wrong = {
        "Choices multiply: 100 units in the first layer, and for each of them 100 in the second.": (
            solution | {"paths": 300}
        ),
        "These are the paths from all four inputs.": solution | {"paths": 4 * 100**3},
        "multiplications: ": solution | {"multiplications": 4 * 100 * 100 * 100},
    }


class BackThroughSoftmax(Exercise):
    r"""Back through a softmax, by hand

    A softmax gave $p = (0.2, 0.3, 0.5)$, and the upstream gradient is $u = (1, 0, -1)$. Which gradient goes back to the
    scores?
    """

    level = "by hand"
    hint = "First the mean of u, weighted by p. What is left of u when it is subtracted?"
    solution = np.array([0.2, 0.3, 0.5]) * (np.array([1, 0, -1]) - (0.2 - 0.5))
    worked = r"""
    $u \cdot p = 0.2 - 0.5 = -0.3$. Subtracted from $u$: $(1.3, 0.3, -0.7)$. Times $p$: $(0.26, 0.09, -0.35)$. The sum
    is zero, as it must be: adding a constant to all scores changes no probability. The middle class gets a gradient
    although its own $u$ is zero, since its score takes part in all three probabilities.
    """
    same = (0.26, 0.09, -0.35)
    wrong = {
        "This is the diagonal alone: every score also moves the other probabilities.": (0.16, 0.0, -0.25),
        "Something is to be subtracted from u before it is multiplied by p.": (0.2, 0.0, -0.5),
        "the sign is wrong everywhere": (-0.26, -0.09, 0.35),
    }


class HowDeep(Exercise):
    r"""How deep?

    Each layer multiplies the length of the gradient by the same factor. After how many layers is less than a millionth
    left, if the factor is 1/4? And after how many layers is it more than a thousand times as long, if the factor is
    1.5?
    """

    level = "by hand"
    hint = "Take the logarithm of the factor to the power n."
    solution = {
        "vanished": int(np.ceil(np.log(1e-6) / np.log(1 / 4))),
        "exploded": int(np.ceil(np.log(1000) / np.log(1.5))),
    }
    worked = r"""
    $(1/4)^n < 10^{-6}$ means $n > 6 \log 10 / \log 4 = 9.97$: 10 layers. $1.5^n > 1000$ means $n > 3 \log 10 / \log
    1.5 = 17.04$: 18 layers.
    """
    same = {"vanished": 10.0, "exploded": 18.0}
    wrong = {
        "exploded: ": solution | {"exploded": 17},
        "Factors multiply: they do not add.": {"vanished": 4_000_000, "exploded": 667},
        "vanished: ": solution | {"vanished": 6},
    }


class GraphSlope(Exercise):
    r"""The sweep over any graph

    Write the sweep. A graph is a dict: `rates[start, end]` is the local derivative of the arrow from node `start` to
    node `end`. Arrows always lead to a larger number, and the node with the largest number is the last. Return the
    slope of the last node with respect to node 0, with one multiplication for each arrow.
    """

    level = "implement"
    hint = "The slope of a node is the sum of rate times slope over its arrows. Begin at the last node: its slope is 1."
    inputs = [
        ({(0, 1): 2.0, (1, 2): 3.0},),
        ({(0, 1): 2.0, (0, 2): 3.0, (1, 3): 1.0, (2, 3): 1.0, (3, 4): 4.0, (3, 5): 5.0, (4, 6): 1.0, (5, 6): 1.0},),
        ({(0, 1): 2.0, (0, 2): -1.0, (1, 2): 4.0, (0, 3): 0.5, (2, 3): 3.0},),
        ({(2, 3): 3.0, (0, 2): -1.0, (1, 2): 4.0, (0, 1): 2.0, (1, 4): 5.0, (3, 4): -2.0},),
        ({(j, k): 1.0 for k in range(14) for j in range(k)},),
    ]

    @classmethod
    def run(cls, answer, rates):
        Counted.times = 0
        slope = answer({arrow: Counted(rate) for arrow, rate in rates.items()})
        if slope is None or slope is ...:
            return None
        few = Counted.times <= len(rates)
        return {"slope": slope, "multiplications": "one for each arrow" if few else f"{Counted.times} for {len(rates)}"}

    def solution(rates):
        """Return the slope of the last node with respect to node 0."""
        last = max(end for _, end in rates)
        slope = {last: 1.0}
        for node in reversed(range(last)):
            arrows = [(end, rate) for (start, end), rate in rates.items() if start == node]
            slope[node] = sum(rate * slope[end] for end, rate in arrows)
        return slope[0]

    worked = """
    When a node is reached, all nodes with a larger number are finished, so each of its arrows costs one multiplication.
    Only the order makes this possible; no path is ever walked as a whole. The last of the graphs that the check
    tries has 91 arrows and 4,096 paths.
    """

    def same(rates):
        moved = {0: 1.0}  # forward: how fast each node moves with node 0
        for start, end in sorted(rates, key=max):
            moved[end] = moved.get(end, 0) + rates[start, end] * moved[start]
        return moved[max(moved)]

    def all_paths(rates):
        def slope(node):
            arrows = [(end, rate) for (start, end), rate in rates.items() if start == node]
            return sum(rate * slope(end) for end, rate in arrows) if arrows else 1.0

        return slope(0)

    def last_path_only(rates):
        slope = {max(end for _, end in rates): 1.0}
        for start, end in sorted(rates, reverse=True):
            slope[start] = rates[start, end] * slope[end]
        return slope[0]

    wrong = {
        "Each node keeps only one of its ways: add them.": last_path_only,
        "Arrows side by side add up; only arrows one after another multiply.": (
            lambda rates: float(np.prod(list(rates.values())))
        ),
        '"12 for 8" is not right': all_paths,
        "but 6 is expected": lambda rates: sum(rates.values()),
    }


class LogisticSlope(Exercise):
    r"""A pair through a program

    Write forward mode for the logistic map. Start with the value `x` and the slope 1, and carry both through `n` steps
    $l \mapsto 4\, l\, (1 - l)$. Return the pair. The slope has to be exact, but for rounding: no differences.
    """

    level = "implement"
    hint = "The derivative of 4 l (1 - l) with respect to l is 4 (1 - 2 l), at the l before the step."
    inputs = [(0.2, 3), (0.3, 1), (0.6, 4), (0.4, 7)]
    within = 1e-11

    def solution(x, n):
        """Return the value after n steps from x, and its derivative with respect to x."""
        value, slope = x, 1.0
        for _ in range(n):
            value, slope = 4 * value * (1 - value), 4 * (1 - 2 * value) * slope
        return value, slope

    worked = """
    Each step multiplies the slope by the local derivative, taken at the value before the step. Python computes the
    whole right side before it assigns, so both expressions see the old value. At x = 0.2 and n = 3 the slope is
    9.0660864, as in the chapter.
    """

    def same(x, n):
        values = [x]
        for _ in range(n):
            values.append(4 * values[-1] * (1 - values[-1]))
        return values[n], float(np.prod([4 - 8 * value for value in values[:n]]))

    def central(x, n):
        values = [LogisticSlope.solution(point, n)[0] for point in (x, x - 1e-6, x + 1e-6)]
        return values[0], (values[2] - values[1]) / 2e-6

    def value_first(x, n):
        value, slope = x, 1.0
        for _ in range(n):
            value = 4 * value * (1 - value)
            slope = 4 * (1 - 2 * value) * slope
        return value, slope

    def last_step(x, n):
        value = slope = x
        for _ in range(n):
            value, slope = 4 * value * (1 - value), 4 * (1 - 2 * value)
        return value, slope

    wrong = {
        "The value is already the new one when the slope asks for the old.": value_first,
        "This is the slope of the last step alone: multiply by the slope so far.": last_step,
        "nearly right": central,
        "entry [1] is 2.4, but 9.066 is expected": lambda x, n: (LogisticSlope.solution(x, n)[0], 4 * (1 - 2 * x)),
    }


class NudgeThrough(Exercise):
    r"""A nudge through two layers

    $z = \tanh(xA)\,B$. Write the Jacobian-vector product: how fast each entry of $z$ moves when $x$ moves in the
    direction `v`. It has to be exact, but for rounding, and no Jacobian is to be built.
    """

    level = "implement"
    hint = "Send v along with x: which steps are linear, and what does tanh do to a nudge?"
    inputs = [
        (np.array([0.5, -1.0]), np.array([1.0, 0.0]), np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0]]), np.eye(3)[:, :2]),
        (np.array([0.2]), np.array([2.0]), np.array([[1.0, -0.5]]), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]])),
        (np.array([0.1, 0.7]), np.array([3.0, -2.0]), np.array([[4.0], [-3.0]]), np.array([[5.0, -7.0]])),
    ]
    within = 1e-12

    def solution(x, v, A, B):
        """Return the derivative of tanh(x @ A) @ B at x in the direction v."""
        h = np.tanh(x @ A)
        return (v @ A * (1 - h**2)) @ B

    worked = r"""
    A linear step does to a nudge what it does to the value, so `v @ A` and, at the end, `@ B`. Between them it is
    multiplied by the slope of tanh, $1 - h^2$, at the *value* $xA$. That is forward mode; the same three factors in the
    opposite order, applied to an upstream gradient, are `backward`.
    """

    def same(x, v, A, B):
        jacobian = (A / np.cosh(x @ A) ** 2) @ B
        return v @ jacobian

    def central(x, v, A, B):
        return (np.tanh((x + 1e-5 * v) @ A) @ B - np.tanh((x - 1e-5 * v) @ A) @ B) / 2e-5

    wrong = {
        "nearly right": central,
        "The slope of tanh is to be taken at x A, not at v A.": lambda x, v, A, B: (
            (v @ A * (1 - np.tanh(v @ A) ** 2)) @ B
        ),
        "The slope of tanh is missing.": lambda x, v, A, B: v @ A @ B,
        "This is the change for the whole of v, not the rate at x.": (
            lambda x, v, A, B: np.tanh((x + v) @ A) @ B - np.tanh(x @ A) @ B
        ),
    }


class WrongPoint(Exercise):
    r"""Right factors, wrong points

    This function should return the derivative of $\sin(e^{x^2})$. All three local derivatives are there, and at $x = 0$
    nothing looks wrong. Fix it.
    """

    level = "debug"
    hint = "Name the stages: a = x², b = exp(a), c = sin(b). At which value is the derivative of the sine taken?"
    inputs = [(np.array([0.0]),), (np.array([0.3, -0.8]),), (np.array([1.1, 0.5, -0.2]),)]

    def given(x):
        """Return the derivative of sin(exp(x²)) at each entry of an array x."""
        return np.cos(x) * np.exp(x) * 2 * x

    def solution(x):
        """Return the derivative of sin(exp(x²)) at each entry of an array x."""
        a = x**2
        b = np.exp(a)
        return np.cos(b) * b * 2 * x

    worked = """
    Each local derivative is taken at the input of its own step: the cosine at `b`, the exponential at `a`. That is why
    the values of the forward pass are kept. At 0 the factor `2 * x` hides everything else, so test at several points.
    """

    def same(x):
        return 2 * x * np.exp(x * x) * np.cos(np.exp(x * x))

    wrong = {
        "entry [0] is 0.77": lambda x: np.cos(x) * np.exp(x) * 2 * x,
        "The cosine is right now; the exponential is still taken at x.": lambda x: (
            np.cos(np.exp(x**2)) * np.exp(x) * 2 * x
        ),
        "The cosine is taken one step too early: at x² instead of exp(x²).": lambda x: (
            np.cos(x**2) * np.exp(x**2) * 2 * x
        ),
    }


class ShortCut(Exercise):
    r"""A way around the layer

    A layer with a skip connection computes $y = x + \tanh(xW)$. This is its backward pass for the input. It has the
    right shape and the wrong numbers. Fix it.
    """

    level = "debug"
    hint = "In how many ways does x reach y?"
    inputs = [
        (np.array([[0.5, -1.0]]), np.array([[1.0, 0.5], [-0.5, 2.0]]), np.array([[1.0, 2.0]])),
        (np.array([[0.1], [0.7], [-2.0]]), np.array([[1.5]]), np.array([[1.0], [-1.0], [3.0]])),
    ]

    def given(x, W, u):
        """Return the gradient with respect to x; u is that with respect to y = x + tanh(x @ W)."""
        h = np.tanh(x @ W)
        return (u * (1 - h**2)) @ W.T

    def solution(x, W, u):
        """Return the gradient with respect to x; u is that with respect to y = x + tanh(x @ W)."""
        h = np.tanh(x @ W)
        return u + (u * (1 - h**2)) @ W.T

    worked = r"""
    $x$ acts on $y$ in two ways, and the given code follows one. The Jacobian of the skip connection is the identity: it
    hands `u` back unchanged. However small the other term becomes, this way does not vanish.
    """

    def same(x, W, u):
        rows = zip(x, u, strict=True)
        return np.array([g @ (np.eye(len(W)) + np.diag(1 / np.cosh(row @ W) ** 2) @ W.T) for row, g in rows])

    wrong = {
        "entry [0, 0] is 0.5338, but 1.534 is expected": lambda x, W, u: (u * (1 - np.tanh(x @ W) ** 2)) @ W.T,
        "What comes back along the two ways is added, not multiplied.": lambda x, W, u: (
            u * ((u * (1 - np.tanh(x @ W) ** 2)) @ W.T)
        ),
        "On the way back W is transposed.": lambda x, W, u: u + (u * (1 - np.tanh(x @ W) ** 2)) @ W,
    }


class LostTransposes(Exercise):
    r"""It passed its test

    The gradient of $z = \tanh(xA)\,B$ with respect to $x$. The test used symmetric matrices $A$ and $B$, and the
    function passed. Fix it.
    """

    level = "debug"
    hint = "The Jacobian of x ↦ x A is the transpose of A, and rows are multiplied by Jacobians from the right."
    inputs = [
        (np.array([[0.5, -1.0]]), np.array([[1.0, 0.5], [0.5, 2.0]]), np.eye(2), np.array([[1.0, 2.0]])),
        (
            np.array([[0.5, -1.0]]),
            np.array([[1.0, 0.5], [0.0, 2.0]]),
            np.array([[1.0, 3.0], [2.0, -1.0]]),
            np.ones((1, 2)),
        ),
        (
            np.array([[0.1, 0.2, 0.3], [1.0, 0.0, -1.0]]),
            np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [0.5, 0.0, 1.0]]),
            np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 1.0], [1.0, 1.0, 3.0]]),
            np.array([[1.0, -1.0, 0.5], [2.0, 0.0, 1.0]]),
        ),
    ]

    def given(x, A, B, u):
        """Return the gradient with respect to x; u is that with respect to z = tanh(x @ A) @ B."""
        h = np.tanh(x @ A)
        return ((u @ B) * (1 - h**2)) @ A

    def solution(x, A, B, u):
        """Return the gradient with respect to x; u is that with respect to z = tanh(x @ A) @ B."""
        h = np.tanh(x @ A)
        return ((u @ B.T) * (1 - h**2)) @ A.T

    worked = r"""
    Backward, a row meets the Jacobians $B^{\mathsf T}$, the diagonal of slopes, and $A^{\mathsf T}$, the last step
    first. A symmetric matrix is its own transpose and hides the fault, as the identity does; with unequal sizes the
    wrong product would not even run. Test with shapes that differ and with numbers that have no symmetry.
    """

    def same(x, A, B, u):
        rows = zip(x, u, strict=True)
        return np.array([(A @ np.diag(1 / np.cosh(row @ A) ** 2) @ B) @ g for row, g in rows])

    wrong = {
        "entry [0, 0] is 2.359": lambda x, A, B, u: ((u @ B) * (1 - np.tanh(x @ A) ** 2)) @ A,
        "B is transposed now, A is not.": lambda x, A, B, u: ((u @ B.T) * (1 - np.tanh(x @ A) ** 2)) @ A,
        "This is the order of the forward pass; backward, the last step comes first.": (
            lambda x, A, B, u: ((u @ A.T) * (1 - np.tanh(x @ A) ** 2)) @ B.T
        ),
    }


class ScaledTanh(Exercise):
    r"""The value that is no longer there

    A layer for $y = 2 \tanh x$. Its formulas are right, its outputs are right, and its gradient is not. Fix it.
    """

    level = "debug"
    hint = "What does self.out hold when backward reads it? Print it."
    inputs = [(np.array([[0.5, -1.0]]),), (np.array([[0.0], [2.0], [-0.3]]),)]

    class given:
        """The layer y = 2 tanh(x)."""

        def forward(self, x):
            """Return y; remember tanh(x)."""
            out = np.tanh(x)
            self.out = out
            out *= 2
            return out

        def backward(self, dout):
            """Return the gradient with respect to x."""
            return dout * 2 * (1 - self.out**2)

    class solution:
        """The layer y = 2 tanh(x)."""

        def forward(self, x):
            """Return y; remember tanh(x)."""
            self.out = np.tanh(x)
            return 2 * self.out

        def backward(self, dout):
            """Return the gradient with respect to x."""
            return dout * 2 * (1 - self.out**2)

    worked = """
    `self.out = out` saves no values: it is a second name for the same array, and `out *= 2` changes what both names
    refer to. When the backward sweep comes, the value it needs is gone. `2 * out` makes a new array.
    """

    class same:
        def forward(self, x):
            self.x = x.copy()
            return 2 * np.tanh(x)

        def backward(self, dout):
            return 2 * dout / np.cosh(self.x) ** 2

    class factor_missing(solution):
        def backward(self, dout):
            return dout * (1 - self.out**2)

    class upstream_missing(solution):
        def backward(self, dout):
            return 2 * (1 - self.out**2)

    wrong = {
        "the gradient of x: for x = [[0.5, -1]]: entry [0, 0]": given,
        "2 times too small": factor_missing,
        "The upstream gradient is missing: the chain stops here.": upstream_missing,
    }


class NothingCancels(Exercise):
    r"""Nothing cancels

    A gas obeys $PV = T$, in suitable units, so each of the three is a function of the other two. At $P = 2$, $V = 3$,
    compute $\partial P/\partial V$ with $T$ fixed, $\partial V/\partial T$ with $P$ fixed, $\partial T/\partial P$ with
    $V$ fixed, and the product of the three.
    """

    level = "transfer"
    hint = "First solve for the quantity on top, as in P = T / V. Then differentiate, with the named one held fixed."
    solution = {
        "dP_dV": -2 * 3 / 3**2,
        "dV_dT": 1 / 2,
        "dT_dP": 3.0,
        "product": -2 * 3 / 3**2 * (1 / 2) * 3,
    }
    worked = r"""
    $P = T/V$ gives $-T/V^2 = -6/9$; $V = T/P$ gives $1/P = 1/2$; $T = PV$ gives $V = 3$. The product is $-1$. If you
    cancel $\partial P$, $\partial V$ and $\partial T$, you get $+1$: not even the sign is right.
    """
    same = {"dP_dV": -0.667, "dV_dT": 0.5, "dT_dP": 3, "product": -1}
    wrong = {
        "Nothing cancels here: each of the three holds something else fixed.": solution | {"product": 1.0},
        "dP_dV: the sign": solution | {"dP_dV": 6 / 9, "product": 1.0},
        "dV_dT: ": solution | {"dV_dT": 2.0},
    }


class WhichTests(Exercise):
    r"""Which test notices?

    The backward pass of $y = xW$ has `u @ W` where `u @ W.T` should be. Which of these tests fail, and so notice the
    fault? Answer `True` or `False` for each.

    - `values`: the outputs are compared with known ones;
    - `diagonal`: a gradient check with a diagonal $W$ of shape (3, 3);
    - `square`: a gradient check with a random $W$ of shape (3, 3);
    - `wide`: a gradient check with a random $W$ of shape (3, 4).
    """

    level = "transfer"
    hint = "For which W are the two products the same? For which does the wrong one not run at all?"
    solution = {"values": False, "diagonal": False, "square": True, "wide": True}
    worked = """
    The outputs come from the forward pass, which is right. A diagonal matrix is its own transpose. With a random square
    one the numbers differ; with (3, 4) the product does not even fit. Only the last two are tests of this line.
    """
    same = {"values": np.False_, "diagonal": np.False_, "square": np.True_, "wide": np.True_}
    wrong = {
        "The outputs do not depend on the backward pass.": solution | {"values": True},
        "A diagonal matrix equals its transpose.": solution | {"diagonal": True},
        "square: ": solution | {"square": False},
    }


class SignAndForce(Exercise):
    r"""Sign and force

    $f = (ab + c)\,d$ with $a = 2$, $b = -1$, $c = 5$ and $d = -2$. Go forward and back by hand. What are the gradients
    of the four inputs? Of all moves by 0.01, up or down, of a single input: `which` input raises $f$ most, "a", "b",
    "c" or "d", and which `way` does it go, "up" or "down"?
    """

    level = "by hand"
    hint = "Two multiply gates and an add gate. Name q = a b and s = q + c first."
    solution = {"da": 2, "db": -2 * 2, "dc": -2, "dd": 5 - 2, "which": "b", "way": "down"}
    worked = r"""
    Forward: $q = ab = -2$, $s = q + c = 3$, $f = sd = -6$. Backward: the last gate sends $d = -2$ to $s$ and $s = 3$ to
    $d$. The add gate hands the $-2$ on to $q$ and to $c$. The first gate multiplies it by the other factor: $-2 \cdot b
    = 2$ for $a$, $-2 \cdot a = -4$ for $b$. The largest force, 4, is that on $b$; its sign says: down.
    """
    same = {"da": 2.0, "db": -4.0, "dc": -2.0, "dd": 3.0, "which": "B", "way": "Down"}
    wrong = {
        "A multiply gate hands each input the other one, not itself.": solution | {"da": -4, "db": 2},
        "way: ": solution | {"way": "up"},
        "The sign says which way, the size says how urgently: -4 is more urgent than 3.": (
            solution | {"which": "d", "way": "up"}
        ),
        "The add gate changes nothing, but what it hands on is -2, not 1.": (
            solution | {"da": -1, "db": 2, "dc": 1, "which": "d", "way": "up"}
        ),
    }


class LayoutOfMatrix(Exercise):
    r"""A matrix in both layouts

    $y = xW$ with a row $x$ of 4 numbers and a row $y$ of 3, and a loss $L$ of $y$. Which shapes have

    - `code`: the gradient of $L$ with respect to $W$, as `backward` stores it;
    - `numerator`: the same in numerator layout;
    - `inputs`: the Jacobian of $y$ with respect to $x$, in numerator layout;
    - `weights`: the Jacobian of $y$ with respect to all entries of $W$, in numerator layout, with $W$ as one long row?
    """

    level = "recall"
    hint = "Numerator layout: a row for each output. How many rows has the derivative of one number?"
    solution = {"code": (4, 3), "numerator": (3, 4), "inputs": (3, 4), "weights": (3, 4 * 3)}
    worked = r"""
    Code keeps the shape of $W$, (4, 3); numerator layout is its transpose. The Jacobian with respect to $x$ has 3 rows
    for the outputs and 4 columns: it is $W^{\mathsf T}$. With respect to the 12 entries of $W$ it has 12 columns.
    """
    same = {"code": [4, 3], "numerator": [3, 4], "inputs": [3, 4], "weights": [3, 12]}
    wrong = {
        "The two layouts are each other's transpose.": solution | {"numerator": (4, 3)},
        "This is denominator layout: rows for inputs.": solution | {"inputs": (4, 3), "weights": (12, 3)},
        "It is the other way round: in code a gradient has the shape of W.": (
            solution | {"code": (3, 4), "numerator": (4, 3)}
        ),
    }


class QuotientOfPairs(Exercise):
    r"""Divide two pairs

    Sums and products of pairs (value, slope) are in the chapter. Write the quotient: `a` and `b` are tuples (value,
    slope), the result is the pair of $a / b$.
    """

    level = "implement"
    hint = "q = a / b means a = q b. Apply the product rule to that and solve for the slope of q."
    inputs = [((6.0, 1.0), (3.0, 2.0)), ((1.0, 0.0), (4.0, 1.0)), ((-2.0, 0.5), (-0.5, 3.0)), ((5.0, 3.0), (2.0, 0.0))]

    def solution(a, b):
        """Return the pair a / b."""
        value = a[0] / b[0]
        return value, (a[1] - value * b[1]) / b[0]

    worked = r"""
    From $a = qb$ follows $a' = q'b + qb'$, so $q' = (a' - q b') / b$: the quotient rule, with the value that is already
    there. The sign of $b'$ is the thing to watch: a larger divisor makes the quotient smaller.
    """

    def same(a, b):
        inverse = 1 / b[0], -b[1] / b[0] ** 2
        return a[0] * inverse[0], a[1] * inverse[0] + a[0] * inverse[1]

    wrong = {
        "A growing divisor makes the quotient fall: look at the sign of its slope.": lambda a, b: (
            a[0] / b[0],
            (a[1] + a[0] / b[0] * b[1]) / b[0],
        ),
        "The divisor moves too: its slope is missing.": lambda a, b: (a[0] / b[0], a[1] / b[0]),
        "The quotient rule divides by the square of b.": lambda a, b: (
            a[0] / b[0],
            (a[1] * b[0] - a[0] * b[1]) / b[0],
        ),
        "This is the slope of the product.": lambda a, b: (a[0] / b[0], a[1] * b[0] + a[0] * b[1]),
    }


class LoopAndBranch(Exercise):
    r"""A loop and a branch

    A program starts with a positive $x$. As long as the value is below 10, it multiplies the value by 3 if it is below
    2, and squares it otherwise. Return the last value and its derivative with respect to `x`, in forward mode.
    """

    level = "implement"
    hint = "Only the branch that runs has a slope. Carry value and slope along, from x and 1."
    inputs = [(0.5,), (2.0,), (3.0,), (10.0,), (12.5,), (0.1,)]

    def solution(x):
        """Return the last value and its derivative with respect to x."""
        value, slope = x, 1.0
        while value < 10:
            if value < 2:
                value, slope = 3 * value, 3 * slope
            else:
                value, slope = value**2, 2 * value * slope
        return value, slope

    worked = """
    From 0.5 the program runs 3 · 0.5 = 1.5, 3 · 1.5 = 4.5, 4.5² = 20.25; the slopes multiply to 3 · 3 · 9 = 81. The
    comparisons have no derivative and need none. From 10 on no turn runs at all, and the slope is 1.
    """

    def same(x):
        factors = []
        while x < 10:
            factors.append(3 if x < 2 else 2 * x)
            x = 3 * x if x < 2 else x * x
        return x, float(np.prod(factors))

    def value_first(x):
        value, slope = x, 1.0
        while value < 10:
            if value < 2:
                value *= 3
                slope *= 3
            else:
                value **= 2
                slope *= 2 * value
        return value, slope

    def last_turn(x):
        value, slope = x, 1.0
        while value < 10:
            value, slope = (3 * value, 3) if value < 2 else (value**2, 2 * value)
        return value, slope

    def sum_of_turns(x):
        value, slope = x, 1.0
        while value < 10:
            value, slope = (3 * value, slope + 3) if value < 2 else (value**2, slope + 2 * value)
        return value, slope

    wrong = {
        "When you square, the slope needs the value from before.": value_first,
        "This is the slope of the last turn alone: multiply by the slope so far.": last_turn,
        "Along a path slopes multiply; they add only over several paths.": sum_of_turns,
    }


class DetachedPath(Exercise):
    r"""One path cut

    $L = ab$ with $a = x^2$ and $b = a + x$, at $x = 2$. What is the slope of $L$ with respect to $x$

    - `joined`: as it stands;
    - `inner`: if $a$ is detached only where it goes into $b$;
    - `outer`: if $b$ is detached in $L$?
    """

    level = "transfer"
    hint = "Write down all three paths from x to L. Each detach removes some of them."
    solution = {"joined": 4 * 6 + 4 * 4 + 4, "inner": 4 * 6 + 4, "outer": 4 * 6}
    worked = r"""
    The values are $a = 4$, $b = 6$. Three paths: $x \to a \to L$ with $2x \cdot b = 24$; $x \to a \to b \to L$ with
    $2x \cdot 1 \cdot a = 16$; $x \to b \to L$ with $1 \cdot a = 4$. Together 44, which is $4x^3 + 3x^2$. The first
    detach removes the second path, the other one the second and the third. The value of $L$, 24, stays.
    """
    same = {"joined": 44.0, "inner": 28.0, "outer": 24.0}
    wrong = {
        "Detached where it goes into b, a still has its own path to L.": solution | {"inner": 4},
        "There are three paths: one goes through a and then through b.": solution | {"joined": 28},
        "A detached b cuts both paths that go through it.": solution | {"outer": 28},
        "Detach keeps values: b is still 6.": solution | {"inner": 4 * 2 + 4, "outer": 4 * 2},
    }
