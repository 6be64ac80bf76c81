"""Temperatures, mixture weights and label figures as PyTorch finds them, in float64: python3 make_calibration_golden.py > calibration.json"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
TEACHERS, FRAMES, TOKENS, BINS = 3, 60, 5, 15


def minimum(parameters, loss):
    optimizer = torch.optim.LBFGS(
        [parameters], lr=0.5, max_iter=1000, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss(parameters)
        value.backward()
        return value

    optimizer.step(closure)
    return parameters.detach()


def rounded(values, digits=10):
    return [float(f"{value:.{digits}g}") for value in values.flatten().tolist()]


def calibration_error(log_posteriors, labels):
    confidence, best = log_posteriors.exp().max(-1)
    correct = (best == labels).double()
    error = 0.0
    for i in range(BINS):
        inside = (confidence > i / BINS) & (confidence <= (i + 1) / BINS)
        if inside.any():
            error += inside.double().mean() * (correct[inside].mean() - confidence[inside].mean()).abs()
    return float(error)


labels = torch.randint(TOKENS, (FRAMES,))
scores = torch.randn(TEACHERS, FRAMES, TOKENS)
scores[:, torch.arange(FRAMES), labels] += torch.tensor([1.5, 1.2, 1.3])[:, None]
# overconfident, as they should be, timid; as float32 would store them
log_posteriors = F.log_softmax(scores * torch.tensor([3.0, 1.0, 0.4])[:, None, None], -1).float().double()


def cross_entropy(log_inverse, teacher):
    return F.cross_entropy(log_posteriors[teacher] * log_inverse.exp(), labels)


def mixed_loss(free, of_labels):
    return -torch.logsumexp(of_labels + F.log_softmax(free, 0)[:, None], 0).mean()


inverses = [minimum(torch.zeros(1, requires_grad=True), lambda p, i=i: cross_entropy(p, i)).exp() for i in range(TEACHERS)]
of_labels = log_posteriors[:, torch.arange(FRAMES), labels]
free = minimum(torch.zeros(TEACHERS, requires_grad=True), lambda p: mixed_loss(p, of_labels))
print(
    json.dumps(
        {
            "origin": f"make_calibration_golden.py, PyTorch {torch.__version__}, float64",
            "vocabularySize": TOKENS,
            "labels": labels.tolist(),
            "teachers": [
                {
                    "logPosteriors": rounded(log_posteriors[i], 9),
                    "temperature": 1 / float(inverses[i]),
                    "calibratedCrossEntropyNats": float(cross_entropy(inverses[i].log(), i)),
                    "crossEntropyNats": float(F.cross_entropy(log_posteriors[i], labels)),
                    "frameError": float((log_posteriors[i].argmax(-1) != labels).double().mean()),
                    "calibrationError": calibration_error(log_posteriors[i], labels),
                }
                for i in range(TEACHERS)
            ],
            "mixture": {"weights": rounded(F.softmax(free, 0)), "crossEntropyNats": float(mixed_loss(free, of_labels))},
        },
        separators=(",", ":"),
    )
)
