# Sourced by the scripts: where the project is, and its virtual environment.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV="$ROOT/.venv"
STAMP="$VENV/hlspipe-stamp"
cd "$ROOT" || exit

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$1"
    exit "${2:-1}"
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# The first Python that is recent enough and can make a virtual environment.
find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14 \
        /usr/bin/python3; do
        if is_recent "$candidate" && "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)."
}

# What the environment was made from: it is stale when any of it changed, or the project moved.
fingerprint() { { cat pyproject.toml requirements.lock && printf '%s' "$ROOT"; } | sha256sum; }

pip_install() { "$VENV/bin/python" -m pip install -qq --disable-pip-version-check "$@"; }

# The pinned versions, checked by their hashes; or what the registry has, where it lacks those.
install_dependencies() {
    local log="$VENV/pip.log"
    if ! pip_install --require-hashes -r requirements.lock 2>"$log"; then
        grep -m 2 -A 3 ERROR "$log" >&2 || true
        say "The locked versions cannot be had here: taking what pyproject.toml allows instead."
        pip_install -e ".[fast,test]"
    fi
}

# Make .venv, or bring it up to date; quick when there is nothing to do.
ensure_venv() {
    if ! [[ -f $STAMP && $(<"$STAMP") == "$(fingerprint)" ]] || ! is_recent "$VENV/bin/python"; then
        make_venv
    fi
    # A package that is installed has its bytecode, a checkout only what runs have left, and none
    # where PYTHONDONTWRITEBYTECODE is set: then each start-up takes 0.06 s longer.
    "$VENV/bin/python" -m compileall -q pipeline || true
}

make_venv() {
    say "Setting up .venv (once; it takes a minute)."
    if ! is_recent "$VENV/bin/python" || ! grep -qF "$VENV" "$VENV/bin/activate"; then
        local python
        python=$(find_python)
        "$python" -m venv --clear "$VENV"
    fi
    rm -f "$STAMP"
    install_dependencies
    pip_install --no-deps --config-settings editable_mode=compat -e .
    fingerprint >"$STAMP"
}

# Install Debian packages for the programs that are missing: PROGRAM:PACKAGE...
ensure_programs() {
    local pair missing=()
    for pair in "$@"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    if ((${#missing[@]} == 0)); then
        return
    fi
    local as_root=()
    if ((EUID != 0)); then
        as_root=(sudo -n)
        sudo -n true 2>/dev/null || die "The tests need these packages: ${missing[*]}"
    fi
    command -v apt-get >/dev/null || die "The tests need these programs: ${missing[*]}"
    say "Installing ${missing[*]}."
    # RUNLEVEL=1 keeps a package from starting the service that it brings.
    local install=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -y)
    "${as_root[@]}" apt-get -qq update
    "${as_root[@]}" "${install[@]}" --no-install-recommends install "${missing[@]}" >/dev/null
}
