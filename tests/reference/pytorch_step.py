"""The training of the spiral in chapter 1.4, with PyTorch.

Run `python tests/reference/pytorch_step.py` where PyTorch is installed, to write `pytorch_step.json` again. The chapter
shows the part from the network to the step; a test compares the two.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mlcore import load_spiral

layers = nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 3)
net = nn.Sequential(*layers).double()
loss_function = nn.CrossEntropyLoss()  # from the scores, like SoftmaxWithLoss
optimizer = torch.optim.SGD(net.parameters(), lr=1.0)


def step(x, t):
    loss = loss_function(net(x), t)  # forward
    optimizer.zero_grad()  # backward adds to the gradients that are there
    loss.backward()
    optimizer.step()
    return loss.item()


torch.set_num_threads(1)
rng = np.random.default_rng(0)
with torch.no_grad():  # the start of the chapter: nn.Linear keeps its weights as (outputs, inputs)
    net[0].weight.copy_(torch.from_numpy(0.01 * rng.standard_normal((2, 10))).T)
    net[2].weight.copy_(torch.from_numpy(0.01 * rng.standard_normal((10, 3))).T)
    net[0].bias.zero_()
    net[2].bias.zero_()
x, t = map(torch.from_numpy, load_spiral(seed=0))
losses = {}
for epoch in range(1, 301):
    batches = rng.permutation(300).reshape(10, 30)
    losses[epoch] = float(np.mean([step(x[batch], t[batch]) for batch in batches]))
right = int((net(x).argmax(dim=1) == t).sum())
result = {
    "versions": {"torch": str(torch.__version__).partition("+")[0], "numpy": np.__version__},
    "loss": {epoch: round(losses[epoch], 12) for epoch in (1, 30, 100, 300)},
    "right": right,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
print(result)
