#!/usr/bin/env bash
# The full scale on a GPU that is lent in calls of ten minutes: bash benchmarks/gpu.sh WHAT
# WHAT is one of: images, speed, whole, rest, row ROW, appendix, seed N.
# What comes back lies in $OUT; what the next call goes on from lies in $FEATLAB_CACHE. benchmarks/gpu.md says the order.
set -eu -o pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 TQDM_MININTERVAL=5 GIT_PYTHON_REFRESH=quiet
export FEATLAB_CACHE=${FEATLAB_CACHE:-/tmp/featlab}
OUT=${OUT:-results/own} PRESET=${PRESET:-ten-minutes} IMAGES=${IMAGES:-4000}
mkdir -p "$OUT" "$FEATLAB_CACHE"

wheels() { # what this machine lacks, if it was carried along
    if compgen -G ".whl/*.whl" >/dev/null; then
        python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$FEATLAB_CACHE/site" .whl/*.whl || echo "no wheels"
    fi
    export PYTHONPATH=$PYTHONPATH:$FEATLAB_CACHE/site
}

images() { # whatever pieces of CIFAR-10 were carried along
    for folder in .pieces/?; do
        if [ -d "$folder" ]; then python3 benchmarks/strips.py read "$folder"; fi
    done
}

complete() { # a machine that went back has lost what earlier calls brought
    if [ -d "$FEATLAB_CACHE/strips" ] || [ -d .pieces ] && [ ! -f "$FEATLAB_CACHE/data/cifar10.safetensors" ]; then
        echo "images are missing: bring the other piece by gpu.sh images"
        exit 3
    fi
}

fastest() { # the modes that were fastest here, or on such a machine before
    for file in "$FEATLAB_CACHE/speed-cuda.json" results/speed-cuda.json; do
        if [ -f "$file" ]; then
            eval "$(python3 benchmarks/speed.py --choose "$file")"
            break
        fi
    done
    echo "steps: ${FEATLAB_STEPS:-graph}, training: ${FEATLAB_TRAINING:-plain}"
}

run() { # a command of featlab; 75 says that it is to be gone on with, which is no failure
    complete
    fastest
    echo "featlab $*"
    python3 -m featlab "$@" --data cifar10 --preset "$PRESET" --yes --out "$OUT" || [ $? -eq 75 ]
}

call() {
    wheels
    images
    case $1 in
    images) ;;
    speed)
        timeout 120 python3 -m pytest -q -o addopts= tests/test_cuda.py || echo "not all tests pass"
        timeout 300 python3 benchmarks/speed.py --models ${MODELS:-resnet18} --images "$IMAGES" --modes plain graph compile --out "$OUT" || echo "not all speeds"
        cp "$OUT"/speed-*.json "$FEATLAB_CACHE" || true
        timeout 120 python3 benchmarks/attacks.py --model resnet18 --images "$IMAGES" --batch $((IMAGES / 4)) --rounds 2 --out "$OUT" || echo "no attacks"
        ;;
    whole) run reproduce --stop-after "${STOP:-8m}" ;;
    rest) run reproduce --stop-after "${STOP:-510s}" ;;
    row) run sweep --row "$2" --stop-after "${STOP:-8m}" ;;
    appendix) run appendix --stop-after "${STOP:-8m}" ;;
    seed) run reproduce --seed "$2" --stop-after "${STOP:-510s}" ;;
    *) echo "say images, speed, whole, rest, row ROW, appendix or seed N" >&2; exit 2 ;;
    esac
}

call "$@" 2>&1 | tee "$OUT/log-$1.txt"
