#!/usr/bin/env bash
# Runs the project's steps on a bare system without a container engine: in a root folder made by debootstrap,
# with the machine's own package sources. Needs root. Only what is committed is checked.
#
#   tools/container_check.sh demo     a fresh clone there, then ./tools/demo.sh
#   tools/container_check.sh test     a fresh clone there, then ./tools/test.sh
#   tools/container_check.sh both     a fresh clone there, then ./tools/demo.sh and ./tools/test.sh, each again
#   tools/container_check.sh image    the Dockerfile's instructions, each stage in a bare root of its own; no
#                                     CUDA toolkit is there, so that it is built with the preset cpu
#   --suite NAME   the Debian or Ubuntu release (bookworm); its mirror must be among this machine's sources
#   --work DIR     where the roots are made (build/container)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suite=bookworm work=build/container what=()
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2 && shift ;;
    --work) work=$2 && shift ;;
    demo | test | both | image) what+=("$1") ;;
    *)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
      exit 2
      ;;
  esac
  shift
done
[ "${#what[@]}" -gt 0 ] || what=(demo image)
[ "$(id -u)" = 0 ] || { echo "container_check: expected root, which chroot needs" >&2; exit 2; }
command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null; }
mkdir -p "$work"
work=$(cd "$work" && pwd)

# Nothing stays mounted, whatever happens.
mounted=()
unmount_all() {
  local folder
  for folder in "${mounted[@]}"; do umount "$folder" || umount -l "$folder"; done
  mounted=()
}
trap unmount_all EXIT

# The mirror of the suite, as this machine's apt knows it.
mirror() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v suite="$suite" '$1 == suite {print $2; exit}'
}

# The bare root, made once; its packages are debootstrap's minimum and the certificates.
bare_root() {
  local uri
  [ -f "$work/$suite.tar" ] && return
  uri=$(mirror)
  [ -n "$uri" ] || { echo "container_check: no source for $suite on this machine" >&2; exit 2; }
  say "bare $suite by debootstrap"
  rm -rf "$work/$suite.new"
  quietly "$work/debootstrap.log" debootstrap --variant=minbase "$suite" "$work/$suite.new" "$uri"
  machine_settings "$work/$suite.new"
  tar -C "$work/$suite.new" -cf "$work/$suite.tar.new" .
  mv "$work/$suite.tar.new" "$work/$suite.tar"
  rm -rf "$work/$suite.new"
}

# What the machine needs to reach its package sources: proxies, certificates, name resolution.
machine_settings() {
  local root=$1
  apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$root/etc/apt/apt.conf.d/90machine" || true
  [ "$suite" = noble ] && sed -i 's/ main$/ main universe/' "$root/etc/apt/sources.list"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  [ -f /etc/pip.conf ] && cp /etc/pip.conf "$root/etc/"
  mkdir -p "$root/etc/ssl"
  [ -f /etc/ssl/certs/ca-certificates.crt ] && cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/machine.crt"
  return 0
}

new_root() {
  local root=$work/$1
  rm -rf "$root"
  mkdir -p "$root"
  tar -C "$root" -xf "$work/$suite.tar"
}

# Runs a command line in a root, with a clean environment but for how packages are reached.
inside() {
  local root=$work/$1 folder=$2 command=$3 pass=() name status=0
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL \
    PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT TANDEM_JOBS CI; do
    [ -n "${!name:-}" ] && pass+=("$name=${!name}")
  done
  [ -f "$root/etc/ssl/machine.crt" ] && pass+=(PIP_CERT=/etc/ssl/machine.crt)
  mount --bind /dev "$root/dev" && mounted+=("$root/dev")
  mount --bind /dev/pts "$root/dev/pts" && mounted=("$root/dev/pts" "${mounted[@]}")
  mount -t proc proc "$root/proc" && mounted+=("$root/proc")
  mount -t tmpfs tmpfs "$root/tmp" && mounted+=("$root/tmp")
  chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH="${image_path:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}" "${pass[@]}" \
    bash -c "cd '$folder' && $command" </dev/null || status=$?
  unmount_all
  return "$status"
}

fresh_clone() {
  [ -z "$(git status --porcelain)" ] || echo "note: changes that are not committed are not checked"
  rm -rf "$1"
  git clone --quiet --no-hardlinks . "$1"
}

# The scripts named, one after the other in one fresh clone, and once more.
check_scripts() {
  local root=$1 script began
  shift
  new_root "$root"
  fresh_clone "$work/$root/src"
  for script in "$@"; do
    say "./tools/$script.sh in a fresh clone on bare $suite"
    began=$SECONDS
    inside "$root" /src "./tools/$script.sh"
    echo "took $((SECONDS - began)) s"
  done
  for script in "$@"; do
    say "./tools/$script.sh there again"
    began=$SECONDS
    inside "$root" /src "./tools/$script.sh" >"$work/$root-$script-again.log"
    echo "took $((SECONDS - began)) s the second time"
  done
}

# One COPY: files of the context or of another stage's root.
copy_into() {
  local root=$work/$1 folder=$2 context=$3 source=$4 target=$5
  [[ $target == /* ]] || target=$folder/$target
  if [ "$source" = . ]; then
    tar -C "$context" --exclude=./.git --exclude=./docs/photo -cf - . | tar -C "$root$target" -xf -
  else
    mkdir -p "$(dirname "$root$target")"
    cp -aT "$context/$source" "$root$target"
  fi
}

# The Dockerfile, instruction by instruction.
check_image() {
  say "the Dockerfile's steps on bare $suite, CPU backend alone"
  local context=$work/context stage='' stages=0 folder=/ line instruction rest words from
  fresh_clone "$context"
  image_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  while read -r line; do
    read -r instruction rest <<<"$line"
    rest=${rest//'${PRESET}'/cpu}
    read -ra words <<<"$rest"
    case $instruction in
      '' | '#'* | ARG | CMD) continue ;;
    esac
    echo "-- $instruction $rest"
    case $instruction in
      FROM)
        stages=$((stages + 1)) folder=/
        stage=stage$stages
        [ "${words[1]:-}" = AS ] && stage=image-${words[2]}
        new_root "$stage"
        ;;
      WORKDIR) folder=$rest && mkdir -p "$work/$stage$folder" ;;
      COPY)
        from=$context
        if [[ ${words[0]} == --from=* ]]; then
          from=$work/image-${words[0]#--from=}
          words=("${words[@]:1}")
        fi
        copy_into "$stage" "$folder" "$from" "${words[0]#/}" "${words[1]}"
        ;;
      RUN) inside "$stage" "$folder" "$rest" ;;
      ENV) [[ $rest == PATH=* ]] && image_path=${rest#PATH=} && image_path=${image_path//'${PATH}'/"/usr/sbin:/usr/bin:/sbin:/bin"} ;;
      ENTRYPOINT) ;;
      *)
        echo "container_check: expected a known instruction, got $instruction" >&2
        return 1
        ;;
    esac
  done < <(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' Dockerfile)
  say "tandem info in the image's root"
  inside "$stage" "$folder" "tandem info"
  say "tandem luma on the photograph in the image's root"
  cp docs/photo/dandelions.jpg "$work/$stage/work/"
  inside "$stage" "$folder" "tandem luma dandelions.jpg -o luma.png -o luma.h5 && ls -l luma.*"
  unset image_path
}

bare_root
for item in "${what[@]}"; do
  case $item in
    image) check_image ;;
    both) check_scripts both demo test ;;
    *) check_scripts "$item" "$item" ;;
  esac
done
say "container_check: passed (${what[*]}, $suite)"
