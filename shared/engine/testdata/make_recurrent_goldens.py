"""Golden logits and gradients of recurrent networks by PyTorch, in float64.

    pip install torch==2.9.1 numpy && python make_recurrent_goldens.py

Two bidirectional layers over utterances of 4, 1 and 7 frames. PyTorch's second bias is 0, but for that of the candidate of
gated recurrent units, which the reset gate acts on: it is the fourth part of ours.
"""
import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
lengths, inputs, tokens = [4, 1, 7], 6, 5


def golden(kind, layers, width):
    torch.manual_seed(0)
    model = layers(inputs, width, num_layers=2, bidirectional=True, batch_first=True)
    output = torch.nn.Linear(2 * width, tokens)
    for name, parameter in model.named_parameters():
        if 'bias_hh' not in name:
            torch.nn.init.normal_(parameter, std=0.4)
        else:
            torch.nn.init.zeros_(parameter)
            if kind == 'gru':
                torch.nn.init.normal_(parameter[2 * width:], std=0.4)
    utterances = [torch.randn(length, inputs) for length in lengths]
    packed = torch.nn.utils.rnn.pack_sequence(utterances, enforce_sorted=False)
    hidden, _ = torch.nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)
    logits = torch.cat([output(hidden[i, :length]) for i, length in enumerate(lengths)])
    logit_gradient = torch.randn_like(logits)
    logits.backward(logit_gradient)

    parameters, gradients = [], []

    def take(parameter, turn=False, part=slice(None)):
        for values, where in ((parameter.detach(), parameters), (parameter.grad, gradients)):
            where.append((values.T if turn else values[part]).reshape(-1).numpy())

    for layer in (0, 1):
        for suffix in ('', '_reverse'):
            take(getattr(model, f'weight_ih_l{layer}{suffix}'), turn=True)
            take(getattr(model, f'weight_hh_l{layer}{suffix}'), turn=True)
            take(getattr(model, f'bias_ih_l{layer}{suffix}'))
            if kind == 'gru':
                take(getattr(model, f'bias_hh_l{layer}{suffix}'), part=slice(2 * width, None))
    take(output.weight, turn=True)
    take(output.bias)

    short = lambda values: [float(f'{v:.9g}') for v in np.concatenate(values)]
    pathlib.Path(__file__).with_name(f'{kind}.json').write_text(json.dumps(dict(
        origin=f'PyTorch {torch.__version__}',
        architecture=dict(kind=kind, bins=inputs, spliceLeft=0, spliceRight=0, stride=1, width=width, layers=2, bidirectional=True, tokens=tokens, dropout=0),
        weights=short(parameters), utteranceOffsets=[0, 4, 5, 12],
        features=short([u.reshape(-1).numpy() for u in utterances]),
        logits=short([logits.detach().reshape(-1).numpy()]), logitGradient=short([logit_gradient.reshape(-1).numpy()]),
        gradient=short(gradients),
    ), separators=(',', ':')) + '\n')


golden('lstm', torch.nn.LSTM, 8)
golden('gru', torch.nn.GRU, 4)
