"""How an optimizer sees a list of arrays as one vector."""

from operator import is_

import numpy as np
from numpy.lib.array_utils import byte_bounds

BLOCK = 2**17  # numbers that a rule works on at a time: its intermediate results stay in the processor's cache


class Layout:
    """One vector for the gradients of a list of parameters, and one for each list of state.

    Every array has a place in the vectors; one that stands more than once in the list has one place. Parameters of
    float16 are laid out in float32, where small squares do not vanish.
    """

    def __init__(self, name, params, states):
        self.params, firsts = list(params), _first_places(name, params)
        ends = np.cumsum([p.size if i == firsts[i] else 0 for i, p in enumerate(params)])
        places = [slice(ends[i] - params[i].size, ends[i]) for i in firsts]
        dtype = np.result_type(np.float32, *params)

        def vector_and_views():
            vector = np.zeros(ends[-1] if len(ends) else 0, dtype)
            return vector, [vector[place].reshape(p.shape) for place, p in zip(places, params, strict=True)]

        vector, self.views = vector_and_views()
        self.firsts = [i for i, first in enumerate(firsts) if i == first]
        self.again = [i for i, first in enumerate(firsts) if i != first]
        self.states, vectors = [], [vector]
        for old in states:
            state, views = vector_and_views()
            for view, values in zip(views, old or (), strict=bool(old)):
                view[...] = values
            vectors.append(state)
            self.states.append(views)
        self.blocks = [[v[i : i + BLOCK] for v in vectors] for i in range(0, vector.size, BLOCK)]

    def fits(self, params, states):
        """Tell whether these are still the arrays that were laid out."""
        return _same(params, self.params) and all(map(_same, states, self.states))

    def gather(self, grads):
        """Copy the gradients into the vector; those of an array that stands more than once add up."""
        for i in self.firsts:
            self.views[i][...] = grads[i]
        for i in self.again:
            self.views[i] += grads[i]

    def scatter(self):
        """Add the vector to the parameters."""
        for i in self.firsts:
            param = self.params[i]
            param += self.views[i]


def _same(arrays, others):
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
