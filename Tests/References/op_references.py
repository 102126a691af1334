"""Forward values and gradients of each op, computed in float64 from inputs that are exact in float32."""

import zlib

import numpy as np
import torch
import torch.nn.functional as F

from reference_file import layout


def random(name, *shape):
    """Normal numbers, exact in float32, that depend on `name` alone."""
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)


def differentiate(function, arrays, kinds, output_kind, output_gradient):
    """Runs `function(*arrays)` in float64 and in float32; returns (tensors, float32 results)."""
    results = []
    for dtype in (torch.float64, torch.float32):
        leaves = [torch.tensor(a, dtype=dtype, requires_grad=True) for a in arrays.values()]
        output = function(*leaves)
        output.backward(torch.tensor(output_gradient(tuple(output.shape)), dtype=dtype))
        tensors = {"output": layout(output.detach().numpy(), output_kind)}
        for leaf, key, kind in zip(leaves, arrays, kinds):
            # Whole numbers that index have no gradient.
            gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            tensors[key + "_gradient"] = layout(gradient.numpy(), kind)
        results.append(tensors)
    return results


def case(name, op, function, arrays, kinds, output_kind="image", attributes=None, extra=None):
    """A case of `function`: inputs, output, a fixed output gradient and the gradients of all inputs."""
    gradient = {}

    def output_gradient(shape):
        gradient["value"] = random(name + "/gradient", *shape)
        return gradient["value"]

    exact, float32 = differentiate(function, arrays, kinds, output_kind, output_gradient)
    inputs = {key: layout(value, kind) for (key, value), kind in zip(arrays.items(), kinds)}
    tensors = inputs | {"output_gradient": layout(gradient["value"], output_kind)} | exact | (extra or {})
    return dict(name=name, op=op, attributes=attributes, tensors=tensors, float32=float32)


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


# name: batch, height, width, channels in and out, kernel, stride, padding, dilation, groups, bias
CONVOLUTIONS = {
    "pointwise_batch1": (1, 5, 7, 3, 4, 1, 1, 0, 1, 1, False),
    "pointwise_33_to_5": (3, 3, 5, 33, 5, 1, 1, 0, 1, 1, True),
    "pointwise_stride2": (2, 7, 5, 6, 20, 1, 2, 0, 1, 1, False),
    "stem_rgb": (2, 7, 5, 3, 8, 3, 1, 1, 1, 1, False),
    "whole_lanes": (2, 8, 8, 16, 16, 3, 1, 1, 1, 1, False),
    "two_blocks": (1, 6, 6, 32, 48, 3, 1, 1, 1, 1, False),
    "lanes_plus_one": (2, 5, 6, 17, 19, 3, 1, 1, 1, 1, True),
    "no_padding": (1, 6, 9, 5, 7, 3, 1, 0, 1, 1, False),
    "wide_padding": (2, 4, 3, 4, 6, 3, 1, 3, 1, 1, False),
    "stride2_odd": (2, 9, 9, 8, 12, 3, 2, 1, 1, 1, False),
    "stride2_even": (2, 8, 6, 16, 32, 3, 2, 1, 1, 1, False),
    "stride_over_kernel": (2, 11, 8, 4, 5, 2, 3, 0, 1, 1, False),
    "stride4_kernel3": (1, 13, 10, 5, 18, 3, 4, 1, 1, 1, True),
    "kernel5": (1, 7, 7, 6, 10, 5, 1, 2, 1, 1, False),
    "kernel_over_image": (3, 2, 2, 5, 3, 5, 1, 2, 1, 1, False),
    "kernel_is_image": (2, 4, 5, 7, 9, (4, 5), 1, 0, 1, 1, True),
    "dilation2": (2, 7, 8, 6, 8, 3, 1, 2, 2, 1, False),
    "dilation3_stride2": (1, 11, 9, 4, 6, 3, 2, 0, 3, 1, False),
    "row_kernel": (2, 5, 6, 4, 7, (1, 3), 1, (0, 1), 1, 1, False),
    "oblong": (1, 9, 8, 3, 5, (3, 2), (2, 1), (1, 0), (1, 2), 1, False),
    "groups2": (2, 5, 5, 4, 6, 3, 1, 1, 1, 2, False),
    "groups4_bias": (1, 6, 5, 8, 12, 3, 2, 1, 1, 4, True),
    "groups2_whole_lanes": (1, 4, 4, 32, 32, 3, 1, 1, 1, 2, False),
    "groups3_pointwise": (2, 3, 4, 21, 12, 1, 1, 0, 1, 3, False),
    "depthwise": (2, 6, 7, 16, 16, 3, 1, 1, 1, 16, False),
    "depthwise_19": (1, 5, 5, 19, 19, 3, 1, 1, 1, 19, True),
    "depthwise_stride2": (2, 9, 8, 20, 20, 3, 2, 1, 1, 20, False),
    "depthwise5_dilation2": (1, 9, 9, 6, 6, 5, 1, 4, 2, 6, False),
    "depthwise_multiplier2": (2, 5, 4, 9, 18, 3, 1, 1, 1, 9, False),
    "one_pixel": (1, 1, 1, 3, 5, 3, 1, 1, 1, 1, False),
}


def convolution_cases():
    for short, (n, h, w, ci, co, kernel, stride, padding, dilation, groups, bias) in CONVOLUTIONS.items():
        name = "conv2d/" + short
        kernel, stride, padding, dilation = map(pair, (kernel, stride, padding, dilation))
        arrays = {"input": random(name, n, ci, h, w), "weight": random(name + "/w", co, ci // groups, *kernel)}
        if bias:
            arrays["bias"] = random(name + "/b", co)
        attributes = dict(kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)

        def run(x, weight, b=None):
            return F.conv2d(x, weight, b, stride, padding, dilation, groups)

        yield case(name, "conv2d", run, arrays, ["image", "conv", "plain"], attributes=attributes)


def linear_cases():
    for short, (n, ci, co, bias) in {"batch1": (1, 5, 3, True), "plain": (7, 33, 10, True),
                                     "no_bias": (4, 16, 17, False)}.items():
        name = "linear/" + short
        arrays = {"input": random(name, n, ci), "weight": random(name + "/w", co, ci)}
        if bias:
            arrays["bias"] = random(name + "/b", co)
        yield case(name, "linear", F.linear, arrays, ["plain", "linear", "plain"], "plain", dict(bias=bias))


BATCH_NORM_SHAPES = {"plain": (4, 5, 6, 3), "batch1": (1, 17, 5, 4), "lanes": (3, 16, 4, 4),
                     "one_pixel": (6, 7, 1, 1), "far_from_zero": (4, 5, 5, 5)}


def batch_norm_cases():
    for short, shape in BATCH_NORM_SHAPES.items():
        for affine in (True, False):
            for mode in ("batch", "running"):
                yield batch_norm_case(short, shape, affine, mode)


def batch_norm_case(short, shape, affine, mode):
    """`batch`: the statistics of the second of two batches; `running`: those after two updates."""
    name = f"batch_norm/{short}_{mode}" + ("" if affine else "_not_affine")
    c = shape[1]
    first, second = random(name + "/first", *shape), random(name, *shape)
    if short == "far_from_zero":
        first, second = (np.float32(100) + np.float32(0.5) * x for x in (first, second))
    arrays = {"input": second}
    if affine:
        arrays |= {"gamma": 1 + random(name + "/g", c) / 4, "beta": random(name + "/b", c)}
    statistics = {}

    def run(x, gamma=None, beta=None):
        mean, variance = torch.zeros(c, dtype=x.dtype), torch.ones(c, dtype=x.dtype)
        F.batch_norm(torch.tensor(first, dtype=x.dtype), mean, variance, gamma, beta, True, 0.1, 1e-5)
        if mode == "batch":
            output = F.batch_norm(x, mean, variance, gamma, beta, True, 0.1, 1e-5)
        else:
            F.batch_norm(x.detach(), mean, variance, None, None, True, 0.1, 1e-5)
            output = F.batch_norm(x, mean.clone(), variance.clone(), gamma, beta, False, 0.1, 1e-5)
        if x.dtype == torch.float64:
            statistics.update(running_mean=mean.numpy(), running_variance=variance.numpy())
        return output

    result = case(name, "batch_norm", run, arrays, ["image", "plain", "plain"],
                  attributes=dict(momentum=0.1, epsilon=1e-5, affine=affine, mode=mode))
    result["tensors"] |= {"first_input": layout(first, "image")} | statistics
    return result


def activation_cases():
    for op, function in {"relu": F.relu, "relu6": F.relu6}.items():
        for short, shape in {"plain": (2, 5, 3, 4), "lanes": (1, 16, 3, 3), "flat": (3, 7)}.items():
            name = f"{op}/{short}"
            x = 4 * random(name, *shape)
            x.reshape(-1)[:3] = [0, 6, 7]
            kind = "image" if len(shape) == 4 else "plain"
            yield case(name, op, function, {"input": x}, [kind], kind)


# name: batch, height, width, channels, kernel, stride, padding
POOLINGS = {
    "cell": (2, 5, 7, 17, 3, 1, 1),
    "halve": (2, 8, 6, 5, 2, 2, 0),
    "halve_odd": (1, 7, 9, 16, 2, 2, 0),
    "stride2": (3, 9, 8, 4, 3, 2, 1),
    "stride_over_kernel": (2, 11, 8, 3, 2, 3, 1),
    "oblong": (1, 7, 8, 6, (3, 2), (2, 1), (1, 0)),
    "wide_padding": (2, 3, 3, 2, 5, 2, 2),
    "one_pixel": (1, 1, 1, 3, 3, 1, 1),
}


def pooling_cases():
    for short, (n, h, w, c, kernel, stride, padding) in POOLINGS.items():
        kernel, stride, padding = map(pair, (kernel, stride, padding))
        attributes = dict(kernel=kernel, stride=stride, padding=padding)
        x = random("pool/" + short, n, c, h, w)
        yield case(f"max_pool/{short}", "max_pool", lambda x: F.max_pool2d(x, kernel, stride, padding),
                   {"input": x}, ["image"], attributes=attributes)
        for counted in (True, False):
            name = f"avg_pool/{short}_" + ("counted" if counted else "not_counted")
            yield case(name, "avg_pool", lambda x: F.avg_pool2d(x, kernel, stride, padding, False, counted),
                       {"input": x}, ["image"], attributes=attributes | dict(count_padding=counted))
    ties = np.round(random("pool/ties", 2, 3, 6, 5))
    yield case("max_pool/ties", "max_pool", lambda x: F.max_pool2d(x, 3, 2, 1), {"input": ties}, ["image"],
               attributes=dict(kernel=(3, 3), stride=(2, 2), padding=(1, 1)))
    for short, shape in {"batch1": (1, 5, 3, 7), "lanes": (3, 16, 4, 4), "one_pixel": (2, 19, 1, 1)}.items():
        name = "global_avg_pool/" + short
        yield case(name, "global_avg_pool", lambda x: x.mean((2, 3)), {"input": random(name, *shape)}, ["image"],
                   "plain")


def joining_cases():
    for short, count, shape in [("two", 2, (2, 5, 3, 4)), ("four", 4, (1, 16, 2, 3)), ("three_flat", 3, (3, 7))]:
        name = "add/" + short
        kind = "image" if len(shape) == 4 else "plain"
        arrays = {f"input{i}": random(f"{name}/{i}", *shape) for i in range(count)}
        yield case(name, "add", lambda *xs: sum(xs[1:], xs[0]), arrays, [kind] * count, kind)
    for short, channels in {"odd": (3, 5), "lanes": (16, 16), "three": (1, 17, 7), "crossing": (9, 16, 20)}.items():
        name = "concat/" + short
        arrays = {f"input{i}": random(f"{name}/{i}", 2, c, 3, 2) for i, c in enumerate(channels)}
        yield case(name, "concat", lambda *xs: torch.cat(xs, 1), arrays, ["image"] * len(channels))
    for short, (axis, extents) in {"rows": (2, (3, 1, 2)), "columns": (3, (16, 2)), "tokens": (4, (5, 18))}.items():
        name = "concat/" + short
        shapes = [[n if d == axis - 1 else m for d, m in enumerate((2, 3, 4, 5))] for n in extents]
        arrays = {f"input{i}": random(f"{name}/{i}", *shape) for i, shape in enumerate(shapes)}
        yield case(name, "concat", lambda *xs: torch.cat(xs, axis - 1), arrays, ["plain"] * len(extents), "plain",
                   dict(axis=axis))
    for short, (n, c, h, w) in {"plain": (2, 5, 3, 4), "lanes": (3, 16, 2, 2), "wide": (1, 19, 1, 3)}.items():
        name = "channel_gate/" + short
        arrays = {"input0": random(name, n, c, h, w), "input1": random(name + "/g", n, c)}
        yield case(name, "channel_gate", lambda x, g: x * g[:, :, None, None], arrays, ["image", "plain"])


def cross_entropy_cases():
    for short, n, classes, smoothing, scale in [("plain", 5, 10, 0.0, 1), ("smoothed", 5, 10, 0.1, 1),
                                                ("batch1", 1, 3, 0.0, 1), ("lanes", 4, 16, 0.2, 1),
                                                ("many_classes", 3, 37, 0.1, 3), ("large_logits", 6, 10, 0.1, 300)]:
        name = "cross_entropy/" + short
        logits = (scale * random(name, n, classes)).astype(np.float32)
        labels = np.arange(n) * 7 % classes
        losses = {}

        def run(x):
            target = torch.tensor(labels)
            losses[x.dtype] = F.cross_entropy(x, target, label_smoothing=smoothing, reduction="none").detach().numpy()
            return F.cross_entropy(x, target, label_smoothing=smoothing)

        result = case(name, "cross_entropy", run, {"input": logits}, ["plain"], "plain",
                      dict(label_smoothing=smoothing))
        # The loss is the end of a network: its gradient is 1.
        gradient = {}
        for dtype in (torch.float64, torch.float32):
            leaf = torch.tensor(logits, dtype=dtype, requires_grad=True)
            run(leaf).backward()
            gradient[dtype] = leaf.grad.numpy()
        del result["tensors"]["output_gradient"]
        result["tensors"] |= {"labels": labels, "losses": losses[torch.float64],
                              "input_gradient": gradient[torch.float64]}
        result["float32"] |= {"losses": losses[torch.float32], "input_gradient": gradient[torch.float32]}
        yield result


def target_cases():
    """Cross-entropy with labels from 1 of any shape, and with distributions."""
    for short, (n, tokens, classes), smoothing in [("tokens", (2, 5, 7), 0.1), ("long_tokens", (1, 18, 17), 0.0)]:
        name = "cross_entropy/" + short
        arrays = {"input0": random(name, n, tokens, classes), "input1": whole(name + "/t", classes, n, tokens)}
        yield case(name, "cross_entropy",
                   lambda x, t: F.cross_entropy(x.mT, t.detach().long() - 1, label_smoothing=smoothing), arrays,
                   ["plain"] * 2, "plain", dict(label_smoothing=smoothing))
    for short, shape, smoothing in [("probabilities", (4, 6), 0.0), ("smoothed_probabilities", (3, 2, 5), 0.2)]:
        name = "cross_entropy/" + short
        target = np.abs(random(name + "/t", *shape))
        arrays = {"input0": random(name, *shape), "input1": target / target.sum(-1, keepdims=True)}
        yield case(name, "cross_entropy",
                   lambda x, t: F.cross_entropy(x.movedim(-1, 1), t.movedim(-1, 1), label_smoothing=smoothing), arrays,
                   ["plain"] * 2, "plain", dict(label_smoothing=smoothing))


SMOOTH = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu, "hard_swish": F.hardswish, "gelu": F.gelu,
    "softplus": F.softplus, "softmax": lambda x: F.softmax(x, -1), "log_softmax": lambda x: F.log_softmax(x, -1),
}


def smooth_cases():
    """Activations of the last axis, channels-last already, from tiny to saturating inputs."""
    for op, function in SMOOTH.items():
        for short, shape, scale in [("plain", (2, 3, 4, 5), 1), ("lanes", (3, 16), 3), ("wide", (4, 19), 8)]:
            name = f"{op}/{short}"
            x = (scale * random(name, *shape)).astype(np.float32)
            x.reshape(-1)[:3] = [0, 0.001, -0.02]
            yield case(name, op, function, {"input": x}, ["plain"], "plain")


def softmax_axis_cases():
    for op, function in {"softmax": F.softmax, "log_softmax": F.log_softmax}.items():
        for axis in (2, 3):
            name = f"{op}/axis{axis}"
            yield case(name, op, lambda x: function(x, axis - 1), {"input": 3 * random(name, 2, 5, 3, 17)}, ["plain"],
                       "plain", dict(axis=axis))


def layer_norm_cases():
    for short, shape, affine in [("plain", (2, 3, 4, 5), True), ("lanes", (3, 16), True), ("wide", (4, 35), False),
                                 ("far_from_zero", (4, 7), True)]:
        name = "layer_norm/" + short
        x, c = random(name, *shape), shape[-1]
        if short == "far_from_zero":
            x = np.float32(50) + x
        arrays = {"input": x}
        if affine:
            arrays |= {"gamma": 1 + random(name + "/g", c) / 4, "beta": random(name + "/b", c)}
        yield case(name, "layer_norm", lambda x, g=None, b=None: F.layer_norm(x, (x.shape[-1],), g, b, 1e-5), arrays,
                   ["plain"] * 3, "plain", dict(affine=affine, epsilon=1e-5))


def loss_cases():
    def divergence(x, t):
        return F.kl_div(F.log_softmax(x, -1), F.log_softmax(t, -1), log_target=True, reduction="batchmean")

    for op, function in {"mse": F.mse_loss, "binary_cross_entropy": F.binary_cross_entropy_with_logits,
                         "kl_divergence": divergence}.items():
        for short, shape in [("plain", (3, 5)), ("lanes", (4, 16)), ("one", (1, 19))]:
            name = f"{op}/{short}"
            arrays = {f"input{i}": random(f"{name}/{i}", *shape) for i in range(2)}
            if op == "binary_cross_entropy":
                arrays["input1"] = (1 / (1 + np.exp(-arrays["input1"]))).astype(np.float32)
            yield case(name, op, function, arrays, ["plain"] * 2, "plain")


def gated(function):
    """PyTorch's own names for what the table calls otherwise."""
    return {"scale": lambda x: -1.5 * x + 0.25, "pow": lambda x: x**-1.5, "clamp": lambda x: x.clamp(-0.5, 1)}[function]


# op: PyTorch's function, whether the input must be positive
FUNCTIONS = {
    "exp": (torch.exp, False), "log": (torch.log, True), "sqrt": (torch.sqrt, True), "abs": (torch.abs, False),
    "erf": (torch.erf, False),
    "scale": (gated("scale"), False), "pow": (gated("pow"), True), "clamp": (gated("clamp"), False),
}
FUNCTION_ATTRIBUTES = {"scale": dict(multiply=-1.5, add=0.25), "pow": dict(exponent=-1.5), "clamp": dict(low=-0.5, high=1)}


def function_cases():
    for op, (function, is_positive) in FUNCTIONS.items():
        for short, shape in {"odd": (2, 3, 5, 7), "lanes": (3, 16), "wide": (2, 40)}.items():
            name = f"{op}/{short}"
            x = 3 * random(name, *shape)
            x = np.abs(x) + np.float32(0.01) if is_positive else x
            yield case(name, op, function, {"input": x}, ["plain"], "plain", FUNCTION_ATTRIBUTES.get(op))


ARITHMETIC = {"sub": torch.sub, "mul": torch.mul, "div": torch.div, "minimum": torch.minimum,
              "maximum": torch.maximum, "add": torch.add}


def arithmetic_cases():
    shapes = {"same": ((3, 4, 5), (3, 4, 5)), "lanes": ((2, 16), (2, 16)), "row": ((2, 1, 5), (2, 4, 5)),
              "column": ((3, 4, 1), (3, 4, 7)), "both": ((2, 3, 1, 4), (2, 1, 5, 4))}
    for op, function in ARITHMETIC.items():
        for short, (a, b) in shapes.items():
            name = f"{op}/broadcast_{short}"
            arrays = {"input0": random(name + "/a", *a), "input1": random(name + "/b", *b)}
            arrays["input1"] += np.float32(2) * np.sign(arrays["input1"])
            if op in ("minimum", "maximum"):
                arrays = {key: np.round(value) for key, value in arrays.items()}
            yield case(name, op, function, arrays, ["plain"] * 2, "plain")


def reduction_cases():
    x_shape = (3, 4, 5, 6)
    functions = {"sum": torch.sum, "mean": torch.mean, "reduce_max": torch.amax, "reduce_min": torch.amin}
    for op, function in functions.items():
        for short, axes in {"last": (4,), "space": (2, 3), "batch": (1,), "most": (1, 2, 3), "middle": (3,)}.items():
            for keep in (False, True):
                name = f"{op}/{short}" + ("_kept" if keep else "")
                x = random(name, *x_shape)
                if op.startswith("reduce"):
                    x = np.round(x)
                dims = tuple(a - 1 for a in axes)
                yield case(name, op, lambda x: function(x, dim=dims, keepdim=keep), {"input": x}, ["plain"], "plain",
                           dict(axes=axes, keep=keep))


COMPARISONS = {"equal": torch.eq, "less": torch.lt, "less_equal": torch.le, "greater": torch.gt,
               "greater_equal": torch.ge}


def comparison_cases():
    shapes = {"same": ((3, 4, 5), (3, 4, 5)), "row": ((2, 1, 17), (2, 4, 17)), "both": ((2, 3, 1), (2, 1, 5))}
    for op, function in COMPARISONS.items():
        for short, (a, b) in shapes.items():
            name = f"{op}/{short}"
            arrays = {"input0": np.round(random(name + "/a", *a)), "input1": np.round(random(name + "/b", *b))}
            yield case(name, op, lambda a, b: function(a, b).to(a.dtype) + 0 * (a + b), arrays, ["plain"] * 2, "plain")
    for short, shape in {"odd": (2, 3, 5), "lanes": (3, 16)}.items():
        name = f"where/{short}"
        arrays = {"input0": whole(name, 2, *shape) - 1, "input1": random(name + "/a", *shape),
                  "input2": random(name + "/b", *shape)}
        yield case(name, "where", lambda m, a, b: torch.where(m != 0, a, b), arrays, ["plain"] * 3, "plain")


def position_cases():
    for short, axis, keep in [("last", 4, False), ("middle", 3, True), ("batch", 1, False)]:
        name = f"argmax/{short}"
        yield case(name, "argmax", lambda x: torch.argmax(x, dim=axis - 1, keepdim=keep) + 1 + 0 * x.sum(axis - 1, keepdim=keep),
                   {"input": random(name, 3, 4, 5, 6)}, ["plain"], "plain", dict(axes=(axis,), keep=keep))


def constant_cases():
    functions = {"stop_gradient": lambda x: x.detach() + 0 * x, "zero": lambda x: 0 * x, "sign": torch.sign,
                 "flatten": lambda x: x.flatten(1)}
    for op, function in functions.items():
        yield case(f"{op}/odd", op, function, {"input": random(op, 2, 3, 5, 7)}, ["plain"], "plain")


def rearranging_cases():
    shape = (2, 3, 4, 5)
    for short, order in {"spatial": (1, 3, 2, 4), "channels_first": (1, 4, 2, 3)}.items():
        name = "transpose/" + short
        yield case(name, "transpose", lambda x: x.permute([a - 1 for a in order]), {"input": random(name, *shape)},
                   ["plain"], "plain", dict(order=order))
    for short, (axis, start, stop) in {"rows": (2, 2, 3), "channels": (4, 3, 5), "one": (3, 4, 4)}.items():
        name = "slice/" + short
        yield case(name, "slice", lambda x: x.narrow(axis - 1, start - 1, stop - start + 1),
                   {"input": random(name, *shape)}, ["plain"], "plain", dict(axis=axis, start=start, stop=stop))
    for short, before, after, value in [("zeros", (0, 1, 0, 2), (0, 0, 2, 1), 0.0), ("ones", (0, 0, 3, 0), (0, 1, 0, 12), 1.0)]:
        name = "pad/" + short
        pads = [n for pair in zip(before[::-1], after[::-1]) for n in pair]
        yield case(name, "pad", lambda x: F.pad(x, pads, value=value), {"input": random(name, *shape)}, ["plain"],
                   "plain", dict(before=before, after=after, value=value))
    for short, target in {"flat": (0, 60), "split": (0, 4, 15), "back": (0, 2, 2, -1, 3)}.items():
        name = "reshape/" + short
        yield case(name, "reshape", lambda x: x.reshape([2] + list(target[1:])), {"input": random(name, *shape)},
                   ["plain"], "plain", dict(shape=target))


def whole(name, limit, *shape):
    """Whole numbers from 1 to `limit`, as floats."""
    return (np.random.default_rng(zlib.crc32(name.encode())).integers(1, limit + 1, shape)).astype(np.float32)


def take(x, indices, axis):
    """NumPy's `take_along_axis` with indices from 1: extents of 1 are repeated beside the axis."""
    beside = torch.broadcast_shapes(*([1 if d == axis else n for d, n in enumerate(t.shape)] for t in (x, indices)))
    x, indices = (t.expand([t.shape[d] if d == axis else n for d, n in enumerate(beside)]) for t in (x, indices))
    return torch.gather(x, axis, indices.detach().long() - 1)


# name: shapes of x and the indices, axis
GATHERS = {
    "channels": ((3, 4, 18), (3, 4, 7), 3), "rows": ((2, 5, 17), (2, 3, 17), 2), "batch": ((4, 6), (4, 6), 1),
    "repeated_x": ((2, 1, 5), (2, 4, 3), 3), "repeated_indices": ((3, 4, 20), (3, 1, 25), 3),
}


def indexing_cases():
    for short, (shape, places, axis) in GATHERS.items():
        name = "gather/" + short
        arrays = {"input0": random(name, *shape), "input1": whole(name + "/i", shape[axis - 1], *places)}
        yield case(name, "gather", lambda x, i: take(x, i, axis - 1), arrays, ["plain"] * 2, "plain", dict(axis=axis))
    for short, shape, count, size in [("words", (3, 5), 7, 20), ("categories", (9,), 4, 3), ("grid", (2, 3, 4), 5, 16)]:
        name = "embedding/" + short
        arrays = {"input": whole(name, count, *shape), "weight": random(name + "/w", count, size)}
        yield case(name, "embedding", lambda x, w: F.embedding(x.detach().long() - 1, w), arrays, ["plain"] * 2,
                   "plain", dict(count=count, size=size))
    for short, shape, classes in [("labels", (6,), 4), ("words", (2, 3), 18)]:
        name = "one_hot/" + short
        yield case(name, "one_hot", lambda x: F.one_hot(x.detach().long() - 1, classes).to(x.dtype) + 0 * x[..., None],
                   {"input": whole(name, classes, *shape)}, ["plain"], "plain", dict(classes=classes))


def sorting_cases():
    for short, shape, axis in [("channels", (3, 4, 35), 3), ("rows", (2, 7, 3), 2), ("batch", (6, 5), 1),
                               ("one", (4, 1), 2)]:
        for descending in (False, True):
            name = f"sort/{short}" + ("_descending" if descending else "")
            attributes = dict(axis=axis, descending=descending)
            # Rounded, so that there are ties: the first of equal elements comes first.
            x = np.round(2 * random(name, *shape))
            x[0, 0] = 0
            yield case(name, "sort", lambda x: torch.sort(x, dim=axis - 1, descending=descending, stable=True)[0], {"input": x},
                       ["plain"], "plain", attributes)
            yield case("arg" + name, "argsort", lambda x: torch.argsort(x, dim=axis - 1, descending=descending, stable=True) + 1 + 0 * x,
                       {"input": x}, ["plain"], "plain", attributes)


# name: batch, height, width, channels; interpolate's arguments
RESIZES = {
    "double": ((2, 3, 4, 5), dict(scale_factor=2.0)), "half": ((1, 8, 6, 17), dict(scale_factor=0.5)),
    "odd_factor": ((2, 5, 7, 3), dict(scale_factor=1.7)), "smaller": ((1, 9, 11, 16), dict(size=(4, 5))),
    "larger": ((1, 3, 2, 20), dict(size=(10, 7))), "to_one": ((2, 4, 5, 2), dict(size=(1, 1))),
    "from_one": ((2, 1, 1, 3), dict(size=(3, 4))), "same": ((1, 3, 4, 6), dict(size=(3, 4))),
}


def resize_cases():
    for short, ((n, h, w, c), given) in RESIZES.items():
        for method, corners in [("nearest", None), ("bilinear", False), ("bilinear", True)]:
            name = f"resize/{short}_{method}" + ("_corners" if corners else "")
            attributes = dict(method=method, align_corners=bool(corners))
            if "size" in given:
                attributes |= dict(height=given["size"][0], width=given["size"][1])
            else:
                attributes |= dict(scale=given["scale_factor"])
            yield case(name, "resize", lambda x: F.interpolate(x, **given, mode=method, align_corners=corners),
                       {"input": random(name, n, c, h, w)}, ["image"], attributes=attributes)


def product_cases():
    for short, m, k, n, lead in [("plain", 5, 7, 3, (2,)), ("heads", 4, 16, 4, (2, 3)), ("lanes", 1, 33, 17, (3,))]:
        for ta in (False, True):
            for tb in (False, True):
                name = f"matmul/{short}" + ("_ta" if ta else "") + ("_tb" if tb else "")
                a, b = random(name + "/a", *lead, *((k, m) if ta else (m, k))), random(name + "/b", *lead, *((n, k) if tb else (k, n)))
                yield case(name, "matmul", lambda a, b: (a.mT if ta else a) @ (b.mT if tb else b),
                           {"input0": a, "input1": b}, ["plain"] * 2, "plain", dict(transpose_a=ta, transpose_b=tb))


# name: batch, queries, keys, width, heads, causal
ATTENTIONS = {
    "one_head": (2, 5, 7, 6, 1, False), "two_heads": (3, 4, 9, 10, 2, False), "lanes_plus_one": (1, 3, 17, 34, 2, False),
    "causal": (2, 6, 6, 8, 2, True), "causal_33": (1, 33, 33, 24, 3, True), "one_token": (2, 1, 1, 3, 3, False),
}


def attention_cases():
    for short, (n, t, s, d, heads, causal) in ATTENTIONS.items():
        name = f"scaled_dot_product_attention/{short}"

        def attend(q, k, v):
            q, k, v = (x.unflatten(-1, (heads, d // heads)).transpose(1, 2) for x in (q, k, v))
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)

        arrays = {f"input{i}": random(f"{name}/{i}", n, length, d) for i, length in enumerate((t, s, s))}
        yield case(name, "scaled_dot_product_attention", attend, arrays, ["plain"] * 3, "plain",
                   dict(heads=heads, causal=causal))


def op_cases():
    for cases in (convolution_cases, linear_cases, batch_norm_cases, activation_cases, pooling_cases, joining_cases,
                  cross_entropy_cases, target_cases, smooth_cases, softmax_axis_cases, layer_norm_cases, loss_cases, function_cases, arithmetic_cases,
                  reduction_cases, rearranging_cases, product_cases, attention_cases, indexing_cases, sorting_cases, resize_cases, comparison_cases, position_cases,
                  constant_cases):
        yield from cases()
