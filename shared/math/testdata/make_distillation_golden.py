"""Losses, their gradients and AdamW as PyTorch computes them, in float64: python3 make_distillation_golden.py > distillation.json"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
FRAMES, TOKENS, KEPT = 6, 7, 3


def dense(kept, posteriors, tail, kind):
    """The targets of a frame as a distribution over all tokens; with "ghost", over the kept tokens and one more."""
    if kind == "ghost":
        return torch.cat([posteriors, tail[None]])
    target = torch.zeros(TOKENS)
    target[kept] = posteriors / posteriors.sum() if kind == "renormalise" else posteriors
    if kind == "uniform":
        others = [v for v in range(TOKENS) if v not in kept.tolist()]
        target[others] = tail / len(others)
    return target


def loss_of(logits, case, tokens, posteriors, tails, weights, labels):
    w, T = case["softWeight"], case["temperature"]
    total = 0.0
    for i in range(FRAMES):
        g = weights[i]
        h = (1 - w * g if case["gated"] == "to-hard" else 1 - w) if labels[i] >= 0 else 0.0
        if h > 0:
            total = total + h * F.cross_entropy(logits[i], labels[i], label_smoothing=case["labelSmoothing"])
        student = F.softmax(logits[i] / T, dim=-1)
        if case["tail"] == "ghost":
            others = [v for v in range(TOKENS) if v not in tokens[i].tolist()]
            student = torch.cat([student[tokens[i]], student[others].sum()[None]])
        target = dense(tokens[i], posteriors[i], tails[i], case["tail"])
        total = total + w * g * T * T * F.kl_div(student.log(), target, reduction="sum")
    return total / FRAMES


logits = (2 * torch.randn(FRAMES, TOKENS)).float().double()
teacher = F.softmax(1.5 * torch.randn(FRAMES, TOKENS), dim=-1)
posteriors, tokens = teacher.topk(KEPT)
tails = 1 - posteriors.sum(dim=-1)
weights = torch.tensor([1.0, 1.0, 0.5, 0.0, 1.0, 0.25])
labels = torch.tensor([2, -1, 0, 6, 3, -1])
cases = []
for tail in ["renormalise", "ghost", "uniform"]:
    for temperature in [1.0, 3.0]:
        for gated, smoothing in [("to-hard", 0.0), ("drop", 0.1)]:
            case = {"tail": tail, "temperature": temperature, "gated": gated, "labelSmoothing": smoothing, "softWeight": 0.6}
            z = logits.clone().requires_grad_()
            loss = loss_of(z, case, tokens, posteriors, tails, weights, labels)
            loss.backward()
            cases.append(case | {"lossNats": loss.item(), "gradient": z.grad.flatten().tolist()})

start = torch.randn(8).float().double()
gradients = torch.randn(5, 8).float().double()
parameter = torch.nn.Parameter(start.clone())
bias = torch.nn.Parameter(start.clone())
optimiser = torch.optim.AdamW(
    [{"params": [parameter], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}], lr=0.01, eps=1e-8
)
for gradient in gradients:
    parameter.grad, bias.grad = gradient.clone(), gradient.clone()
    optimiser.step()


def rounded(value):
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


print(json.dumps({
    "origin": f"make_distillation_golden.py, PyTorch {torch.__version__}, float64",
    "tokensPerFrame": TOKENS,
    "logits": rounded(logits.flatten().tolist()),
    "hardLabels": labels.tolist(),
    "tokens": tokens.flatten().tolist(),
    "posteriors": rounded(posteriors.flatten().tolist()),
    "tails": rounded(tails.tolist()),
    "weights": weights.tolist(),
    "cases": [{k: rounded(v) for k, v in case.items()} for case in cases],
    "adamw": {
        "learningRate": 0.01, "weightDecay": 0.1,
        "start": rounded(start.tolist()), "gradients": rounded(gradients.tolist()),
        "decayed": rounded(parameter.tolist()), "kept": rounded(bias.tolist()),
    },
}, indent=None, separators=(",", ":")))
