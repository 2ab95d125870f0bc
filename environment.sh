#!/bin/sh
# A lock file comes in (requirements.lock unless another is named); .venv goes out, with its packages and this one; what an earlier lock brought stays.
# `make env` and `make test` run it; it does nothing where nothing changed, an interrupted set-up is done anew, and one waits for the other.
set -eu
cd "$(dirname "$0")"
lock=${1:-requirements.lock}
here=$(pwd -P)
stamp=.venv/installed-$lock       # what was installed, written last
unfinished=.venv/unfinished       # there while .venv is being changed
turn=.venv-turn                   # locked by the set-up whose turn it is

stop() { echo "$*" >&2; exit 1; }

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null || stop "There is no $PYTHON on this machine; give another with make env PYTHON=…, or none."
        fits "$PYTHON" || stop "$PYTHON is $("$PYTHON" --version 2>&1); this course needs Python 3.11, 3.12 or 3.13."
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if fits "$candidate"; then echo "$candidate"; return; fi
    done
    stop "This course needs Python 3.11, 3.12 or 3.13, and python3 here is $(python3 --version 2>&1 || true); install one of them, or name it: make env PYTHON=/path/to/python3.12."
}

works_here() {  # false where there is none or another Python is asked for, where its Python is gone, and where the folder was moved or copied
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version 2>&1)" = "$(.venv/bin/python --version 2>&1)" ] || return 1
    case "$(.venv/bin/pip --version 2>/dev/null)" in *" from $here/.venv/"*) return 0 ;; *) return 1 ;; esac
}

install() {  # a dot a package; a pipe forgets exit codes, so a file keeps pip's
    rm -f .venv/pip.log .venv/pip.failed
    { .venv/bin/python -m pip install --disable-pip-version-check --log .venv/pip.log "$@" 2>.venv/pip.errors || : >.venv/pip.failed; } |
        while read -r word _; do [ "$word" != Collecting ] || printf .; done
    [ -e .venv/pip.failed ] || return 0
    echo
    grep -v '^WARNING' .venv/pip.errors >&2 || true
    rm -f "$unfinished"           # pip gave up in order: what was there is still there
    if grep -qiE 'failed to establish a new connection|name resolution|network is unreachable|connection (refused|timed out)|read timed out' .venv/pip.log; then
        stop "The packages could not be fetched: connect to the network and run make env again; what is installed stays as it is."
    fi
    stop "The packages could not be installed; pip's own words are above, and all of them in .venv/pip.log."
}

wait_for_turn='
import fcntl, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another set-up is at work in this folder; waiting for it.", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError as error:
    print(f"Nothing can be locked on this disk ({error.strerror}): run one set-up at a time.", file=sys.stderr)
'

take_turn() {  # $1, a Python, locks; the kernel keeps the lock until this process and all that it started have ended, however they end
    complaint=$( (: 9<>"$turn") 2>&1 ) ||
        stop "Nothing can be written in $here (${complaint##*: }); mend that, or copy the course to a folder of yours, and run make env again."
    exec 9<>"$turn"
    "$1" -c "$wait_for_turn"
}

is_whole() { [ ! -e "$unfinished" ] && works_here; }

is_done() { is_whole && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; }

wanted=$(cat "$lock" pyproject.toml grader/*config/*.json playground/labconfig/*.json playground/jupyter_server_config.d/*.json | cksum)
! is_done || exit 0
python=.venv/bin/python
is_whole || python=$(choose_python)
take_turn "$python"
! is_done || exit 0
if ! is_whole; then
    python=$(choose_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "$python has no venv module; on Debian and Ubuntu, sudo apt install python3-venv brings it."
    rm -f .venv/installed-*       # first, so that half of it never looks done
    rm -rf .venv
    mkdir .venv
    : >"$unfinished"
    "$python" -m venv .venv || stop "$python -m venv could not make .venv; its own words are above."
fi
printf '%s ' "Setting up .venv from $lock ($(grep -c "^[a-z].*==" "$lock") packages):"
rm -f "$stamp"
: >"$unfinished"
install --require-hashes -r "$lock"
install --no-deps --no-build-isolation --editable .
echo " done."
echo "$wanted" >"$stamp"
rm -f "$unfinished"
