"""PyTorch's side of the benchmark: one kind of work, done when standard input says so (serve.py).

The settings are the best known: channels_last, the quicker of the fused and the multi-tensor optimiser, and malloc
tuned by the environment that the driver sets."""

import argparse
import copy
import itertools
import json
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file

import networks
import proxies
from serve import serve

DESCENT = dict(lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)


def read_batch(path):
    """Images as channels_last tensors, and labels."""
    arrays = load_file(path)
    images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
    count = len(images)
    labels = arrays.get("labels", np.arange(count) % networks.CLASSES)
    return images, torch.from_numpy(labels).long()


def network(options):
    model = networks.make(options.kind, options.cell, options.cells)
    networks.load(model, f"{options.network}/weights.safetensors")
    return model.to(memory_format=torch.channels_last)


def trainer(model, images, labels, optimisers, precision="fp32"):
    def step():
        for optimiser in optimisers:
            optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(model(images), labels)
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
        return loss

    return lambda: step().item()


def quickest(make_step, *settings):
    """`make_step(fused, *setting)` with the fused optimiser or without, and the setting, whose steps take less CPU time
    in a short trial."""
    times = {}
    for choice in itertools.product((True, False), *settings):
        step = make_step(*choice)
        step()
        samples = []
        while len(samples) < 2 or sum(samples) < 0.1:
            start = time.process_time()
            step()
            samples.append(time.process_time() - start)
        times[choice] = min(samples)
    return make_step(*min(times, key=times.get))


def descent(parameters, fused):
    return torch.optim.SGD(parameters, **DESCENT, fused=fused, foreach=not fused)


# MARK: work

def train(options):
    images, labels = read_batch(options.arrays)
    original = network(options)

    def make_step(fused):
        model = copy.deepcopy(original)
        return trainer(model, images, labels, [descent(model.parameters(), fused)], options.precision)

    serve(make_step(True) if options.plain else quickest(make_step))


def curve(options):
    """Each step is an epoch in the order of the file, with a learning rate that falls to nothing in equal steps; the
    number is the accuracy on the test images, in per cent."""
    images, labels = read_batch(options.arrays)
    test_images, test_labels = read_batch(options.test)
    orders, epoch = torch.from_numpy(load_file(options.arrays)["orders"]).long(), 0
    model = network(options)
    optimiser = descent(model.parameters(), True)

    def step():
        nonlocal epoch
        model.train()
        optimiser.param_groups[0]["lr"] = DESCENT["lr"] * (len(orders) - epoch) / len(orders)
        for chosen in orders[epoch].split(options.batch):
            if len(chosen) == options.batch:
                batch = images[chosen].contiguous(memory_format=torch.channels_last)
                trainer(model, batch, labels[chosen], [optimiser])()
        epoch += 1
        model.eval()
        with torch.no_grad():
            return 100 * (model(test_images).argmax(1) == test_labels).float().mean().item()

    serve(step)


def relaxed(options):
    images, labels = read_batch(options.arrays)
    original = networks.RelaxedNASBench201(options.cells)
    networks.load(original, options.arrays)
    original.to(memory_format=torch.channels_last)

    def make_step(fused):
        model = copy.deepcopy(original)
        weights = [value for name, value in model.named_parameters() if name != "alpha"]
        adam = torch.optim.Adam([model.alpha], lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3, fused=fused)
        return trainer(model, images, labels, [descent(weights, fused), adam])

    serve(quickest(make_step))


def first(options):
    """First steps of networks that were never seen: module, optimiser, one step; a new network each time."""
    images, labels = read_batch(options.arrays)
    cells, count = json.loads(options.cell), 0

    def step():
        nonlocal count
        model = networks.make("nasbench201", cells[count % len(cells)], options.cells)
        count += 1
        model.to(memory_format=torch.channels_last)
        return trainer(model, images, labels, [descent(model.parameters(), True)])()

    serve(step)


class PlainCell(torch.nn.Module):
    """An LSTM cell of plain operations, with one product for all gates."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())

    def forward(self, x, state):
        h, c = state
        gates = torch.addmm(self.bias, torch.cat((x, h), 1), self.weight)
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


def library_cell(weight, bias):
    hidden = len(weight) // 2
    cell = torch.nn.LSTMCell(hidden, hidden)
    with torch.no_grad():
        cell.weight_ih.copy_(weight[:hidden].T)
        cell.weight_hh.copy_(weight[hidden:].T)
        cell.bias_ih.copy_(bias)
        cell.bias_hh.zero_()
    cell.bias_hh.requires_grad_(False)
    return cell


def controller(options):
    """An update of an LSTM controller, with the quicker of PyTorch's LSTM cell and one of plain operations."""
    values = {name: torch.from_numpy(array.copy()) for name, array in load_file(options.arrays).items()}
    options_count, hidden = values["embedding"].shape
    choices = [(3 * step) % options_count for step in range(1, options.steps + 1)]

    def make_step(fused, make_cell):
        cell = make_cell(values["weight"], values["bias"])
        start, embedding, softmax = (
            values[name].clone().requires_grad_() for name in ("start", "embedding", "softmax"))
        parameters = [p for p in cell.parameters() if p.requires_grad] + [start, embedding, softmax]
        adam = torch.optim.Adam(parameters, lr=1e-3, fused=fused)

        def step():
            adam.zero_grad()
            x, h, c, log_p = start, torch.zeros(1, hidden), torch.zeros(1, hidden), []
            for choice in choices:
                h, c = cell(x, (h, c))
                log_p.append(F.log_softmax(h @ softmax, -1))
                x = embedding[choice:choice + 1]
            loss = F.nll_loss(torch.cat(log_p), torch.tensor(choices), reduction="sum") * 0.5
            loss.backward()
            adam.step()
            return loss.item()

        return step

    serve(quickest(make_step, (library_cell, PlainCell)))


def proxy(options):
    images, labels = read_batch(options.arrays)
    model = network(options)
    serve(lambda: getattr(proxies, options.proxy)(model, images, labels))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["train", "curve", "relaxed", "first", "controller", "proxy"])
    parser.add_argument("--kind")
    parser.add_argument("--network")
    parser.add_argument("--arrays")
    parser.add_argument("--test")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--cell")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--proxy")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="the fused optimiser, without trying: for its memory")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    globals()[options.work](options)


main()
