"""Golden of a small network: values and gradients by JAX's automatic differentiation, in float64.

Written from the formulas in architecture.ts, without its code:
  y = relu(norm(x W + b) g + s); per dilation d: y = y + relu(norm(conv(y) + b) g + s); logits = y W + b
norm: over the units, biased variance, epsilon 1e-5. conv: lax.conv_general_dilated, 3 taps, zeros beyond the edges of
each utterance, which are therefore run one by one. No dropout. Numbers are rounded to float32 before use.

Made with: python make_network_golden.py > network.json, jax 0.10.2, numpy 2.4.6.
"""
import json
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update('jax_enable_x64', True)
BINS, LEFT, RIGHT, WIDTH, DILATIONS, TOKENS, LENGTHS = 2, 1, 1, 4, [1, 3], 3, [5, 1, 4]
random = np.random.default_rng(7)
draw = lambda *shape: random.normal(size=shape).astype(np.float32).astype(np.float64)

def layer(inputs):
    return {'matrix': 0.6 * draw(inputs, WIDTH), 'bias': 0.3 * draw(WIDTH), 'gain': 1 + 0.3 * draw(WIDTH), 'shift': 0.3 * draw(WIDTH)}

round32 = lambda tree: jax.tree.map(lambda a: np.asarray(a, np.float32).astype(np.float64), tree)
layers = round32([layer(BINS * (LEFT + 1 + RIGHT))] + [layer(3 * WIDTH) for _ in DILATIONS])
output = round32({'matrix': 0.6 * draw(WIDTH, TOKENS), 'bias': 0.3 * draw(TOKENS)})
x = draw(sum(LENGTHS), BINS * (LEFT + 1 + RIGHT))
direction = draw(sum(LENGTHS), TOKENS)

def norm_relu(z, p):
    mean = z.mean(-1, keepdims=True)
    variance = ((z - mean) ** 2).mean(-1, keepdims=True)
    return jax.nn.relu((z - mean) / jnp.sqrt(variance + 1e-5) * p['gain'] + p['shift'])

def one(parameters, x):
    layers, output = parameters
    y = norm_relu(x @ layers[0]['matrix'] + layers[0]['bias'], layers[0])
    for dilation, p in zip(DILATIONS, layers[1:]):
        kernel = p['matrix'].reshape(3, WIDTH, WIDTH)  # taps: earlier, now, later
        z = jax.lax.conv_general_dilated(y[None], kernel, (1,), [(dilation, dilation)], rhs_dilation=(dilation,),
                                         dimension_numbers=('NWC', 'WIO', 'NWC'))[0]
        y = y + norm_relu(z + p['bias'], p)
    return y @ output['matrix'] + output['bias']

edges = np.cumsum([0] + LENGTHS)
network = lambda parameters: jnp.concatenate([one(parameters, x[a:b]) for a, b in zip(edges[:-1], edges[1:])])
parameters = (layers, output)
logits = network(parameters)
gradient = jax.grad(lambda p: (network(p) * direction).sum())(parameters)

def flat(parameters):
    layers, output = parameters
    parts = [p[name] for p in layers for name in ('matrix', 'bias', 'gain', 'shift')] + [output['matrix'], output['bias']]
    return np.concatenate([np.asarray(part).ravel() for part in parts])

numbers = lambda a: [float(f'{v:.9g}') for v in np.asarray(a).ravel()]
print(json.dumps({
    'origin': f'make_network_golden.py, jax {jax.__version__}, numpy {np.__version__}, float64',
    'architecture': {'kind': 'tdnn', 'bins': BINS, 'spliceLeft': LEFT, 'spliceRight': RIGHT, 'stride': 3, 'width': WIDTH,
                     'dilations': DILATIONS, 'tokens': TOKENS, 'dropout': 0},
    'utteranceOffsets': edges.tolist(), 'weights': numbers(flat(parameters)), 'features': numbers(x),
    'logitGradient': numbers(direction), 'logits': numbers(logits), 'gradient': numbers(flat(gradient)),
}))
