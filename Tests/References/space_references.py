"""Parameters and multiply-accumulates of networks of the library's spaces, counted by PyTorch: written as a Lua module
that Tests/Lua/space_references.lua reads.

    venv/bin/python space_references.py

DARTS: the evaluation network of quark0/darts without its auxiliary classifier, and its search network. Inverted
bottlenecks: MobileNetV2 (Sandler et al. 2018) and networks with other kernels and squeeze-and-excitation.
"""

import random
from pathlib import Path

import torch
from torch import nn

OPERATIONS = [
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
    "dil_conv_5x5",
]


def conv_norm(inputs, outputs, kernel, affine=True, activation=None, **options):
    layers = [nn.Conv2d(inputs, outputs, kernel, bias=False, **options), nn.BatchNorm2d(outputs, affine=affine)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class Factorized(nn.Module):
    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x):
        x = torch.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


def depthwise(channels, kernel, stride, dilation, affine):
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        conv_norm(channels, channels, 1, affine))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, ::self.stride, ::self.stride] * 0


def operation(name, channels, stride, affine):
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Factorized(channels, channels, affine)
    if name.endswith("pool_3x3"):
        pool = nn.MaxPool2d(3, stride, 1) if name[:3] == "max" else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return pool if affine else nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
    kernel = int(name[-1])
    if name.startswith("sep"):
        return nn.Sequential(*(depthwise(channels, kernel, s, 1, affine) for s in (stride, 1)))
    return depthwise(channels, kernel, stride, 2, affine)


class Cell(nn.Module):
    """`edges`: for each node a list of (operation, source)."""

    def __init__(self, edges, before, previous, channels, reduction, after_reduction, affine):
        super().__init__()
        self.first = (
            Factorized(before, channels, affine) if after_reduction
            else nn.Sequential(nn.ReLU(), conv_norm(before, channels, 1, affine)))
        self.second = nn.Sequential(nn.ReLU(), conv_norm(previous, channels, 1, affine))
        self.sources = [[source for _, source in node] for node in edges]
        self.operations = nn.ModuleList(
            nn.ModuleList(operation(op, channels, 2 if reduction and source < 2 else 1, affine) for op, source in node)
            for node in edges)

    def forward(self, a, b):
        states = [self.first(a), self.second(b)]
        for operations, sources in zip(self.operations, self.sources):
            states.append(sum(op(states[source]) for op, source in zip(operations, sources)))
        return torch.cat(states[2:], 1)


class Darts(nn.Module):
    def __init__(self, normal, reduce, channels, cells, classes=10, affine=True):
        super().__init__()
        self.stem = conv_norm(3, 3 * channels, 3, padding=1)
        before = previous = 3 * channels
        after_reduction, self.cells = False, nn.ModuleList()
        for index in range(cells):
            reduction = index in (cells // 3, 2 * cells // 3)
            channels *= 2 if reduction else 1
            edges = reduce if reduction else normal
            self.cells.append(Cell(edges, before, previous, channels, reduction, after_reduction, affine))
            before, previous, after_reduction = previous, 4 * channels, reduction
        self.classifier = nn.Linear(previous, classes)

    def forward(self, x):
        a = b = self.stem(x)
        for cell in self.cells:
            a, b = b, cell(a, b)
        return self.classifier(b.mean((2, 3)))


class Gate(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.reduce, self.expand = nn.Linear(channels, width), nn.Linear(width, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs, kernel, expand, gate, stride):
        super().__init__()
        inner = inputs * expand
        layers = [conv_norm(inputs, inner, 1, activation=nn.ReLU6)] if expand != 1 else []
        layers.append(
            conv_norm(inner, inner, kernel, activation=nn.ReLU6, stride=stride, padding=kernel // 2, groups=inner))
        if gate:
            layers.append(Gate(inner, max(1, int(inner * gate + 0.5))))
        layers.append(conv_norm(inner, outputs, 1))
        self.layers, self.shortcut = nn.Sequential(*layers), stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.shortcut else self.layers(x)


def mobile(stem, stem_stride, channels, strides, blocks, head, classes):
    """`blocks`: for each stage a list of (kernel, expand, gate)."""
    layers, inputs = [conv_norm(3, stem, 3, activation=nn.ReLU6, stride=stem_stride, padding=1)], stem
    for outputs, stride, stage in zip(channels, strides, blocks):
        for number, (kernel, expand, gate) in enumerate(stage):
            layers.append(Bottleneck(inputs, outputs, kernel, expand, gate, stride if number == 0 else 1))
            inputs = outputs
    layers += [conv_norm(inputs, head, 1, activation=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(head, classes))


def count(model, size):
    """Parameters, and multiply-accumulates of convolutions and linear layers with the additions of their biases."""
    total = [0]

    def add(module, inputs, output):
        if isinstance(module, nn.Conv2d):
            taps = module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups
            total[0] += output.numel() * taps
        elif isinstance(module, nn.Linear):
            total[0] += output.numel() * (module.in_features + 1)

    for module in model.modules():
        module.register_forward_hook(add)
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    return sum(p.numel() for p in model.parameters()), total[0]


def genotype_text(cells):
    parts = []
    for name in ("normal", "reduce"):
        edges = ", ".join(str(edge) for node in cells[name] for edge in node)
        parts.append(f"{name}=[{edges}], {name}_concat=[2, 3, 4, 5]")
    return "Genotype(" + ", ".join(parts) + ")"


def drawn_genotype(seed):
    draw = random.Random(seed)
    return {
        name: [
            [(draw.choice(OPERATIONS[1:]), source) for source in sorted(draw.sample(range(node + 2), 2))]
            for node in range(4)
        ] for name in ("normal", "reduce")
    }


def by_node(edges):
    return [edges[2 * node:2 * node + 2] for node in range(4)]


# cnn/genotypes.py of quark0/darts: the cells of the paper's second-order search, as its README names it DARTS_V2.
DARTS_V2 = {
    "normal": by_node([
        ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 1),
        ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)]),
    "reduce": by_node([
        ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1), ("max_pool_3x3", 0),
        ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)]),
}


def darts_lines():
    cases = [("V2", DARTS_V2, 36, 20, 32)] + [(f"drawn{s}", drawn_genotype(s), 8, 6, 16) for s in (1, 2, 3)]
    for name, cells, channels, count_cells, size in cases:
        params, macs = count(Darts(cells["normal"], cells["reduce"], channels, count_cells), size)
        yield (
            f'    {{ name = "{name}", channels = {channels}, cells = {count_cells}, size = {size},\n'
            f'      text = "{genotype_text(cells)}",\n      params = {params}, macs = {macs} }},')


def search_line():
    edges = [[(op, source) for source in range(node + 2) for op in OPERATIONS] for node in range(4)]
    model = Darts(edges, edges, 16, 8, affine=False)
    return f"  search_network = {{ params = {sum(p.numel() for p in model.parameters())} }},"


def mobile_lines():
    v2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    blocks = [[(3, expand, 0)] * times for expand, _, times, _ in v2]
    model = mobile(32, 2, [c for _, c, _, _ in v2], [s for _, _, _, s in v2], blocks, 1280, 1000)
    params, macs = count(model, 224)
    yield f"  mobilenet_v2 = {{ params = {params}, macs = {macs} }},"
    blocks = [[(5, 3, 0.25), (3, 6, 0)], [(7, 4, 0.25)], [(3, 3, 0), (5, 4, 0.25), (7, 6, 0)]]
    params, macs = count(mobile(16, 1, [16, 24, 32], [1, 2, 2], blocks, 128, 10), 12)
    yield f"  mobile_mixed = {{ params = {params}, macs = {macs} }},"


torch.manual_seed(0)
target = Path(__file__).parents[1] / "Lua" / "references" / "spaces.lua"
lines = ["-- Written by Tests/References/space_references.py.", "return {", "  darts = {", *darts_lines(), "  },"]
target.write_text("\n".join([*lines, search_line(), *mobile_lines(), "}"]) + "\n")
