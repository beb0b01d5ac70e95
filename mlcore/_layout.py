"""How an optimizer sees a list of arrays: as few long vectors, a block at a time."""

import itertools
from operator import is_

import numpy as np
from numpy.lib.array_utils import byte_bounds

LARGE = 2**14  # from this size on, a call of NumPy costs less than copying the array
BLOCK = 2**16  # numbers that a rule works on at a time: its intermediate results stay in the processor's cache


class Layout:
    """Where the parameters of a list, their gradients and their state stand when a rule sees them.

    Small arrays are copied into one vector, so that a rule calls NumPy once for all of them; a large one is worked on
    where it is. An array that stands more than once in the list is moved once. Parameters of float16 are worked on in
    float32, where small squares do not vanish.
    """

    def __init__(self, name, params, states):
        self.params, firsts = list(params), _first_places(name, params)
        self.grads = self.ready = None  # the gradients of the last step, and its blocks if they are the same for these
        self.dtype = np.result_type(np.float32, *params)
        again = {first for i, first in enumerate(firsts) if i != first}
        large = [i for i, p in enumerate(params) if i == firsts[i] and i not in again and self._fits_as_it_is(p)]
        small = sorted(set(firsts) - set(large))
        ends = np.cumsum([params[i].size for i in small + large], dtype=int)
        places = {i: slice(end - params[i].size, end) for i, end in zip(small + large, ends, strict=True)}

        def vector_and_views(indices):
            vector = np.zeros(max((places[i].stop for i in indices), default=0), self.dtype)
            return vector, [vector[places[i]].reshape(params[i].shape) for i in indices]

        moved, moved_views = vector_and_views(small)
        gathered, grad_views = vector_and_views(small)
        self.states, vectors = [], []
        for old in states:
            vector, views = vector_and_views(firsts)
            for view, values in zip(views, old or (), strict=bool(old)):
                view[...] = values
            vectors.append(vector)
            self.states.append(views)
        self.small = [(i, params[i], *views) for i, *views in zip(small, moved_views, grad_views, strict=True)]
        view_of = dict(zip(small, grad_views, strict=True))
        self.again = [(i, view_of[first]) for i, first in enumerate(firsts) if i != first]
        self.blocks = _blocks(moved, gathered, vectors)
        self.large = [(i, params[i].reshape(-1), [v[places[i]] for v in vectors]) for i in large]
        self.moving = [*params, *vectors]

    def _fits_as_it_is(self, param):
        return param.size >= LARGE and param.dtype == self.dtype and param.flags.c_contiguous

    def fits(self, params, states):
        """Tell whether these are still the arrays that were laid out."""
        return same_arrays(params, self.params) and all(map(same_arrays, states, self.states))

    def gather(self, grads):
        """Return parameters, gradients and state of each block, ready for a rule."""
        for i, param, moved, grad in self.small:
            moved[...] = param
            grad[...] = grads[i]
        for i, grad in self.again:
            grad += grads[i]
        if self.ready is not None and same_arrays(grads, self.grads):
            return self.ready
        vectors = [self._vector(grads[i]) for i, *_ in self.large]  # all of them, before any parameter moves
        blocks = [_blocks(p, g, state) for g, (_, p, state) in zip(vectors, self.large, strict=True)]
        blocks = [*self.blocks, *itertools.chain(*blocks)]
        self.ready = blocks if all(v.base is grads[i] for v, (i, *_) in zip(vectors, self.large, strict=True)) else None
        return blocks

    def _vector(self, grad):
        """A gradient as a vector: itself if it can be and nothing moves under it, else a copy."""
        vector = np.asarray(grad, self.dtype).reshape(-1)
        return vector.copy() if any(np.may_share_memory(vector, m) for m in self.moving) else vector

    def scatter(self):
        """Copy the small parameters back."""
        for _, param, moved, _ in self.small:
            param[...] = moved


def _blocks(param, grad, state):
    """Cut vectors of one length; a rule can only read the gradient."""
    grad = grad.view()
    grad.flags.writeable = False
    cuts = [slice(i, min(i + BLOCK, param.size)) for i in range(0, param.size, BLOCK)]
    return [[v[cut] for v in (param, grad, *state)] for cut in cuts]


def same_arrays(arrays, others):
    return arrays is not None and len(arrays) == len(others) and all(map(is_, arrays, others))


def _first_places(name, params):
    """For each array the index at which it stands first; refuse arrays that overlap without being the same."""
    seen = {}
    keys = [(p.__array_interface__["data"], p.shape, p.strides, p.dtype) for p in params]
    firsts = [seen.setdefault(key, i) for i, key in enumerate(keys)]
    near = []  # in the order of memory, only those that reach beyond an array's start can overlap it
    for start, end, i in sorted((*byte_bounds(params[i]), i) for i in seen.values()):
        near = [(reach, j) for reach, j in near if reach > start]
        for _, j in near:
            if np.shares_memory(params[i], params[j]):
                raise ValueError(
                    f"{name}.update: params[{min(i, j)}] and params[{max(i, j)}] overlap in memory without being "
                    "the same array; a number that stands in both has no gradient of its own"
                )
        near.append((end, i))
    return firsts
