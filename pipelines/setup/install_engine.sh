#!/usr/bin/env bash
# Installs TensorFlow's native engine into .engine/: the usual way when its library can be downloaded, otherwise
# by building its addon against the library of the PyPI wheel. Says on stderr what it does. Where neither works the
# toolkit goes on with WebAssembly, so this always ends well; .engine/status.json, written last, says how.
set -u
cd "$(dirname "$0")/../.."

name=@tensorflow/tfjs-node-gpu
engine=$PWD/.engine
package=$engine/node_modules/$name
version=$(node -p "require('./node_modules/$name/package.json').version")
wheel_version=2.18.1
cpu_sha256=810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298
gpu_sha256=c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828

say() { printf 'engine: %s\n' "$*" >&2; }
finish() { # HOW
  printf '{ "how": "%s", "package": "%s", "version": "%s" }\n' "$1" "$name" "$version" >"$engine/status.json.part"
  mv "$engine/status.json.part" "$engine/status.json"
  exit 0
}
current() { # of this version, and of this wheel where it came from one
  [ "$(node -p "require('$package/package.json').version" 2>/dev/null)" = "$version" ] &&
    { [ ! -e "$engine/requirements.txt" ] || grep -q "==$wheel_version " "$engine/requirements.txt"; }
}
loads() { node pipelines/setup/check_engine.mjs "$package" >>"$engine/log" 2>&1; }

mkdir -p "$engine"
if current && loads; then
  say 'the native engine is there'
  finish native
fi
case ${ENGINE:-auto} in wasm | cpu)
  say "ENGINE=$ENGINE: the native engine is left out"
  finish 'left out'
  ;;
esac

rm -rf "$engine"
mkdir -p "$(dirname "$package")"
cp -r "node_modules/$name" "$package"
gpu=cpu
command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1 && gpu=gpu
PATH=$PWD/node_modules/.bin:$PATH

# The usual way: the package's own install script, if the host it downloads from answers.
host=$(node -p "new URL(require('./node_modules/$name/package.json').binary.host).origin")
if timeout 10 node -e "fetch(process.argv[1], { method: 'HEAD' }).then(() => process.exit(0), () => process.exit(1))" "$host"; then
  say "downloading TensorFlow's $gpu library ($name $version)"
  (cd "$package" && timeout 600 node scripts/install.js $gpu download) >>"$engine/log" 2>&1
  if loads; then
    say 'the native engine is installed'
    finish native
  fi
fi

# The other way: library and headers from the Python wheel, the addon built here.
if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  say "no Python wheel fits $(uname -sm): going on with WebAssembly, several times slower"
  finish none
fi
python=$(command -v python3 || command -v python) || { say 'no Python: going on with WebAssembly, several times slower'; finish none; }
case $gpu in
  gpu) wheel="tensorflow==$wheel_version --hash=sha256:$gpu_sha256" ;;
  cpu) wheel="tensorflow-cpu==$wheel_version --hash=sha256:$cpu_sha256" ;;
esac
say "downloading TensorFlow's library from the Python package index (${wheel%% *}, $([ $gpu = gpu ] && echo 615 || echo 230) MB)"
echo "$wheel" >"$engine/requirements.txt"
"$python" -m pip download --quiet --disable-pip-version-check --retries 1 --timeout 30 --no-deps --no-cache-dir --only-binary=:all: \
  --python-version 3.11 --implementation cp --platform manylinux2014_x86_64 \
  --require-hashes -r "$engine/requirements.txt" -d "$engine/wheel" >>"$engine/log" 2>&1 &&
  say 'building the addon' &&
  "$python" - "$engine"/wheel/*.whl "$package/deps" >>"$engine/log" 2>&1 <<'PYTHON' &&
import os, shutil, sys, zipfile
wheel, deps = sys.argv[1:]
headers = ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/', 'external/local_tsl/tsl/platform/')
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        name = entry.filename
        _, _, below = name.partition('tensorflow/include/')
        if name in ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'):
            target = os.path.join(deps, 'lib', os.path.basename(name))
        elif name.startswith('tensorflow/include/') and below.startswith(headers):
            target = os.path.join(deps, 'include', below)
        else:
            continue
        if entry.is_dir():
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(entry) as source, open(target, 'wb') as out:
            shutil.copyfileobj(source, out, 1 << 20)
for link, library in (('libtensorflow.so', 'libtensorflow_cc.so.2'), ('libtensorflow_framework.so', 'libtensorflow_framework.so.2')):
    os.symlink(library, os.path.join(deps, 'lib', link))
PYTHON
  (
    headers=$(node -p "require('path').resolve(process.execPath, '../..')")
    [ -e "$headers/include/node/node_api.h" ] && export npm_config_nodedir=$headers
    npm_config_node_gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
    [ -e "$npm_config_node_gyp" ] && export npm_config_node_gyp
    cd "$package" && node-pre-gyp install --build-from-source
  ) >>"$engine/log" 2>&1
rm -rf "$engine/wheel" "$package/deps/include" "$package/build"
if loads; then
  say 'the native engine is installed'
  finish native
fi
say "it could not be built (see .engine/log): going on with WebAssembly, several times slower"
finish none
