"""Makes numpy files of each kind with numpy 2.4.6. Every file holds the same array as plain.npy up to its type; run it in its
own folder."""
import json

import numpy as np

values = np.random.default_rng(6).normal(size=(5, 3))
np.save('plain.npy', values.astype(np.float32))
np.save('double.npy', values)
np.save('half.npy', values.astype(np.float16))
np.save('fortran.npy', np.asfortranarray(values.astype(np.float32)))
np.save('batch.npy', values.astype(np.float32)[None])
np.save('big_endian.npy', values.astype('>f4'))
np.save('integers.npy', np.arange(6).reshape(2, 3))
with open('version2.npy', 'wb') as out:
    np.lib.format.write_array(out, values.astype(np.float32), version=(2, 0))
np.savez('stored.npz', values.astype(np.float32))
np.savez_compressed('deflated.npz', logits=values.astype(np.float32))
np.savez('two.npz', a=values, b=values)
golden = {name: values.astype(kind).astype(np.float32).ravel().tolist() for name, kind in (('float32', np.float32), ('float16', np.float16))}
json.dump(golden, open('golden.json', 'w'))
