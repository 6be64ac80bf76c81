"""Makes one small network as ONNX, as a TensorFlow SavedModel and as a TF.js graph model, another one as a TF.js
layers model, and golden.json, what each framework says of the same features.

Made with onnx 1.23.2 (its reference evaluator, numpy: no ONNX Runtime), TensorFlow 2.18.1, tensorflowjs 4.22.0's
file layout, numpy 2.x in two environments:  python make_models.py onnx; python make_models.py tensorflow
"""
import json
import os
import shutil
import sys

import numpy as np

bins, width, tokens, kernel, stride, frames = 5, 8, 4, 5, 3, 20
rng = np.random.default_rng(7)
draw = lambda *shape: rng.normal(size=shape).astype(np.float32)
features, conv, conv_bias, dense, dense_bias = (
    draw(frames, bins), draw(kernel, bins, width) / 3, draw(width), draw(width, tokens), draw(tokens))


def golden(name, values):
    """Adds an answer to golden.json."""
    found = json.load(open('golden.json')) if os.path.exists('golden.json') else {}
    found['features'] = features.ravel().tolist()
    found[name] = {'shape': list(values.shape), 'values': np.asarray(values, np.float32).ravel().tolist()}
    json.dump({key: found[key] for key in sorted(found)}, open('golden.json', 'w'))


def make_onnx():
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    constant = lambda name, values: numpy_helper.from_array(np.ascontiguousarray(values), name)
    nodes = [
        helper.make_node('Transpose', ['features'], ['channels'], perm=[0, 2, 1]),
        helper.make_node('Conv', ['channels', 'conv', 'conv_bias'], ['convolved'], kernel_shape=[kernel], pads=[2, 2], strides=[stride]),
        helper.make_node('Relu', ['convolved'], ['hidden']),
        helper.make_node('Transpose', ['hidden'], ['rows'], perm=[0, 2, 1]),
        helper.make_node('MatMul', ['rows', 'dense'], ['products']),
        helper.make_node('Add', ['products', 'dense_bias'], ['logits']),
    ]
    graph = helper.make_graph(
        nodes, 'tiny',
        [helper.make_tensor_value_info('features', TensorProto.FLOAT, [1, 'frames', bins])],
        [helper.make_tensor_value_info('logits', TensorProto.FLOAT, [1, 'output_frames', tokens])],
        [constant('conv', conv.transpose(2, 1, 0)), constant('conv_bias', conv_bias), constant('dense', dense),
         constant('dense_bias', dense_bias)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, 'model.onnx')
    golden('onnx', ReferenceEvaluator(model).run(None, {'features': features[None]})[0][0])


def write_tfjs(folder, model, weights):
    os.makedirs(folder, exist_ok=True)
    specs = [{'name': name, 'shape': list(np.shape(values)), 'dtype': str(np.asarray(values).dtype)} for name, values in weights]
    model['weightsManifest'] = [{'paths': ['group1-shard1of1.bin'], 'weights': specs}]
    json.dump(model, open(f'{folder}/model.json', 'w'))
    with open(f'{folder}/group1-shard1of1.bin', 'wb') as out:
        for _, values in weights:
            out.write(np.ascontiguousarray(values).tobytes())


def make_tensorflow():
    import tensorflow as tf
    from google.protobuf.json_format import MessageToDict
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    class Tiny(tf.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.conv_bias, self.dense, self.dense_bias = map(tf.Variable, (conv, conv_bias, dense, dense_bias))

        @tf.function(input_signature=[tf.TensorSpec([1, None, bins], tf.float32, name='features')])
        def __call__(self, features):
            padded = tf.pad(features, [[0, 0], [2, 2], [0, 0]])
            hidden = tf.nn.relu(tf.nn.conv1d(padded, self.conv, stride, 'VALID') + self.conv_bias)
            rows = tf.matmul(tf.reshape(hidden, [-1, width]), self.dense) + self.dense_bias
            return {'logits': tf.reshape(rows, [1, -1, tokens])}

    model = Tiny()
    shutil.rmtree('saved_model', ignore_errors=True)
    tf.saved_model.save(model, 'saved_model', signatures=model.__call__.get_concrete_function())
    golden('tensorflow', model(features[None])['logits'].numpy()[0])

    frozen = convert_variables_to_constants_v2(model.__call__.get_concrete_function())
    graph = frozen.graph.as_graph_def()
    weights = []
    for node in graph.node:
        if node.op == 'Const':
            weights.append((node.name, tf.make_ndarray(node.attr['value'].tensor)))
            node.attr['value'].tensor.Clear()
            node.attr['value'].tensor.dtype = node.attr['dtype'].type
    tensor = lambda place: {'name': place.name, 'dtype': 'DT_FLOAT',
                            'tensorShape': {'dim': [{'size': str(d or -1)} for d in place.shape]}}
    write_tfjs('tfjs_graph', {
        'format': 'graph-model',
        'signature': {'inputs': {'features': tensor(frozen.inputs[0])}, 'outputs': {'logits': tensor(frozen.outputs[0])}},
        'modelTopology': MessageToDict(graph),
    }, weights)

    # a layers model: one row of logits for each frame of features
    layer = lambda kind, name, **config: {'class_name': kind, 'config': {'name': name, 'trainable': True, **config}}
    layers = [
        layer('Conv1D', 'conv', batch_input_shape=[None, None, bins], dtype='float32', filters=width, kernel_size=[kernel],
              strides=[1], padding='same', activation='relu', use_bias=True, dilation_rate=[1], data_format='channels_last'),
        layer('Dense', 'dense', units=tokens, activation='linear', use_bias=True),
    ]
    write_tfjs('tfjs_layers', {
        'format': 'layers-model',
        'modelTopology': {'keras_version': '2.15.0', 'backend': 'tensorflow',
                          'model_config': {'class_name': 'Sequential', 'config': {'name': 'tiny', 'layers': layers}}},
    }, [('conv/kernel', conv), ('conv/bias', conv_bias), ('dense/kernel', dense), ('dense/bias', dense_bias)])
    hidden = tf.nn.relu(tf.nn.conv1d(features[None], conv, 1, 'SAME') + conv_bias)
    golden('tensorflowLayers', (hidden @ dense + dense_bias).numpy()[0])


{'onnx': make_onnx, 'tensorflow': make_tensorflow}[sys.argv[1]]()
