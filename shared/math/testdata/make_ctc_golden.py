"""Values and gradients of the CTC loss, by PyTorch in float64: `python make_ctc_golden.py >ctc.json` (PyTorch 2.9.1)."""
import json

import torch
from torch.nn import functional as F

torch.manual_seed(0)
CASES = [
    # frames, tokens, labels, scale of the logits
    (12, 5, [1, 2, 3], 1),
    (9, 4, [2, 2, 1], 2),  # a repeat
    (5, 4, [1, 1, 1], 1),  # as few frames as will do
    (4, 4, [1, 1, 1], 1),  # too few
    (6, 3, [], 1),  # silence
    (1, 3, [2], 1),
    (40, 11, [3, 3, 7, 1, 10, 10, 2, 5], 50),  # certain, and mostly wrong
    (70, 6, [1, 2, 3, 4, 5, 4, 3, 2, 1, 1, 2, 2, 5, 5, 3], 5),
]


def case(frames, tokens, labels, scale):
    logits = (scale * torch.randn(frames, tokens)).float().double().requires_grad_()
    nats = F.ctc_loss(
        F.log_softmax(logits, 1)[:, None],
        torch.tensor([labels], dtype=torch.long).view(1, -1),
        torch.tensor([frames]),
        torch.tensor([len(labels)]),
        reduction='sum',
        zero_infinity=False,
    )
    impossible = torch.isinf(nats).item()
    if not impossible:
        nats.backward()
    return {
        'vocabularySize': tokens,
        'labels': labels,
        'logits': logits.detach().flatten().tolist(),
        'nats': None if impossible else nats.item(),
        'gradient': None if impossible else logits.grad.flatten().tolist(),
    }


print(json.dumps([case(*given) for given in CASES]))
