"""ONNX Runtime's side of the benchmark: answers at batch 1, of a network that PyTorch exported."""

import argparse
import os

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

from serve import serve


def export(options, path):
    """PyTorch's own export of the network for inference."""
    import torch

    import networks

    model = networks.make(options.kind, options.cell, options.cells)
    networks.load(model, f"{options.network}/weights.safetensors")
    image = torch.from_numpy(load_file(options.arrays)["images"][:1]).permute(0, 3, 1, 2).contiguous()
    torch.onnx.export(model.eval(), (image,), path, dynamo=True, verbose=False, external_data=False)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind")
    parser.add_argument("--network")
    parser.add_argument("--arrays")
    parser.add_argument("--cell")
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--export", action="store_true",
                        help="write the model and end: PyTorch is not to be in the process that is timed")
    options = parser.parse_args()
    path = os.path.join(options.network, "model.onnx")
    if options.export:
        return export(options, path)
    image = np.ascontiguousarray(load_file(options.arrays)["images"][:1].transpose(0, 3, 1, 2))
    model = session(path)
    # Bound input and output: no copy and no allocation in a call.
    binding = model.io_binding()
    binding.bind_ortvalue_input(model.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(image))
    output = onnxruntime.OrtValue.ortvalue_from_shape_and_type([1, 10], np.float32)
    binding.bind_ortvalue_output(model.get_outputs()[0].name, output)

    def step():
        model.run_with_iobinding(binding)
        return output.numpy()[0, 0]

    serve(step)


main()
