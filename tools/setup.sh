#!/usr/bin/env bash
# Installs what Tandem needs that is missing: system packages with apt, Python packages into .venv.
#
#   tools/setup.sh build             the packages that building the library and the command needs
#   tools/setup.sh demo              those, and the Python packages of the demo (the default)
#   tools/setup.sh wheel             those, and the Python packages that a wheel for other machines is made with
#   tools/setup.sh test              all of these, and what the test suite, the benchmark and the lints need
#   tools/setup.sh needs PREFIX      print the packages whose libraries the programs under PREFIX load
#   tools/setup.sh runtime FILE      install the packages listed in FILE (printed by `needs`)
#
# For Debian 12 and Ubuntu 24.04, as root or with sudo. Without permission to install it names the missing
# packages and exits with status 2. A CUDA toolkit is used where there is one and is never installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BUILD_PACKAGES=(g++ cmake ninja-build ccache pkg-config git ca-certificates
  libhdf5-dev libpng-dev libjpeg-dev libdnnl-dev libopenblas-openmp-dev liblapacke-dev libfmt-dev
  nlohmann-json3-dev libcli11-dev librandom123-dev python3-dev python3-venv)
# libfftw3-dev: for the plug-in of FFTW, without which all the rest builds too.
TEST_PACKAGES=(libgtest-dev libbenchmark-dev libmpfr-dev binutils libfftw3-dev)

say() { printf '%s\n' "setup: $*"; }

# The packages of the arguments that are not installed.
missing_packages() {
  local package status
  for package in "$@"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || printf '%s\n' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }
}

install_packages() {
  local missing
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this system has no apt; install what these Debian packages hold: $*" >&2
    exit 2
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" = 0 ] && return
  if ! may_install; then
    say "no permission to install packages; as root run: apt-get install ${missing[*]}" >&2
    exit 2
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -qq
  # The command is given the variable, since sudo drops the environment.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# The interpreter of the system, whose headers python3-dev has; another one first on the path may have none.
python_for_venv() {
  if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else command -v python3; fi
}

# One stamp a file, so that `demo` finds what `test` installed.
python_stamp() { printf '.venv/tandem-%s.sha256' "$(basename "$1" .txt)"; }
python_want() { { cat "$1"; "$(python_for_venv)" --version; echo "$PWD"; } | sha256sum | cut -d' ' -f1; }

install_python() {
  local python file stale='' arguments=()
  python=$(python_for_venv)
  for file in "$@"; do
    arguments+=(-r "$file")
    [ "$(cat "$(python_stamp "$file")" 2>/dev/null)" = "$(python_want "$file")" ] || stale=1
  done
  [ -x .venv/bin/python ] && [ -z "$stale" ] && return
  say "Python packages into .venv: $(sed -E '/^#|^$/d; s/ *#.*//' "$@" | tr '\n' ' ')"
  # A venv made by another interpreter or moved from another folder is made anew.
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.argv[1] != sys.prefix)' "$PWD/.venv" 2>/dev/null ||
    [ "$(.venv/bin/python --version)" != "$("$python" --version)" ]; then
    rm -rf .venv
    "$python" -m venv .venv
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${arguments[@]}"
  for file in "$@"; do python_want "$file" >"$(python_stamp "$file")"; done
}

# The Debian packages that own the shared libraries which the programs under a folder load.
print_needs() {
  local file library
  find "$1" -type f \( -perm -u+x -o -name '*.so*' \) -print0 |
    while IFS= read -r -d '' file; do
      LD_LIBRARY_PATH="$1/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ldd "$file" 2>/dev/null || true
    done | awk '$3 ~ /^\// {print $3}' | sort -u |
    while read -r library; do
      # Debian 12 has merged /usr, but its packages still name files both ways.
      library=$(readlink -f "$library")
      { dpkg-query -S "$library" 2>/dev/null || dpkg-query -S "${library#/usr}" 2>/dev/null || true; } |
        cut -d: -f1
    done | sort -u
}

case "${1:-demo}" in
  build)
    install_packages "${BUILD_PACKAGES[@]}"
    ;;
  demo)
    install_packages "${BUILD_PACKAGES[@]}"
    install_python tools/requirements.txt
    ;;
  wheel)
    install_packages "${BUILD_PACKAGES[@]}"
    install_python tools/requirements.txt tools/requirements-wheel.txt
    ;;
  test)
    install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    install_python tools/requirements.txt tools/requirements-wheel.txt tools/requirements-test.txt
    ;;
  needs)
    print_needs "${2:?a folder}"
    ;;
  runtime)
    mapfile -t packages <"${2:?a file of package names}"
    install_packages "${packages[@]}"
    ;;
  *)
    say "expected build, demo, wheel, test, needs or runtime, got $1" >&2
    exit 2
    ;;
esac
