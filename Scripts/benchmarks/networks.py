"""The benchmark's networks in PyTorch, as one would write them there. Modules are named by the paths of our parameters,
with dots for slashes, so that weights that nasrun saved can be loaded."""

import math

import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from torch import nn

CLASSES = 10


def modules(**named):
    """A sequence of modules with names."""
    sequence = nn.Sequential()
    for name, module in named.items():
        sequence.add_module(name, module)
    return sequence


# MARK: NAS-Bench-201 (Dong & Yang, ICLR 2020)

def conv_norm(ci, co, kernel, stride=1):
    return modules(conv2d1=nn.Conv2d(ci, co, kernel, stride, kernel // 2, bias=False), batch_norm1=nn.BatchNorm2d(co))


class Unit(nn.Sequential):
    """ReLU, convolution, batch norm. The ReLU is not in place: other edges read its input."""

    def __init__(self, ci, co, kernel, stride=1):
        super().__init__()
        for name, module in conv_norm(ci, co, kernel, stride).named_children():
            self.add_module(name, module)

    def forward(self, x):
        return self.batch_norm1(self.conv2d1(F.relu(x)))


def operation(name, channels):
    """An operation of the space; None for those without parameters that need no module."""
    return {
        "nor_conv_3x3": lambda: Unit(channels, channels, 3), "nor_conv_1x1": lambda: Unit(channels, channels, 1),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False), "skip_connect": nn.Identity,
    }[name]()


class Cell(nn.Module):
    """Nodes that are sums of operations on earlier nodes. `mixture` takes all operations on each edge."""

    def __init__(self, cell, channels):
        super().__init__()
        self.nodes = []
        for target, group in enumerate(cell.split("+"), 1):
            names = []
            for source, part in enumerate(group.strip("|").split("|")):
                op = part.split("~")[0]
                if op == "none":
                    continue
                edge = f"edge{source}_{target}"
                self.add_module(edge, modules(**{op: operation(op, channels)}))
                names.append((source, edge))
            self.nodes.append(names)

    def forward(self, x):
        values = [x]
        for names in self.nodes:
            terms = [getattr(self, edge)(values[source]) for source, edge in names]
            values.append(sum(terms[1:], terms[0]) if terms else torch.zeros_like(x))
        return values[-1]


class Reduction(nn.Module):
    def __init__(self, ci, co):
        super().__init__()
        self.a, self.b = Unit(ci, co, 3, 2), Unit(co, co, 3)
        self.shortcut = modules(conv2d1=nn.Conv2d(ci, co, 1, bias=False))

    def forward(self, x):
        return self.b(self.a(x)) + self.shortcut(F.avg_pool2d(x, 2))


class NASBench201(nn.Module):
    def __init__(self, cell, cells, channels=16, make_cell=Cell):
        super().__init__()
        self.stem = conv_norm(3, channels, 3)
        self.body = []
        for stage in (1, 2, 3):
            if stage > 1:
                self.add_module(f"reduction{stage - 1}", Reduction(channels, 2 * channels))
                self.body.append(f"reduction{stage - 1}")
                channels *= 2
            for index in range(1, cells + 1):
                self.add_module(f"stage{stage}_cell{index}", make_cell(cell, channels))
                self.body.append(f"stage{stage}_cell{index}")
        self.head = modules(batch_norm1=nn.BatchNorm2d(channels), linear1=nn.Linear(channels, CLASSES))

    def forward(self, x):
        x = self.stem(x)
        for name in self.body:
            x = getattr(self, name)(x)
        return self.head.linear1(F.relu(self.head.batch_norm1(x)).mean((2, 3)))


# MARK: NAS-Bench-201 relaxed (Liu et al. 2019)

class MixedCell(nn.Module):
    """Every edge is the softmax mixture of all operations; `none` adds nothing, so it is left out of the sum."""

    OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]

    def __init__(self, _, channels):
        super().__init__()
        for source, target in self.edges():
            ops = {op: operation(op, channels) for op in self.OPERATIONS[1:]}
            self.add_module(f"edge{source}_{target}", modules(**ops))

    @staticmethod
    def edges():
        return [(source, target) for target in (1, 2, 3) for source in range(target)]

    def forward(self, x, weights):
        values = [x]
        for target in (1, 2, 3):
            terms = []
            for source in range(target):
                row = weights[self.edges().index((source, target))]
                for index, op in enumerate(getattr(self, f"edge{source}_{target}"), 1):
                    terms.append(row[index] * op(values[source]))
            values.append(sum(terms[1:], terms[0]))
        return values[-1]


class RelaxedNASBench201(NASBench201):
    def __init__(self, cells):
        super().__init__(None, cells, make_cell=MixedCell)
        self.alpha = nn.Parameter(torch.zeros(len(MixedCell.edges()), len(MixedCell.OPERATIONS)))

    def forward(self, x):
        weights = F.softmax(self.alpha, dim=-1).unbind()
        x = self.stem(x)
        for name in self.body:
            module = getattr(self, name)
            x = module(x, weights) if isinstance(module, MixedCell) else module(x)
        return self.head.linear1(F.relu(self.head.batch_norm1(x)).mean((2, 3)))


# MARK: inverted bottlenecks (Sandler et al., CVPR 2018)

class Bottleneck(nn.Module):
    def __init__(self, channels, inner, kernel):
        super().__init__()

        def unit(ci, co, size, groups=1):
            return modules(conv=nn.Conv2d(ci, co, size, 1, size // 2, groups=groups, bias=False),
                           norm=nn.BatchNorm2d(co))

        self.expand, self.depthwise = unit(channels, inner, 1), unit(inner, inner, kernel, inner)
        self.project = unit(inner, channels, 1)

    def forward(self, x):
        y = F.relu6(self.expand(x), inplace=True)
        return x + self.project(F.relu6(self.depthwise(y), inplace=True))


class Mobile(nn.Module):
    def __init__(self, kernels=(3, 5, 3, 5, 3), channels=16, expand=6):
        super().__init__()
        self.stem = conv_norm(1, channels, 3)
        for index, kernel in enumerate(kernels, 1):
            self.add_module(f"block{index}", Bottleneck(channels, channels * expand, kernel))
        self.blocks = [f"block{index}" for index in range(1, len(kernels) + 1)]
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = F.relu6(self.stem(x), inplace=True)
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.classifier(x.mean((2, 3)))


# MARK: Vision Transformer block (Dosovitskiy et al., ICLR 2021; normalisation first)

class Attention(nn.Module):
    """Queries, keys and values by one product, and PyTorch's fused attention."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.joined, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.joined(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.output(mixed.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, ratio=4):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.up, self.down = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)

    def forward(self, x):
        x = x + self.attention(self.layer_norm1(x))
        return x + self.down(F.gelu(self.up(self.layer_norm2(x))))


class Transformer(nn.Module):
    def __init__(self, width=192, heads=3):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.block = Block(width, heads)
        self.classifier = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.classifier(self.block(x).mean(1))


# MARK: weights

def torch_layout(values):
    """nasrun keeps convolutions as [ky, kx, in, out] and matrices as [in, out]."""
    axes = {4: (3, 2, 0, 1), 2: (1, 0)}.get(values.ndim, tuple(range(values.ndim)))
    return torch.from_numpy(values.transpose(axes).copy())


def load(model, path):
    """Takes the weights of a file that nasrun wrote; every parameter must be there."""
    values = {name.replace("/", "."): torch_layout(array) for name, array in load_file(path).items()}
    for part in ("weight", "bias"):
        names = [f"block.attention.{projection}.{part}" for projection in ("query", "key", "value")]
        if names[0] in values:
            values[f"block.attention.joined.{part}"] = torch.cat([values.pop(name) for name in names])
    values.pop("images", None)
    missing, unexpected = model.load_state_dict(values, strict=False)
    missing = [name for name in missing if name != "alpha" and not name.endswith(STATISTICS)]
    if missing or unexpected:
        raise SystemExit(f"the networks differ: missing {missing}, unexpected {unexpected}")


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def make(kind, cell=None, cells=1):
    if kind == "nasbench201":
        return NASBench201(cell, cells)
    return {"mobile": Mobile, "transformer": Transformer}[kind]()
