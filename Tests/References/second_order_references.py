"""Gradients of gradients, in float64: of single ops, and of a small network made like NAS-Bench-201's."""

import mpmath
import numpy as np
import torch
import torch.nn.functional as F

from op_references import SMOOTH, random
from reference_file import layout

SHAPES = {
    "stem/conv/weight": (6, 3, 3, 3), "stem/norm/weight": (6,), "stem/norm/bias": (6,),
    "a/conv/weight": (6, 6, 3, 3), "a/norm/weight": (6,), "a/norm/bias": (6,),
    "b/conv/weight": (8, 6, 3, 3), "b/norm/weight": (8,), "b/norm/bias": (8,),
    "shortcut/weight": (8, 6, 1, 1), "classifier/weight": (5, 8), "classifier/bias": (5,),
}


def kind(path):
    return "linear" if path == "classifier/weight" else "conv" if len(SHAPES[path]) == 4 else "plain"


def network(p, x):
    def unit(name, x, stride=1):
        y = F.conv2d(x, p[name + "/conv/weight"], None, stride, 1)
        return F.batch_norm(y, None, None, p[name + "/norm/weight"], p[name + "/norm/bias"], True, 0.1, 1e-5)

    x = unit("stem", x)
    x = unit("a", F.relu(x)) + F.avg_pool2d(x, 3, 1, 1, False, False) + F.max_pool2d(x, 3, 1, 1)
    x = unit("b", F.relu(x), 2) + F.conv2d(F.avg_pool2d(x, 2), p["shortcut/weight"])
    return F.linear(F.relu(x).mean((2, 3)), p["classifier/weight"], p["classifier/bias"])


def hessian_vector_case():
    name = "hessian_vector"
    x, labels = random(name, 4, 3, 8, 8), [0, 3, 1, 4]
    values = {path: random(f"{name}/{path}", *shape) / 4 + (path.endswith("norm/weight"))
              for path, shape in SHAPES.items()}
    directions = {path: random(f"{name}/v/{path}", *shape) for path, shape in SHAPES.items()}
    tensors, float32 = {"input": layout(x, "image"), "labels": labels}, {}
    for dtype, results in ((torch.float64, tensors), (torch.float32, float32)):
        p = {path: torch.tensor(v, dtype=dtype, requires_grad=True) for path, v in values.items()}
        loss = F.cross_entropy(network(p, torch.tensor(x, dtype=dtype)), torch.tensor(labels), label_smoothing=0.1)
        gradients = torch.autograd.grad(loss, list(p.values()), create_graph=True)
        product = sum((g * torch.tensor(directions[k], dtype=dtype)).sum() for g, k in zip(gradients, p))
        for path, h in zip(p, torch.autograd.grad(product, list(p.values()))):
            results[f"product/{path}"] = layout(h.numpy(), kind(path))
        results["loss"] = loss.detach().numpy()
    for path in SHAPES:
        tensors[path] = layout(values[path], kind(path))
        tensors[f"direction/{path}"] = layout(directions[path], kind(path))
    return dict(name=name, op="hessian_vector", tensors=tensors, float32=float32)


def second_order_cases():
    """For f(x) and fixed u and v, the gradient by x of v . (the gradient by x of u . f(x))."""
    functions = dict(SMOOTH, layer_norm=lambda x: F.layer_norm(x, (x.shape[-1],)))
    for op, function in functions.items():
        name = "second_order/" + op
        x = random(name, 3, 2, 2, 18)
        u, v = random(name + "/u", *x.shape), random(name + "/v", *x.shape)
        results = []
        for dtype in (torch.float64, torch.float32):
            leaf = torch.tensor(x, dtype=dtype, requires_grad=True)
            gradient, = torch.autograd.grad((function(leaf) * torch.tensor(u, dtype=dtype)).sum(), leaf,
                                            create_graph=True)
            product = (gradient * torch.tensor(v, dtype=dtype)).sum()
            results.append({"second": torch.autograd.grad(product, leaf)[0].numpy()})
        yield dict(name=name, op=op, attributes={"affine": False} if op == "layer_norm" else {},
                   tensors={"input": x, "u": u, "v": v} | results[0], float32=results[1])


def dirichlet_case():
    """The pathwise gradient of Dirichlet draws by their concentrations: as PyTorch approximates it (to about 1e-3), and
    from the incomplete beta function with mpmath."""
    name = "dirichlet"
    concentration = torch.exp(torch.tensor(random(name, 40, 5), dtype=torch.float64))
    torch.manual_seed(1)
    draws = torch.distributions.Dirichlet(concentration).sample().clamp(1e-5, 1).float().double()
    draws = draws / draws.sum(-1, keepdim=True)
    upstream = random(name + "/u", 40, 5)
    u = torch.tensor(upstream, dtype=torch.float64)
    total = concentration.sum(-1, True).expand_as(concentration)
    inner = torch._dirichlet_grad(draws, concentration, total)
    gradient = inner * (u - (draws * u).sum(-1, True))
    exact = np.array([[slope(*map(float, entry)) for entry in zip(*row)]
                      for row in zip(draws, concentration, total - concentration)])
    exact *= (u - (draws * u).sum(-1, True)).numpy()
    return dict(name=name, op="dirichlet", tensors={
        "exact": exact,
        "concentration": concentration.numpy(), "draws": draws.numpy(), "output_gradient": upstream,
        "gradient": gradient.numpy()})


def slope(x, a, b):
    """The derivative by a of a draw x from Beta(a, b), over 1 - x."""
    derivative = mpmath.diff(lambda p: mpmath.betainc(p, b, 0, x, regularized=True), a)
    density = mpmath.mpf(x) ** (a - 1) * (1 - mpmath.mpf(x)) ** (b - 1) / mpmath.beta(a, b)
    return float(-derivative / (density * (1 - x)))


def dirichlet_second_case():
    """The gradients by draws y, concentrations and upstream u of v . (the pathwise gradient), by mpmath's differences of
    high precision, at draws that are held fixed."""
    name, rows, width = "dirichlet_second", 6, 3
    concentration = np.exp(random(name, rows, width)).astype(np.float32)
    y = np.random.default_rng(5).dirichlet(np.ones(width) * 3, rows).astype(np.float32)
    u, v = random(name + "/u", rows, width), random(name + "/v", rows, width)

    def value(y, a, u, v):
        mean, total = mpmath.fdot(y, u), mpmath.fsum(a)
        return mpmath.fsum(vi * precise_slope(yi, ai, total - ai) * (ui - mean) for yi, ai, ui, vi in zip(y, a, u, v))

    gradients = {"draws_gradient": [], "concentration_gradient": [], "output_gradient_gradient": []}
    with mpmath.workdps(60):
        for row in zip(y, concentration, u, v):
            numbers = [[mpmath.mpf(float(n)) for n in part] for part in row]
            for part, gradient in enumerate(gradients.values()):
                gradient.append([float(partial(value, numbers, part, k)) for k in range(width)])
    return dict(name=name, op="dirichlet_second", tensors={
        "draws": y, "concentration": concentration, "output_gradient": u, "v": v}
        | {key: np.array(value) for key, value in gradients.items()})


def partial(function, arguments, part, element):
    """A central difference by one number of one argument."""
    step, results = mpmath.mpf(10) ** -9, []
    for sign in (1, -1):
        moved = [list(numbers) for numbers in arguments]
        moved[part][element] += sign * step
        results.append(function(*moved))
    return (results[0] - results[1]) / (2 * step)


def precise_slope(x, a, b):
    """`slope` with all of mpmath's digits."""
    step = mpmath.mpf(10) ** -18
    above, below = (mpmath.betainc(a + s * step, b, 0, x, regularized=True) for s in (1, -1))
    density = x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b)
    return -(above - below) / (2 * step) / (density * (1 - x))
