"""weights/import_*.safetensors: a small PyTorch network's state in three types, and its numbers in import.json.

Run with the versions of requirements.txt. `linear_output` is the linear layer of the float32 state applied to 1…6.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent / "weights"

FOLDER.mkdir(exist_ok=True)
torch.manual_seed(0)
conv, linear = torch.nn.Conv2d(3, 2, (2, 3)), torch.nn.Linear(6, 4)
state = {f"features.0.{k}": v for k, v in conv.state_dict().items()}
state |= {f"fc.{k}": v for k, v in linear.state_dict().items()}
for name, kind in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)]:
    save_file({k: v.detach().to(kind).contiguous() for k, v in state.items()}, FOLDER / f"import_{name}.safetensors")
numbers = {
    name: {
        "conv": v["features.0.weight"].to(kind).float().permute(2, 3, 1, 0).flatten().tolist(),
        "linear": v["fc.weight"].to(kind).float().T.flatten().tolist(),
    }
    for name, kind, v in [("f32", torch.float32, state), ("f16", torch.float16, state), ("bf16", torch.bfloat16, state)]
}
(FOLDER / "import.json").write_text(json.dumps(numbers) + "\n")
