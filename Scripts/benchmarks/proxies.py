"""Zero-cost proxies in PyTorch, in the way of zero-cost-nas (Abdelfattah et al., ICLR 2021) and of the authors' own
code of naswot: hooks on activations, masks on weights, double precision for synflow."""

import types

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def naswot(model, images, _):
    """log |det K| of the agreement of the ReLUs' codes (Mellor et al. 2021)."""
    count = len(images)
    kernel = np.zeros((count, count))
    relu = F.relu

    def watched(x, *rest, **options):
        nonlocal kernel
        codes = (x > 0).float().flatten(1)
        kernel = kernel + (codes @ codes.T).numpy() + ((1 - codes) @ (1 - codes).T).numpy()
        return relu(x, *rest, **options)

    F.relu = watched
    try:
        with torch.no_grad():
            model(images)
    finally:
        F.relu = relu
    return np.linalg.slogdet(kernel)[1]


def snip(model, images, labels):
    """Σ |w · ∂L/∂w| by masks on the weights (Lee et al. 2019)."""
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    for layer in layers:
        layer.mask = torch.ones_like(layer.weight, requires_grad=True)
        layer.weight.requires_grad_(False)
        layer.forward = types.MethodType(masked_conv if isinstance(layer, nn.Conv2d) else masked_linear, layer)
    try:
        loss = F.cross_entropy(model(images), labels)
        gradients = torch.autograd.grad(loss, [layer.mask for layer in layers])
        return sum(gradient.abs().sum() for gradient in gradients).item()
    finally:
        for layer in layers:
            del layer.forward, layer.mask
            layer.weight.requires_grad_(True)


def masked_conv(self, x):
    return F.conv2d(x, self.weight * self.mask, self.bias, self.stride, self.padding, self.dilation, self.groups)


def masked_linear(self, x):
    return F.linear(x, self.weight * self.mask, self.bias)


def synflow(model, images, _):
    """log Σ |w · ∂R/∂w| with absolute weights and without batch norm, in double precision, for one image of ones
    (Tanaka et al. 2020)."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    model.double()
    with torch.no_grad():
        for value in model.state_dict().values():
            value.abs_()
    for norm in norms:
        norm.forward = types.MethodType(lambda self, x: x, norm)
    try:
        model.zero_grad()
        model(torch.ones((1,) + tuple(images.shape[1:]), dtype=torch.float64)).sum().backward()
        layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        return sum((layer.weight * layer.weight.grad).abs().sum() for layer in layers).log().item()
    finally:
        for norm in norms:
            del norm.forward
        model.float()
        model.load_state_dict(state)
        model.zero_grad()
