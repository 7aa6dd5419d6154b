"""A small network of PyTorch with random weights, for the tool that reads them: `imported.safetensors`, and what the network
makes of some inputs in double precision, `imported.json`; with the scores of examples/finetune/nine.safetensors.

    pip install torch numpy safetensors
    python tests/vectors/imported.py
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).parent
sys.path.append(str(HERE / "../../examples/finetune"))
from train import Nine, digits


class Small(nn.Module):
    """Images are N x 2 x 6 x 5."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, (3, 2), padding=(1, 0))
        self.norm1 = nn.BatchNorm2d(3)
        self.depthwise = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False)
        self.dense1 = nn.Linear(3 * 3 * 2, 5)
        self.norm2 = nn.BatchNorm1d(5, eps=1e-3)
        self.dense2 = nn.Linear(5, 4, bias=False)
        self.signal = nn.Conv1d(2, 3, 4, stride=2)
        self.norm3 = nn.BatchNorm1d(18, affine=False)  # of flattened images

    def forward(self, x):
        x = self.norm1(self.conv1(x)).relu()
        x = self.depthwise(nn.functional.max_pool2d(x, 2))
        flat = x.flatten(1)
        return self.dense2(self.norm2(self.dense1(flat)).tanh()), self.norm3(flat)


def main():
    torch.manual_seed(7)
    model = Small().eval()
    for name, x in model.state_dict().items():
        if x.dtype == torch.float32:
            x.copy_(torch.rand(x.shape) + 0.5 if "running_var" in name else torch.randn(x.shape) * 0.5)
    save_file(model.state_dict(), HERE / "imported.safetensors")
    model.double()
    images, signals = torch.randn(4, 2, 6, 5), torch.randn(3, 2, 11)
    scores, normalised = model(images.double())

    nine = Nine().eval()
    nine.load_state_dict(load_file(HERE / "../../examples/finetune/nine.safetensors"))
    _, (x, _) = digits()
    vectors = dict(
        images=images, scores=scores, normalised=normalised,
        signals=signals, filtered=model.signal(signals.double()),
        digits=x[:20] * 16, nine=nine.double()(x[:20].double()),
    )
    flat = {name: [float(f"{v:.9g}") for v in x.detach().flatten().tolist()] for name, x in vectors.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(x)}" for name, x in flat.items()]
    (HERE / "imported.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
