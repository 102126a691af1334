"""Optimiser steps, learning-rate schedules and twenty training steps of a small NAS-Bench-201 network."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from op_references import random
from reference_file import layout

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


# MARK: optimiser

def optimiser_cases():
    for name, options, clip in [
        ("sgd/plain", dict(lr=0.1), None),
        ("sgd/momentum", dict(lr=0.1, momentum=0.9), None),
        ("sgd/nesterov_decay", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4), None),
        ("sgd/momentum_decay", dict(lr=0.02, momentum=0.8, weight_decay=0.01), None),
        ("sgd/clipped", dict(lr=0.1, momentum=0.9, nesterov=True), 2.0),
        ("sgd/clip_not_reached", dict(lr=0.1, momentum=0.9), 1000.0),
    ]:
        gradients = random(name + "/g", 5, 19)
        start = random(name, 19)
        exact, norms = descend(start, gradients, options, clip, torch.float64)
        float32, _ = descend(start, gradients, options, clip, torch.float32)
        tensors = {"start": start, "gradients": gradients, "steps": exact}
        if clip:
            tensors["norms"] = norms
        yield dict(name=name, op="sgd", attributes=options | ({"clip_norm": clip} if clip else {}), tensors=tensors,
                   float32={"steps": float32})


def descend(start, gradients, options, clip, dtype):
    """The parameter after each step, and the gradient's norm before clipping. The vector is split in two parameters
    so that the norm is one over all."""
    split = 7
    parameters = [nn.Parameter(torch.tensor(part, dtype=dtype)) for part in (start[:split], start[split:])]
    optimiser, steps, norms = torch.optim.SGD(parameters, **options), [], []
    for gradient in gradients:
        for parameter, part in zip(parameters, (gradient[:split], gradient[split:])):
            parameter.grad = torch.tensor(part, dtype=dtype)
        if clip:
            norms.append(float(nn.utils.clip_grad_norm_(parameters, clip)))
        optimiser.step()
        steps.append(torch.cat([p.detach() for p in parameters]).numpy().copy())
    return np.stack(steps), np.array(norms)


# MARK: schedules

def schedule_cases():
    lr = torch.optim.lr_scheduler
    for name, warm_up, count, attributes, main in [
        ("schedule/constant_warm_up", 4, 8, dict(kind="constant"), lambda o: lr.ConstantLR(o, 1.0)),
        ("schedule/step", 0, 10, dict(kind="step", every=3, factor=0.5), lambda o: lr.StepLR(o, 3, 0.5)),
        ("schedule/step_warm_up", 3, 12, dict(kind="step", every=4, factor=0.1), lambda o: lr.StepLR(o, 4, 0.1)),
        ("schedule/cosine", 0, 11, dict(kind="cosine", final=0.0), lambda o: lr.CosineAnnealingLR(o, 11)),
        ("schedule/cosine_floor_warm_up", 5, 20, dict(kind="cosine", final=0.01),
         lambda o: lr.CosineAnnealingLR(o, 15, 0.01)),
    ]:
        base = 0.1
        optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base)
        if warm_up:
            rise = lr.LinearLR(optimiser, 1 / warm_up, 1.0, warm_up - 1)
            schedule = lr.SequentialLR(optimiser, [rise, main(optimiser)], [warm_up])
        else:
            schedule = main(optimiser)
        values = []
        for _ in range(count):
            values.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        yield dict(name=name, op="schedule", attributes=attributes | dict(base=base, warm_up=warm_up, count=count),
                   tensors={}, values=values)


# MARK: NAS-Bench-201 network (Dong & Yang, ICLR 2020)

CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
CHANNELS, CLASSES, BATCH, STEPS, SIDE = 8, 10, 8, 20, 16

# One ReLU that flips because of a rounding error moves later losses by 1e-3. With these initial weights no activation
# is so close to zero: initial weights disturbed by 1e-7 (12 draws) leave all 20 float32 losses within 1e-6.
SEED = 21


class Unit(nn.Module):
    """ReLU, convolution without bias, batch norm."""

    def __init__(self, ci, co, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(ci, co, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(co)

    def forward(self, x):
        return self.norm(self.conv(F.relu(x)))


class Cell(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.edges = nn.ModuleDict()
        self.nodes = []
        for node, text in enumerate(CELL.split("+"), 1):
            incoming = []
            for source, edge in enumerate(text.strip("|").split("|")):
                op = edge.split("~")[0]
                name = f"{source}to{node}"
                if op.startswith("nor_conv"):
                    self.edges[name] = Unit(channels, channels, int(op[-1]))
                incoming.append((source, name, op))
            self.nodes.append(incoming)

    def forward(self, x):
        values = [x]
        for incoming in self.nodes:
            terms = [self.edge(name, op, values[source]) for source, name, op in incoming if op != "none"]
            values.append(sum(terms[1:], terms[0]))
        return values[-1]

    def edge(self, name, op, x):
        if op == "skip_connect":
            return x
        if op == "avg_pool_3x3":
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return self.edges[name](x)


class Reduction(nn.Module):
    def __init__(self, ci, co):
        super().__init__()
        self.a, self.b = Unit(ci, co, 3, 2), Unit(co, co, 3)
        self.shortcut = nn.Conv2d(ci, co, 1, bias=False)

    def forward(self, x):
        return self.shortcut(F.avg_pool2d(x, 2)) + self.b(self.a(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        c = CHANNELS
        self.stem = nn.ModuleDict(dict(conv=nn.Conv2d(3, c, 3, 1, 1, bias=False), norm=nn.BatchNorm2d(c)))
        self.cell1, self.reduction1 = Cell(c), Reduction(c, 2 * c)
        self.cell2, self.reduction2 = Cell(2 * c), Reduction(2 * c, 4 * c)
        self.cell3 = Cell(4 * c)
        self.last = nn.ModuleDict(dict(norm=nn.BatchNorm2d(4 * c)))
        self.classifier = nn.Linear(4 * c, CLASSES)

    def forward(self, x):
        x = self.stem["norm"](self.stem["conv"](x))
        x = self.reduction1(self.cell1(x))
        x = self.cell3(self.reduction2(self.cell2(x)))
        return self.classifier(F.relu(self.last["norm"](x)).mean((2, 3)))


def batches():
    """Images NHWC and labels from a 32-bit linear congruential generator; the formula is in README.md."""
    state = 201

    def draw():
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return state >> 24

    for _ in range(STEPS):
        images, labels = np.zeros((BATCH, SIDE, SIDE, 3), np.float32), []
        for image in images:
            label = draw() % CLASSES
            labels.append(label)
            for y in range(SIDE):
                for x in range(SIDE):
                    for c in range(3):
                        bright = (label * (x + 2 * y) + c) % 10 < 5
                        image[y, x, c] = (draw() - 127.5) / 256 + (1 if bright else 0)
        yield images, np.array(labels)


def kind(name, parameter):
    return {4: "conv", 2: "linear"}.get(parameter.dim(), "plain")


def path(name):
    return name.replace(".edges.", ".").replace(".", "/")


def train(initial, dtype):
    """Losses of the steps, gradients of the first, logits of the first batch by running statistics at the end."""
    network = Network().to(dtype)
    network.load_state_dict({key: value.to(dtype) if value.is_floating_point() else value
                             for key, value in initial.items()})
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    losses, gradients, first = [], {}, None
    for images, labels in batches():
        x = torch.tensor(images.transpose(0, 3, 1, 2), dtype=dtype)
        first = x if first is None else first
        loss = F.cross_entropy(network(x), torch.tensor(labels))
        optimiser.zero_grad()
        loss.backward()
        if not losses:
            gradients = {path(name): layout(p.grad.numpy(), kind(name, p)) for name, p in network.named_parameters()}
        optimiser.step()
        losses.append(loss.item())
    network.eval()
    statistics = {path(name): b.numpy() for name, b in network.named_buffers() if "running" in name}
    with torch.no_grad():
        return losses, gradients, network(first).numpy(), statistics


def nasbench201_case():
    torch.manual_seed(SEED)
    network = Network()
    initial = {key: value.clone() for key, value in network.state_dict().items()}
    losses, gradients, logits, statistics = train(initial, torch.float64)
    losses32, gradients32, logits32, _ = train(initial, torch.float32)
    first_images, first_labels = next(batches())
    tensors = {f"initial/{path(name)}": layout(p.detach().numpy(), kind(name, p))
               for name, p in network.named_parameters()}
    tensors |= {f"gradient/{name}": value for name, value in gradients.items()}
    tensors |= {f"final/{name}": value for name, value in statistics.items()}
    tensors |= {"logits": logits, "first_images": first_images, "first_labels": first_labels}
    float32 = {f"gradient/{name}": value for name, value in gradients32.items()} | {"logits": logits32}
    attributes = dict(cell=CELL, channels=CHANNELS, cells=1, classes=CLASSES, input=[SIDE, SIDE, 3], batch=BATCH,
                      lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    return dict(name="network", op="training", attributes=attributes, tensors=tensors, float32=float32,
                parameters=[path(name) for name, _ in network.named_parameters()],
                losses_float64=losses, losses_float32=losses32)
