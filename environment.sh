#!/bin/sh
# Set up .venv with the packages of a lock (requirements.lock or the one named) and this project.
# An up-to-date .venv is left alone; an interrupted set-up starts over.
set -eu; cd "$(dirname "$0")"
lock=${1:-requirements.lock} here=$(pwd -P) python=.venv/bin/python
export PIP_USER=0  # pip may be set up to install for the user, which is never meant in .venv
trap 'exit 130' INT; stop() { echo "$*" >&2; exit 1; }
fits() { "$1" -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)' 2>/dev/null; }
usable() {  # whether .venv was set up in this folder, and its Python is there and is the wanted one
    grep -qsxF "$here" .venv/installed && [ -x $python ] &&
        { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version 2>&1)" = "$($python --version)" ]; }
}
tell_uv() {  # uv reads no pip.conf: set $1 to pip's setting $2, with $3 between its values
    value=$(echo "$settings" | sed -nE "s/^(:env:|global|install)\.$2='(.*)'\$/\2/p" | head -n 1)
    [ -z "$value" ] || printenv "$1" >/dev/null || export "$1=$(echo "$value" | tr ' ' "${3:- }")"
}
install() {  # the lock and this project, with the command "$@"
    "$@" --require-hashes -r "$lock" && "$@" --force-reinstall --no-deps --no-build-isolation -e .
}
inputs=$(cat requirements*.lock pyproject.toml grader/*config/*.json playground/*/*.json | cksum)
if usable; then
    ! grep -qxF "$lock $inputs" .venv/installed || exit 0
    mv .venv/installed .venv/before  # without that stamp, the next set-up starts over
else
    [ -n "${PYTHON:-}" ] && set -- "$PYTHON" || set -- python3 python3.13 python3.12 python3.11
    for base; do ! fits "$base" || break; done
    fits "$base" || stop "This course needs Python 3.11, 3.12 or 3.13, and $1 here is" \
        "$("$1" --version 2>/dev/null || echo missing). Install one or name it: make env PYTHON=…"
    rm -rf .venv
    "$base" -m venv .venv || stop "$base could not make .venv; its message is above."
fi
echo "Setting up .venv from $lock."
$python -m pip install -q --retries 1 --only-binary uv -r requirements-uv.lock 2>.venv/uv.log || :
settings=$($python -m pip config list | sed -E "s/(\\\\n| )+/ /g; s/=' /='/")
tell_uv UV_INDEX_URL index-url; tell_uv UV_EXTRA_INDEX_URL extra-index-url
tell_uv UV_FIND_LINKS find-links ,; tell_uv UV_INSECURE_HOST trusted-host
tell_uv SSL_CERT_FILE cert; tell_uv ALL_PROXY proxy
export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}"  # like pip; hashes are checked
if ! install .venv/bin/uv pip install -q --python $python 2>>.venv/uv.log; then
    echo "uv can't install here (.venv/uv.log says why); pip does, in a minute or two."
    install $python -m pip install -q 2>.venv/pip.log || {
        cat .venv/pip.log >&2
        [ ! -e .venv/before ] || mv .venv/before .venv/installed  # pip has changed nothing
        stop "pip failed, see above. Without a network, connect to one and run make env again."
    }
fi
[ "$lock" = requirements.lock ] ||  # tests start hundreds of processes that write no bytecode
    $python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || :
{ echo "$here"; grep -sF " $inputs" .venv/before || :; echo "$lock $inputs"; } >.venv/installed
echo ".venv is ready."
