"""Values and gradients of the blocks that nas.nn composes, by PyTorch's modules with the same weights, in float64.

    python block_references.py

writes `../Lua/references/blocks.lua`, which `Tests/Lua/block_values.lua` compares with. All numbers that go in come from
`wave`, here and there.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from reference_file import layout


def wave(seed, shape):
    """Numbers in [-1, 1) of a linear congruential generator, exact in float32."""
    values, state = [], seed
    for _ in range(int(np.prod(shape))):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(state // 128 / 2**23 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


class Case:
    """Parameters by path, in nasrun's order and layout, filled with waves 1, 2, …; the input is wave 101."""

    def __init__(self, x_shape):
        self.x, self.leaves = wave(101, x_shape).requires_grad_(), {}

    def parameter(self, path, *shape):
        self.leaves[path] = wave(len(self.leaves) + 1, shape).requires_grad_()
        return self.leaves[path]

    def finish(self, output):
        (output * wave(102, tuple(output.shape))).sum().backward()
        result = {"output": output.detach(), "x": self.x.grad}
        return result | {path: leaf.grad for path, leaf in self.leaves.items()}


def call(module, parameters, *inputs, **options):
    """Runs a module with tensors in place of its parameters, so that gradients reach them."""
    return torch.func.functional_call(module.double(), parameters, inputs, options)


def convolution(case, path, x, kernel, channels, groups=1, stride=1):
    weight = case.parameter(path + "/conv/weight", kernel, kernel, x.shape[1] // groups, channels)
    module = nn.Conv2d(x.shape[1], channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    x = call(module, {"weight": weight.permute(3, 2, 0, 1)}, x)
    gamma, beta = (case.parameter(f"{path}/norm/{name}", channels) for name in ("weight", "bias"))
    return call(nn.BatchNorm2d(channels), {"weight": gamma, "bias": beta}, x)


def linear(case, path, x, features):
    weight, bias = case.parameter(path + "/weight", x.shape[-1], features), case.parameter(path + "/bias", features)
    return call(nn.Linear(x.shape[-1], features), {"weight": weight.T, "bias": bias}, x)


def mbconv(stride, squeeze_excite):
    """Inner channels: 3 times the 2 of the input."""
    case = Case((2, 4, 5, 2))
    x = y = case.x.permute(0, 3, 1, 2)
    y = nn.Hardswish()(convolution(case, "expand", y, 1, 6))
    y = nn.Hardswish()(convolution(case, "depthwise", y, 3, 6, groups=6, stride=stride))
    if squeeze_excite:
        gate = nn.ReLU()(linear(case, "squeeze_excite/reduce", nn.AdaptiveAvgPool2d(1)(y).flatten(1), 3))
        y = y * torch.sigmoid(linear(case, "squeeze_excite/expand", gate, 6))[:, :, None, None]
    y = convolution(case, "project", y, 1, 2)
    return case.finish((x + y if stride == 1 else y).permute(0, 2, 3, 1))


def attend(case, scope, x, heads, causal):
    """torch.nn.MultiheadAttention, whose weights of queries, keys and values lie in one matrix."""
    width, length = x.shape[-1], x.shape[1]
    weights, biases = zip(*((case.parameter(f"{scope}/{name}/weight", width, width),
                             case.parameter(f"{scope}/{name}/bias", width))
                            for name in ("query", "key", "value", "output")))
    parameters = {"in_proj_weight": torch.cat([w.T for w in weights[:3]]), "in_proj_bias": torch.cat(biases[:3]),
                  "out_proj.weight": weights[3].T, "out_proj.bias": biases[3]}
    mask = torch.ones(length, length).triu(1).bool() if causal else None
    module = nn.MultiheadAttention(width, heads, batch_first=True)
    return call(module, parameters, x, x, x, attn_mask=mask, need_weights=False)[0]


def attention(heads, causal):
    case = Case((2, 3, 4))
    return case.finish(attend(case, "attention", case.x, heads, causal))


def transformer_block():
    """torch.nn.TransformerEncoderLayer with the normalisation first."""
    case = Case((2, 3, 4))
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0, "gelu", batch_first=True, norm_first=True).double()
    shapes = {"layer_norm1": [(4,), (4,)], **{f"attention/{n}": [(4, 4), (4,)] for n in ("query", "key", "value", "output")},
              "layer_norm2": [(4,), (4,)], "up": [(4, 8), (8,)], "down": [(8, 4), (4,)]}
    p = {}
    for path, (weight, bias) in shapes.items():
        p[path] = case.parameter(f"block/{path}/weight", *weight), case.parameter(f"block/{path}/bias", *bias)
    projections = [p[f"attention/{name}"] for name in ("query", "key", "value")]
    parameters = {"self_attn.in_proj_weight": torch.cat([w.T for w, _ in projections]),
                  "self_attn.in_proj_bias": torch.cat([b for _, b in projections])}
    for name, path in {"self_attn.out_proj": "attention/output", "linear1": "up", "linear2": "down",
                       "norm1": "layer_norm1", "norm2": "layer_norm2"}.items():
        parameters |= {name + ".weight": p[path][0].T if p[path][0].ndim > 1 else p[path][0], name + ".bias": p[path][1]}
    return case.finish(call(layer, parameters, case.x))


def lstm_cell():
    """Two steps of torch.nn.LSTMCell; the state starts at 0."""
    case, hidden = Case((2, 2, 3)), 4
    weight, bias = case.parameter("weight", 3 + hidden, 4 * hidden), case.parameter("bias", 4 * hidden)
    parameters = {"weight_ih": weight[:3].T, "weight_hh": weight[3:].T, "bias_ih": bias, "bias_hh": 0 * bias}
    state = (torch.zeros(2, hidden, dtype=torch.float64),) * 2
    for step in range(2):
        state = call(nn.LSTMCell(3, hidden), parameters, case.x[:, step], state)
    return case.finish(torch.cat(state, 1))


CASES = {
    "mbconv": lambda: mbconv(1, False), "mbconv_gated": lambda: mbconv(2, True),
    "attention": lambda: attention(1, False), "attention_heads": lambda: attention(2, False),
    "attention_causal": lambda: attention(2, True), "transformer_block": transformer_block, "lstm_cell": lstm_cell,
}

lines = ["-- Written by Tests/References/block_references.py: for each case the output and the gradients by path.", "", "return {"]
for name, run in CASES.items():
    lines.append(f"  {name} = {{")
    for path, values in run().items():
        numbers = [f"{v:.8g}" for v in layout(values.numpy(), "plain").reshape(-1)]
        lines.append(f'    ["{path}"] = {{')
        lines += ["      " + ", ".join(numbers[i:i + 8]) + "," for i in range(0, len(numbers), 8)]
        lines.append("    },")
    lines.append("  },")
lines.append("}")
(Path(__file__).parent.parent / "Lua/references/blocks.lua").write_text("\n".join(lines) + "\n")
