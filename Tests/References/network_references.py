"""Gradients of whole networks on a small batch, in float64, and what PyTorch's own float32 makes of them.

Weights and images are drawn as nasrun draws them, with random_stream.py: a parameter from the stream w/PATH of seed 5.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from random_stream import Stream

SEED, BATCH, CLASSES, SAMPLES = 5, 4, 10, 256
CELLS = {
    "conv3x3": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "mixed": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|",
    "light": "|nor_conv_1x1~0|+|skip_connect~0|avg_pool_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|",
}
# One ReLU whose input is within rounding of 0 on one side and not on the other changes gradients by 1e-3. The images are
# the first of a sequence of which no such input is as near to a corner as this, in float64.
MARGIN = 3e-5


class Tape:
    """Layers by the paths of their parameters, in a number type. Notes how near a ReLU's input came to its corners."""

    def __init__(self, parameters, dtype):
        self.parameters, self.dtype, self.leaves, self.margin = parameters, dtype, {}, math.inf

    def leaf(self, path, shape, fan_in=None):
        """A parameter in nasrun's layout; without `fan_in` the scale or shift of a normalisation."""
        if path not in self.parameters:
            stream = Stream(SEED, f"w/{path}")
            draws = [stream.uniform() for _ in range(math.prod(shape))]
            low = 0.5 if path.endswith("weight") else -0.5
            numbers = [(2 * u - 1) * (1 / math.sqrt(fan_in)) if fan_in else low + u for u in draws]
            self.parameters[path] = np.array(numbers, np.float32).reshape(shape)
        value = torch.tensor(self.parameters[path], dtype=self.dtype, requires_grad=True)
        self.leaves[path] = value
        return value

    def conv(self, x, path, channels, kernel, stride=1, groups=1, padding=None, bias=False):
        inputs, fan_in = x.shape[1] // groups, x.shape[1] // groups * kernel * kernel
        weight = self.leaf(f"{path}/weight", (kernel, kernel, inputs, channels), fan_in).permute(3, 2, 0, 1)
        shift = self.leaf(f"{path}/bias", (channels,), fan_in) if bias else None
        return F.conv2d(x, weight, shift, stride, kernel // 2 if padding is None else padding, groups=groups)

    def linear(self, x, path, features):
        weight = self.leaf(f"{path}/weight", (x.shape[-1], features), x.shape[-1])
        return x @ weight + self.leaf(f"{path}/bias", (features,), x.shape[-1])

    def batch_norm(self, x, path):
        weight, bias = (self.leaf(f"{path}/{name}", (x.shape[1],)) for name in ("weight", "bias"))
        return F.batch_norm(x, None, None, weight, bias, True, 0.1, 1e-5)

    def layer_norm(self, x, path):
        weight, bias = (self.leaf(f"{path}/{name}", (x.shape[-1],)) for name in ("weight", "bias"))
        return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-5)

    def relu(self, x, six=False):
        for corner in (0, 6) if six else (0,):
            self.margin = min(self.margin, (x.detach() - corner).abs().min().item())
        return F.relu6(x) if six else F.relu(x)


# MARK: networks

def cells(tape, x, cell, channels):
    """NAS-Bench-201 (Dong & Yang, ICLR 2020), one cell a stage."""

    def unit(x, path, channels, kernel, stride=1):
        return tape.batch_norm(tape.conv(tape.relu(x), f"{path}/conv", channels, kernel, stride), f"{path}/norm")

    def edge(x, op, path):
        if op == "skip_connect":
            return x
        if op == "avg_pool_3x3":
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return unit(x, path, x.shape[1], int(op[-1]))

    x = tape.batch_norm(tape.conv(x, "stem/conv", channels, 3), "stem/norm")
    for stage in (1, 2, 3):
        if stage > 1:
            path = f"reduction{stage - 1}"
            channels *= 2
            y = unit(unit(x, f"{path}/a", channels, 3, 2), f"{path}/b", channels, 3)
            x = tape.conv(F.avg_pool2d(x, 2), f"{path}/shortcut", channels, 1) + y
        nodes = [x]
        for target, group in enumerate(cell.split("+"), 1):
            ops = [text.split("~")[0] for text in group.strip("|").split("|")]
            terms = [edge(nodes[source], op, f"cell{stage}/{source}to{target}")
                     for source, op in enumerate(ops) if op != "none"]
            nodes.append(sum(terms[1:], terms[0]))
        x = nodes[-1]
    x = tape.relu(tape.batch_norm(x, "last/norm"))
    return tape.linear(x.mean((2, 3)), "classifier", CLASSES)


def mobile(tape, x, kernels, channels, expand):
    """Inverted bottlenecks (Sandler et al., CVPR 2018)."""

    def unit(x, path, channels, kernel, groups=1):
        return tape.batch_norm(tape.conv(x, f"{path}_conv", channels, kernel, groups=groups), f"{path}_norm")

    x = tape.relu(unit(x, "stem", channels, 3), six=True)
    for index, kernel in enumerate(kernels, 1):
        wide = channels * expand
        y = tape.relu(unit(x, f"block{index}_expand", wide, 1), six=True)
        y = tape.relu(unit(y, f"block{index}_depthwise", wide, kernel, wide), six=True)
        x = x + unit(y, f"block{index}_project", channels, 1)
    return tape.linear(x.mean((2, 3)), "classifier", CLASSES)


def transformer(tape, x, width, heads):
    """A Transformer block, normalisation first (Dosovitskiy et al., ICLR 2021)."""
    x = tape.conv(x, "patches", width, 4, 4, padding=0, bias=True).flatten(2).transpose(1, 2)
    a = tape.layer_norm(x, "norm1")
    q, k, v = (tape.linear(a, name, width).unflatten(-1, (heads, -1)).transpose(1, 2)
               for name in ("query", "key", "value"))
    scores = (q @ k.transpose(2, 3) / math.sqrt(width // heads)).softmax(-1)
    x = x + tape.linear((scores @ v).transpose(1, 2).flatten(2), "output", width)
    x = x + tape.linear(F.gelu(tape.linear(tape.layer_norm(x, "norm2"), "up", 4 * width)), "down", width)
    return tape.linear(x.mean(1), "classifier", CLASSES)


# MARK: cases

def network_cases():
    for name, cell in CELLS.items():
        yield case(f"cells/{name}", (16, 16, 3), dict(cell=cell, channels=16), cells)
    yield case("mobile", (14, 14, 1), dict(kernels=[3, 5], channels=16, expand=6), mobile)
    yield case("transformer", (16, 16, 3), dict(width=48, heads=3), transformer)


def case(name, size, options, network):
    parameters, attempt, margin = {}, 0, 0
    while margin < MARGIN:
        attempt += 1
        images, labels = batch(f"{name}/{attempt}", size)
        loss, gradients, margin = step(network, options, parameters, images, labels, torch.float64)
    _, single, _ = step(network, options, parameters, images, labels, torch.float32)
    tensors = {"loss": np.array([loss])} | {f"gradient/{path}": sampled(g) for path, g in gradients.items()}
    norms = {path: float(np.linalg.norm(sampled(g))) for path, g in gradients.items()}
    errors = {path: float(np.linalg.norm(sampled(single[path]) - sampled(g))) for path, g in gradients.items()}
    whole = math.sqrt(sum(v * v for v in norms.values()))
    return dict(name=name, op="network", tensors=tensors, attributes=options | dict(size=size[0], batch=BATCH),
                images=f"{name}/{attempt}", float32_norm_error=math.sqrt(sum(v * v for v in errors.values())) / whole)


def batch(name, size):
    stream = Stream(SEED, f"images/{name}")
    numbers = np.array([2 * stream.uniform() - 1 for _ in range(BATCH * math.prod(size))], np.float32)
    return numbers.reshape(BATCH, *size), [stream.below(CLASSES) for _ in range(BATCH)]


def step(network, options, parameters, images, labels, dtype):
    tape = Tape(parameters, dtype)
    x = torch.tensor(images.transpose(0, 3, 1, 2).copy(), dtype=dtype)
    loss = F.cross_entropy(network(tape, x, **options), torch.tensor(labels))
    found = torch.autograd.grad(loss, list(tape.leaves.values()))
    return loss.item(), {path: g.numpy() for path, g in zip(tape.leaves, found)}, tape.margin


def sampled(gradient):
    """At most some hundred numbers, evenly spaced: every `count // SAMPLES`-th, made odd."""
    return gradient.ravel()[:: gradient.size // SAMPLES | 1].astype(np.float64)
