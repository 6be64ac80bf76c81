"""Golden logits and gradients of a recurrent network by PyTorch, in float64.

    pip install torch==2.9.1 numpy && python make_lstm_golden.py

Two bidirectional layers over utterances of 4, 1 and 7 frames; PyTorch's second bias is 0.
"""
import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
lengths, inputs, width, tokens = [4, 1, 7], 6, 8, 5
model = torch.nn.LSTM(inputs, width, num_layers=2, bidirectional=True, batch_first=True)
output = torch.nn.Linear(2 * width, tokens)
for name, parameter in model.named_parameters():
    torch.nn.init.normal_(parameter, std=0.4) if 'bias_hh' not in name else torch.nn.init.zeros_(parameter)
utterances = [torch.randn(length, inputs) for length in lengths]
packed = torch.nn.utils.rnn.pack_sequence(utterances, enforce_sorted=False)
hidden, _ = torch.nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)
logits = torch.cat([output(hidden[i, :length]) for i, length in enumerate(lengths)])
logit_gradient = torch.randn_like(logits)
logits.backward(logit_gradient)

parameters, gradients = [], []
for layer in (0, 1):
    for suffix in ('', '_reverse'):
        for kind, turn in (('weight_ih', True), ('weight_hh', True), ('bias_ih', False)):
            parameter = getattr(model, f'{kind}_l{layer}{suffix}')
            for values, where in ((parameter.detach(), parameters), (parameter.grad, gradients)):
                where.append((values.T if turn else values).reshape(-1).numpy())
for parameter, turn in ((output.weight, True), (output.bias, False)):
    for values, where in ((parameter.detach(), parameters), (parameter.grad, gradients)):
        where.append((values.T if turn else values).reshape(-1).numpy())

short = lambda values: [float(f'{v:.9g}') for v in np.concatenate(values)]
pathlib.Path(__file__).with_name('lstm.json').write_text(json.dumps(dict(
    origin=f'PyTorch {torch.__version__}',
    architecture=dict(kind='lstm', bins=inputs, spliceLeft=0, spliceRight=0, stride=1, width=width, layers=2, bidirectional=True, tokens=tokens, dropout=0),
    weights=short(parameters), utteranceOffsets=[0, 4, 5, 12],
    features=short([u.reshape(-1).numpy() for u in utterances]),
    logits=short([logits.detach().reshape(-1).numpy()]), logitGradient=short([logit_gradient.reshape(-1).numpy()]),
    gradient=short(gradients),
), separators=(',', ':')) + '\n')
