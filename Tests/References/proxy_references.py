"""Zero-cost proxies of two small NAS-Bench-201 networks, in float64 with PyTorch's autograd, by the definitions of the
papers and of zero-cost-nas, NASLib, ZenNAS and TE-NAS. Writes Tests/Lua/references/proxies.lua.

Weights, images and noise are drawn as nasrun draws them: each parameter from the stream NETWORK/weights/PATH.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from random_stream import Stream

torch.set_num_threads(1)
SEED, BATCH, CLASSES, SIDE = 1, 12, 5, 16
CELLS = {
    "mixed": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|",
    "thin": "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|skip_connect~2|",
}


# MARK: drawing

def filled(name, count, draw):
    stream = Stream(SEED, name)
    return np.array([draw(stream) for _ in range(count)], np.float32)


def normal(name, *shape):
    return filled(name, math.prod(shape), lambda s: s.normal()).reshape(shape)


class Parameters(dict):
    """Parameters as tensors of PyTorch's layout, drawn when they are first asked for."""

    def __init__(self, stream, scheme="default"):
        self.stream, self.scheme, self.kinds = stream, scheme, {}

    def get_or_draw(self, path, shape, kind, fan_in=1, fan_out=1):
        if path not in self:
            self.kinds[path] = kind
            self[path] = self.draw(path, shape, kind, fan_in, fan_out).requires_grad_()
        return self[path]

    def draw(self, path, shape, kind, fan_in, fan_out):
        if kind == "norm":
            return torch.full(shape, 1.0 if path.endswith("weight") else 0.0, dtype=torch.float64)
        if self.scheme == "default":
            values = self.numbers(path, shape, lambda s: (2 * s.uniform() - 1) / math.sqrt(fan_in))
        elif kind == "bias":
            return torch.zeros(shape, dtype=torch.float64)
        else:
            fan = {"normal": 2, "kaiming_normal_fan_in": fan_in, "kaiming_normal_fan_out": fan_out}[self.scheme]
            values = self.numbers(path, shape, lambda s: s.normal() * math.sqrt(2 / fan))
        return torch.tensor(values, dtype=torch.float64)

    def numbers(self, path, shape, draw):
        """nasrun keeps [ky, kx, in, out] and [in, out]."""
        own = shape[2:] + (shape[1], shape[0]) if len(shape) > 1 else shape
        values = filled(f"{self.stream}/weights/{path}", math.prod(shape), draw).reshape(own)
        return values.transpose({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[values.ndim]).copy()


# MARK: the network

class Network:
    def __init__(self, cell, channels, parameters, norm="batch"):
        self.cell, self.channels, self.p, self.norm = cell, channels, parameters, norm

    def conv(self, x, path, co, kernel, stride=1):
        fans = x.shape[1] * kernel * kernel, co * kernel * kernel
        w = self.p.get_or_draw(f"{path}/conv2d1/weight", (co, x.shape[1], kernel, kernel), "weight", *fans)
        y = F.conv2d(x, w, None, stride, kernel // 2)
        self.layers.append((f"{path}/conv2d1/weight", y))
        return y

    def batch_norm(self, x, path):
        weight = self.p.get_or_draw(f"{path}/batch_norm1/weight", (x.shape[1],), "norm")
        bias = self.p.get_or_draw(f"{path}/batch_norm1/bias", (x.shape[1],), "norm")
        self.normalised.append(x)
        return x if self.norm == "bypass" else F.batch_norm(x, None, None, weight, bias, True, 0.1, 1e-5)

    def relu(self, x):
        self.relus.append(F.relu(x))
        return self.relus[-1]

    def unit(self, x, path, co, kernel, stride=1):
        return self.batch_norm(self.conv(self.relu(x), path, co, kernel, stride), path)

    def edge(self, x, op, path):
        if op == "none":
            return None
        if op == "skip_connect":
            return x
        if op == "avg_pool_3x3":
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return self.unit(x, f"{path}/{op}", x.shape[1], int(op[-1]))

    def run_cell(self, x, path):
        nodes = [x]
        for node, group in enumerate(self.cell.split("+"), 1):
            terms = []
            for source, text in enumerate(group.strip("|").split("|")):
                op = text.split("~")[0]
                terms.append(self.edge(nodes[source], op, f"{path}/edge{source}_{node}"))
            terms = [t for t in terms if t is not None]
            nodes.append(sum(terms[1:], terms[0]) if terms else nodes[0] * 0)
        return nodes[-1]

    def __call__(self, x):
        self.layers, self.relus, self.normalised = [], [], []
        c = self.channels
        x = self.batch_norm(self.conv(x, "stem", c, 3), "stem")
        for stage in (1, 2, 3):
            if stage > 1:
                path, co = f"reduction{stage - 1}", c << stage - 1
                y = self.unit(self.unit(x, path + "/a", co, 3, 2), path + "/b", co, 3)
                x = y + self.conv(F.avg_pool2d(x, 2), path + "/shortcut", co, 1)
            x = self.run_cell(x, f"stage{stage}_cell1")
        self.features = self.relu(self.batch_norm(x, "head"))
        pooled = self.features.mean((2, 3))
        w = self.p.get_or_draw("head/linear1/weight", (CLASSES, 4 * c), "weight", 4 * c, CLASSES)
        b = self.p.get_or_draw("head/linear1/bias", (CLASSES,), "bias", 4 * c)
        y = F.linear(pooled, w, b)
        self.layers.append(("head/linear1/weight", y))
        return y


def images(values):
    return torch.tensor(values.transpose(0, 3, 1, 2).astype(np.float64))


def weights(network):
    return [value for path, value in network.p.items() if network.p.kinds[path] == "weight"]


def gradients(output, tensors, **options):
    found = torch.autograd.grad(output, tensors, allow_unused=True, **options)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(found, tensors)]


# MARK: proxies of cross-entropy

def loss(network, x, labels):
    return F.cross_entropy(network(x), torch.tensor(labels))


def saliency(network, x, labels):
    value = loss(network, x, labels)
    w = weights(network)
    g = gradients(value, w)
    result = {"plain": sum((a * b).sum() for a, b in zip(w, g)), "l2_norm": sum(a.norm() for a in w),
              "grad_norm": sum(a.norm() for a in g), "snip": sum((a * b).abs().sum() for a, b in zip(w, g))}
    g = gradients(loss(network, x, labels), w, create_graph=True)
    z = sum((a * a.detach()).sum() for a in g)
    result["grasp"] = sum(-(a * h).sum() for a, h in zip(w, gradients(z, w)))
    value = loss(network, x, labels)
    fisher = 0
    for (path, a), g in zip(network.layers, gradients(value, [a for _, a in network.layers])):
        effect = (a * g).sum((2, 3)) if a.dim() == 4 else a * g
        fisher += (effect.pow(2).mean(0) / 2).sum() * (network.p[path].numel() / a.shape[1])
    return result | {"fisher": fisher}


def zico(network, batches):
    network(batches[0][0])
    w = weights(network)
    rounds = [gradients(loss(network, x, labels), w) for x, labels in batches]
    score = 0
    for layer in zip(*rounds):
        g = np.array([a.flatten().numpy() for a in layer])
        deviation = g.std(0)
        nonzero = deviation != 0
        total = (np.abs(g).mean(0)[nonzero] / deviation[nonzero]).sum()
        score += np.log(total) if total else 0
    return score


# MARK: proxies of the Jacobian, of codes and of kernels

def jacobian(network, x):
    x = x.clone().requires_grad_()
    return gradients(network(x).sum(), [x])[0].flatten(1).numpy()


def jacob_cov(rows):
    v, k = np.linalg.eigvalsh(np.corrcoef(rows)), 1e-5
    return -np.sum(np.log(v + k) + 1 / (v + k))


def epe_nas(rows, labels):
    score = 0
    for c in sorted(set(labels)):
        corrs = np.atleast_2d(np.corrcoef(rows[[i for i, label in enumerate(labels) if label == c]]))
        score += abs(np.sum(np.log(np.abs(corrs) + 1e-5)))
    return score


def agreement(network, x):
    network(x)
    total = 0
    for value in network.relus:
        on = (value > 0).double().flatten(1).numpy()
        total = total + on @ on.T + (1 - on) @ (1 - on).T
    return total


def naswot(network, x):
    return np.linalg.slogdet(agreement(network, x))[1]


def synflow(network):
    network.norm = "bypass"
    x = torch.ones(1, 3, SIDE, SIDE, dtype=torch.float64)
    network(x)
    for value in network.p.values():
        value.data.abs_()
    w = weights(network)
    g = gradients(network(x).sum(), w)
    return {"synflow": math.log(float(sum((a * b).abs().sum().detach() for a, b in zip(w, g)))),
            "logsynflow": sum((a * (b + 1).log()).abs().sum() for a, b in zip(w, g)),
            "synflow_bn": sum((a * b).abs().sum() for a, b in zip(w, with_norm(network, x, w)))}


def with_norm(network, x, w):
    network.norm = "batch"
    return gradients(network(x).sum(), w)


def zen(make):
    network = make("test/zen", "normal")
    x, noise = (images(normal(f"test/zen/{name}", 16, SIDE, SIDE, 3)) for name in ("x", "noise"))
    network(x)
    first, score = network.features, 0
    for value in network.normalised:
        score += 0.5 * math.log(value.detach().var((0, 2, 3), unbiased=False).mean())
    # nasrun adds the noise in float32.
    network(torch.tensor((x.numpy() + np.float32(0.01) * noise.numpy()).astype(np.float32), dtype=torch.float64))
    return math.log((first - network.features).detach().abs().sum((1, 2, 3)).mean()) + score


def ntk_cond(make, x):
    network = make("test/ntk", "kaiming_normal_fan_out")
    y = network(x).sum(1)
    names = [path for path in network.p if path.endswith("weight")]
    rows = [torch.cat([g.flatten() for g in gradients(v, [network.p[n] for n in names], retain_graph=True)]) for v in y]
    j = torch.stack(rows)
    values = np.linalg.eigvalsh((j @ j.T).numpy())
    return values[-1] / values[0]


def proxies(cell, channels, batches):
    def make(stream="test", scheme="default"):
        return Network(CELLS[cell], channels, Parameters(stream, scheme))

    x, labels = batches[0]
    result = saliency(make(), x, labels) | synflow(make())
    rows = jacobian(make(), x)
    result |= {"jacob_cov": jacob_cov(rows), "epe_nas": epe_nas(rows, labels), "naswot": naswot(make(), x)}
    result |= {"zen": zen(make), "zico": zico(make(), batches), "ntk_cond": ntk_cond(make, x)}
    return result


def main():
    batches = []
    for name in ("a", "b"):
        x = images(normal(f"images/{name}", BATCH, SIDE, SIDE, 3))
        batches.append((x, [(3 * i + len(batches)) % CLASSES for i in range(BATCH)]))
    lines = ["-- Written by Tests/References/proxy_references.py.", "return {"]
    for name, channels in (("mixed", 4), ("thin", 1)):
        lines += [f"  {name} = {{", f'    cell = "{CELLS[name]}",', f"    channels = {channels},", "    scores = {"]
        for key, value in proxies(name, channels, batches).items():
            lines.append(f"      {key} = {float(torch.as_tensor(value).detach()):.12g},")
        lines += ["    },", "  },"]
    path = Path(__file__).parent.parent / "Lua" / "references" / "proxies.lua"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines + ["}", ""]))


main()
