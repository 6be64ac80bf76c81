"""Golden logits and gradients of a network of self-attention by PyTorch, in float64.

    pip install torch==2.9.1 numpy && python make_attention_golden.py

Written from the formulas in architecture.ts and attention.ts with PyTorch's own layer_norm, linear and
scaled_dot_product_attention, each of three utterances alone; no dropout.
"""
import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
lengths, inputs, width, heads, reach, tokens = [4, 1, 7], 6, 8, 2, 2, 5
shapes = {
    'input.matrix': (inputs, width), 'input.bias': (width,), 'input.norm.gain': (width,), 'input.norm.bias': (width,),
    'attention.norm.gain': (width,), 'attention.norm.bias': (width,),
    'attention.input.matrix': (width, 3 * width), 'attention.input.bias': (3 * width,),
    'attention.positions': (heads, 2 * reach + 1),
    'attention.output.matrix': (width, width), 'attention.output.bias': (width,),
    'feedforward.norm.gain': (width,), 'feedforward.norm.bias': (width,),
    'feedforward.input.matrix': (width, 4 * width), 'feedforward.input.bias': (4 * width,),
    'feedforward.output.matrix': (4 * width, width), 'feedforward.output.bias': (width,),
    'norm.gain': (width,), 'norm.bias': (width,),
    'output.matrix': (width, tokens), 'output.bias': (tokens,),
}
p = {name: (0.5 * torch.randn(shape)).requires_grad_() for name, shape in shapes.items()}


def norm(x, name):
    return F.layer_norm(x, (width,), p[f'{name}.gain'], p[f'{name}.bias'], eps=1e-5)


def linear(x, name):
    return F.linear(x, p[f'{name}.matrix'].T, p[f'{name}.bias'])


def network(x):
    frames = len(x)
    y = F.relu(norm(linear(x, 'input'), 'input.norm'))
    split = lambda part: part.reshape(frames, heads, width // heads).transpose(0, 1)
    q, k, v = (split(part) for part in linear(norm(y, 'attention.norm'), 'attention.input').split(width, dim=-1))
    distance = torch.arange(frames)[None, :] - torch.arange(frames)[:, None]
    bias = p['attention.positions'][:, distance.clamp(-reach, reach) + reach]
    attended = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=bias[None])[0]
    y = y + linear(attended.transpose(0, 1).reshape(frames, width), 'attention.output')
    y = y + linear(F.relu(linear(norm(y, 'feedforward.norm'), 'feedforward.input')), 'feedforward.output')
    return linear(norm(y, 'norm'), 'output')


utterances = [torch.randn(length, inputs) for length in lengths]
logits = torch.cat([network(x) for x in utterances])
logit_gradient = torch.randn_like(logits)
logits.backward(logit_gradient)

short = lambda values: [float(f'{v:.9g}') for v in np.concatenate([value.detach().reshape(-1).numpy() for value in values])]
pathlib.Path(__file__).with_name('attention.json').write_text(json.dumps(dict(
    origin=f'PyTorch {torch.__version__}',
    architecture=dict(kind='attention', bins=inputs, spliceLeft=0, spliceRight=0, stride=1, width=width, layers=1, heads=heads, reach=reach, tokens=tokens, dropout=0),
    weights=short(p.values()), utteranceOffsets=[0, 4, 5, 12], features=short(utterances),
    logits=short([logits]), logitGradient=short([logit_gradient]), gradient=short([value.grad for value in p.values()]),
), separators=(',', ':')) + '\n')
