# shellcheck shell=bash disable=SC2034
# Debian packages. A private list of sources, with source packages enabled, is derived from the machine's own;
# the machine's apt configuration and lists stay as they are.

# Commands used here that a minimal machine may lack, by package.
MACHINE_PACKAGES=(iproute2 libseccomp2 mount openssl procps util-linux)
BUILD_PACKAGES=(dpkg-dev patch xz-utils)

# What runs or ends up in images. It is unpacked into the cache, not installed: installing would start services,
# and would conflict with another vendor's containerd.
TOOL_PACKAGES=(busybox-static containerd containernetworking-plugins etcd-server runc)
PYTHON_PACKAGES=(libc6 libexpat1 libpython3.11-minimal python3.11-minimal zlib1g)
GO_PACKAGES=(golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev)

is_installed() { [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *' installed' ]]; }

# install_missing PACKAGE...
install_missing() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  step "installing ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive private_apt -y --no-install-recommends install "${missing[@]}" >&2
}

# private_apt ARGUMENTS...: apt-get with the private sources, which are made when first needed.
private_apt() {
  local dir=$WORK/apt
  local options=(-qq
    -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$dir/sources"
    -o "Dir::State::lists=$dir/lists" -o "APT::Sandbox::User=root" -o "Dpkg::Use-Pty=0")
  if [[ ! -d $dir ]]; then
    mkdir -p "$dir/sources" "$dir/lists/partial"
    write_private_sources "$dir/sources"
    apt-get "${options[@]}" update >&2 || say "apt-get update reported errors; going on with what it has"
  fi
  apt-get "${options[@]}" "$@"
}

# Both formats: one line an entry (*.list), and deb822 (*.sources).
write_private_sources() {
  local file to=$1
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] || continue
    sed -nE 's/^[[:space:]]*deb([[:space:]].*)/deb\1\ndeb-src\1/p' "$file" >"$to/$(basename "$file" .list).list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] || continue
    sed -E 's/^Types:.*/Types: deb deb-src/' "$file" >"$to/$(basename "$file")"
  done
}

# unpack_packages DIRECTORY PACKAGE...: the packages' files, and their versions in a file.
unpack_packages() {
  local to=$1 deb
  shift
  mkdir -p "$to" "$WORK/debs"
  (cd "$WORK/debs" && private_apt download "$@")
  for deb in "$WORK"/debs/*.deb; do
    dpkg-deb -x "$deb" "$to"
    # shellcheck disable=SC2016 # the field names are dpkg's, not the shell's
    dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb" >>"$to/versions"
  done
  rm -r "$WORK/debs"
}
