#!/usr/bin/env bash
# Programs of a newer Debian than this machine's, in a folder outside the repository: Emacs with dape, JupyterLab 4.
#   debian.sh possible            says why it cannot be done here, if so
#   debian.sh make                makes the folder, or adds what is missing in it
#   debian.sh run DIR… -- WORD…   runs a command there; it sees /tmp and these folders under the names that they have here
# LLMSPELL_DEBIAN names another folder. A command shares this machine's network; its mounts are its own and go with it.
set -euo pipefail
suite=trixie
packages=(ca-certificates emacs-nox elpa-dape jupyterlab jupyter-server python3-jupyter-client)
root=${LLMSPELL_DEBIAN:-${XDG_CACHE_HOME:-$HOME/.cache}/llmspell-testing/$suite}

apart() { unshare --mount --propagation private "$@"; }

possible() {
  [ "$(id -u)" = 0 ] || { echo "a folder with another Debian needs root"; return 1; }
  [ "$(dpkg --print-architecture 2>/dev/null)" ] || { echo "this machine is no Debian"; return 1; }
  apart true 2>/dev/null || { echo "this machine does not let root mount"; return 1; }
}

make() {
  possible
  local missing
  mkdir -p "$(dirname "$root")"
  exec 9>"$root.lock"
  flock 9 # one at a time
  if [ ! -e "$root/usr/bin/apt-get" ]; then
    local mirror
    # from where this machine's own packages come
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' | awk '$2 == "Debian" { print $1; exit }')
    [ -n "$mirror" ] || { echo "apt knows no Debian mirror: run apt-get update" >&2; return 1; }
    rm -rf "$root.new"
    mkdir -p "$root.new"
    debootstrap --variant=minbase "$suite" "$root.new" "$mirror" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; return 1; }
    rm -rf "$root"
    mv "$root.new" "$root"
  fi
  missing=$(run -- sh -c 'for p in "$@"; do dpkg -s "$p" 2>/dev/null | grep -q "^Status: install ok installed" || echo "$p"; done' sh "${packages[@]}")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # words of a list
  install $missing || install $missing || { tail -20 "$root.log" >&2; return 1; }
}

# Mends first what an earlier attempt that was cut off has left.
install() (
  run -- sh -ec 'export DEBIAN_FRONTEND=noninteractive; dpkg --configure -a; apt-get update -q; apt-get install -qy --no-install-recommends -f "$@"' sh "$@"
) >>"$root.log" 2>&1

run() {
  local dirs=(/tmp)
  while [ "$1" != -- ]; do
    case $1 in
    / | /usr | /bin | /lib* | /etc) ;; # these are what the other Debian brings
    *) dirs+=("$1") ;;
    esac
    shift
  done
  shift
  cp -f /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
  local mounts='mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
  mounts+='while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done; shift; '
  root=$root exec unshare --mount --propagation private bash -ec "$mounts"'
    exec chroot "$root" sh -c "cd \"\$0\" 2>/dev/null || cd /; exec \"\$@\"" "$PWD" "$@"' bash "${dirs[@]}" -- "$@"
}

case ${1:-} in
possible) possible ;;
make) make ;;
run) shift; run "$@" ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
