# shellcheck shell=sh
# Sourced by scripts/run, scripts/test and .ci/run: a virtual environment with what the desk needs, made or mended as necessary.
#
#   root=/path/of/checkout
#   . "$root/scripts/_venv.sh"
#   nestor_venv requirements.txt [requirements-demo.txt] [requirements-dev.txt]    # sets $venv_python; ends the script with one sentence when it cannot
#
# NESTOR_INSTALL=1 (scripts/test) or CI=true: install missing Debian packages when we are root.
# Must work with an empty environment (env -i PATH=/usr/bin:/bin HOME=/tmp) and any POSIX sh.

nestor_say() { printf '%s\n' "$*" >&2; }

nestor_fail() {
    nestor_say "nestor: $*"
    exit 1
}

# Installs Debian packages without letting them start services of their own; fails (returns 1) when we may not or cannot.
nestor_apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    nestor_say "- installing Debian packages: $*"
    # Debian's word for "do not start what you install": our servers are private ones on free ports.
    nestor_policy=/usr/sbin/policy-rc.d
    nestor_policy_made=
    if [ ! -e "$nestor_policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$nestor_policy" && chmod 755 "$nestor_policy" && nestor_policy_made=1
        trap 'rm -f "$nestor_policy"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi
    nestor_log=$(mktemp)
    nestor_status=0
    { apt-get update -q -o DPkg::Lock::Timeout=300 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    } </dev/null >"$nestor_log" 2>&1 || nestor_status=1
    if [ -n "$nestor_policy_made" ]; then
        rm -f "$nestor_policy"
        trap - EXIT INT TERM
    fi
    [ "$nestor_status" = 0 ] || tail -n 20 "$nestor_log" >&2
    rm -f "$nestor_log"
    return "$nestor_status"
}

nestor_may_install() { [ "${NESTOR_INSTALL:-}" = 1 ] || [ "${CI:-}" = true ]; }

# Sets $nestor_base_python to a Python >= 3.11.
nestor_find_python() {
    nestor_seen=
    for nestor_candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        nestor_version=$("$nestor_candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
        if "$nestor_candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            nestor_base_python=$(command -v "$nestor_candidate")
            return 0
        fi
        nestor_seen="$nestor_seen $nestor_candidate is $nestor_version;"
    done
    return 1
}

nestor_need_python() {
    nestor_find_python && return 0
    if nestor_may_install && nestor_apt_install python3 python3-venv && nestor_find_python; then return 0; fi
    if [ -n "$nestor_seen" ]; then
        nestor_fail "Python 3.11 or newer is needed, but$nestor_seen set PYTHON to a newer one (PYTHON=/path/to/python3.12 $0)."
    fi
    nestor_fail "Python 3.11 or newer is needed, and no python3 is on PATH ($PATH); set PYTHON to one (PYTHON=/path/to/python3.12 $0)."
}

nestor_need_venv_module() {
    "$nestor_base_python" -c 'import venv, ensurepip' 2>/dev/null && return 0
    if nestor_may_install && nestor_apt_install python3-venv && "$nestor_base_python" -c 'import venv, ensurepip' 2>/dev/null; then
        return 0
    fi
    nestor_fail "$nestor_base_python cannot make virtual environments (its venv or ensurepip module is missing); on Debian and Ubuntu: apt-get install python3-venv"
}

# Whether .venv can be used as it is: complete, of this checkout, with a Python that still runs.
nestor_venv_is_sound() {
    [ -x "$venv_python" ] || return 1
    [ ! -e "$venv/.nestor-unfinished" ] || return 1
    [ ! -e "$venv/.nestor-made-for" ] || [ "$(cat "$venv/.nestor-made-for")" = "$venv" ] || return 1
    "$venv_python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

nestor_make_venv() {
    nestor_need_python
    nestor_need_venv_module
    nestor_say "- making .venv with $nestor_base_python ($("$nestor_base_python" -V))"
    rm -rf "$venv" 2>/dev/null || :
    if [ -e "$venv" ]; then
        nestor_fail "$venv is unsound and cannot be replaced (it belongs to $(stat -c %U "$venv" 2>/dev/null || echo another user)): remove it as that user, or copy the checkout elsewhere."
    fi
    if ! mkdir "$venv" 2>/dev/null; then
        nestor_fail "cannot write in $root, where .venv (Nestor's Python packages) goes: make the folder writable or copy the checkout elsewhere."
    fi
    : >"$venv/.nestor-unfinished"
    nestor_log=$(mktemp)
    if ! "$nestor_base_python" -m venv "$venv" >"$nestor_log" 2>&1; then
        tail -n 20 "$nestor_log" >&2
        rm -f "$nestor_log"
        nestor_fail "making $venv failed; what Python said stands above."
    fi
    rm -f "$nestor_log"
    printf '%s\n' "$venv" >"$venv/.nestor-made-for"
    rm -f "$venv/.nestor-unfinished"
}

# Installs one requirements file, unless it and the constraints are what was installed last.
nestor_install() {
    nestor_stamp="$venv/.nestor-installed-$1"
    nestor_wanted=$(cd "$root" && cat constraints.txt requirements.txt requirements-demo.txt "$1" | cksum)
    [ -f "$nestor_stamp" ] && [ "$(cat "$nestor_stamp")" = "$nestor_wanted" ] && return 0
    nestor_say "- installing $1 ($(grep -c '==' "$root/$1") packages and what they need)"
    # Interrupted, pip may leave half a package that looks installed: the mark makes the next start begin afresh.
    : >"$venv/.nestor-unfinished" || nestor_fail "cannot write in $venv: make the folder writable."
    nestor_log=$(mktemp)
    if ! "$venv_python" -m pip install --disable-pip-version-check --no-input -r "$root/$1" </dev/null >"$nestor_log" 2>&1; then
        tail -n 30 "$nestor_log" >&2
        rm -f "$nestor_log"
        nestor_fail "installing $1 failed; what pip said stands above. Is the Python package index reachable from here?"
    fi
    rm -f "$nestor_log" "$venv/.nestor-unfinished"
    printf '%s\n' "$nestor_wanted" >"$nestor_stamp"
}

# Who names a Python wants that one and no other.
nestor_check_named_python() {
    [ -n "${PYTHON:-}" ] || return 0
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
    nestor_version=$("$PYTHON" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || nestor_version="nothing that runs"
    nestor_fail "Python 3.11 or newer is needed, but PYTHON ($PYTHON) is $nestor_version."
}

nestor_venv() {
    nestor_check_named_python
    venv="$root/.venv"
    venv_python="$venv/bin/python"
    nestor_venv_is_sound || nestor_make_venv
    for nestor_file in "$@"; do nestor_install "$nestor_file"; done
}

# The folders of our code that exist and have Python in them, for ruff and mypy.
nestor_code_folders() {
    for nestor_folder in models queues functions scripts tests; do
        [ -n "$(find "$root/$nestor_folder" -name '*.py' 2>/dev/null | head -n 1)" ] && printf '%s ' "$nestor_folder"
    done
}
