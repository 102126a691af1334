"""Twenty steps of PyTorch's optimisers on a quadratic: `python optimiser_references.py > optimisers.json`."""

import json

import torch

RULES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.05),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.02, momentum=0.5, weight_decay=0.01),
}


def trained(make):
    parameter = torch.tensor([0.3, 0.1, -0.4, 2.0], requires_grad=True)
    optimiser = make([parameter])
    for _ in range(20):
        optimiser.zero_grad()
        difference = parameter - torch.tensor([1.0, -2.0, 0.5, 3.0])
        (difference * difference * torch.tensor([1.0, 0.5, 2.0, 0.25])).sum().backward()
        optimiser.step()
    return [float(value) for value in parameter.detach()]


print(json.dumps({name: trained(make) for name, make in RULES.items()}, indent=1))
