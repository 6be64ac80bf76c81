"""The CTC loss and its gradient as PyTorch computes them, in float64: python3 make_ctc_golden.py > ctc.json"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
TOKENS = 5


def golden(name, frames, labels, spread=2.0, logits=None):
    logits = (spread * torch.randn(frames, TOKENS)).float().double() if logits is None else logits
    z = logits.clone().requires_grad_()
    targets = torch.tensor([labels], dtype=torch.long)
    arguments = F.log_softmax(z, dim=-1)[:, None], targets, (frames,), (len(labels),)
    F.ctc_loss(*arguments, reduction="sum", zero_infinity=True).backward()
    nats = F.ctc_loss(*arguments, reduction="sum").item()
    return {
        "name": name,
        "labels": labels,
        "logits": rounded(logits.flatten().tolist()),
        "nats": rounded(nats) if nats < float("inf") else "Infinity",
        "gradient": rounded(z.grad.flatten().tolist()),
    }


def rounded(value):
    return [rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.9g}")


confident = 100 * torch.randint(0, 2, (30, TOKENS)).double() - 50
cases = [
    golden("different labels", 8, [1, 3, 2]),
    golden("repeated labels", 9, [2, 2, 1, 1, 1]),
    golden("an empty transcript", 4, []),
    golden("as many frames as labels", 4, [1, 2, 3, 4]),
    golden("as many frames as labels and the blanks between equal ones", 7, [3, 3, 1, 4, 4]),
    golden("one frame too few", 6, [3, 3, 1, 4, 4]),
    golden("fewer frames than labels", 2, [1, 2, 3]),
    golden("one frame with its label", 1, [4]),
    golden("one frame of blank", 1, []),
    golden("one frame and two labels", 1, [4, 1]),
    golden("a long transcript", 60, torch.randint(1, TOKENS, (25,)).tolist()),
    golden("few labels in many frames", 60, [2, 4, 4]),
    golden("logits of 50 and -50", 30, [1, 4, 4, 2, 3, 1, 2], logits=confident),
    golden("logits spread by 50", 30, [1, 4, 4, 2, 3, 1, 2], spread=50.0),
]
print(json.dumps({
    "origin": f"make_ctc_golden.py, PyTorch {torch.__version__}, float64; impossible ones with zero_infinity",
    "vocabularySize": TOKENS,
    "cases": cases,
}, separators=(",", ":")))
