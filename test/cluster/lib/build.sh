# shellcheck shell=bash
# What is fetched or built once and kept in the cache. A product is made in $WORK and renamed into place when
# it is whole, so an interrupted build never looks like a finished one.

# product PATH FUNCTION: PATH exists afterwards; FUNCTION makes it at the path it is given.
product() {
  local path=$1 make=$2
  [[ ! -e $path ]] || return 0
  "$make" "$WORK/product"
  mv -T "$WORK/product" "$path"
}

prepare_tools() { product "$TOOLS" make_tools; }

make_tools() {
  step "fetching ${TOOL_PACKAGES[*]}"
  unpack_packages "$1" "${TOOL_PACKAGES[@]}"
}

prepare_kubernetes() { product "$KUBERNETES" make_kubernetes; }

make_kubernetes() {
  local out=$1 tree=$WORK/go/src/k8s.io/kubernetes
  install_missing "${BUILD_PACKAGES[@]}"
  fetch_go
  fetch_kubernetes_source "$tree"
  renew_reflect2 "$tree"
  step "generating Kubernetes' OpenAPI definitions"
  (cd "$tree" && generate_openapi)
  step "building Kubernetes $KUBERNETES_VERSION (three to five minutes on two cores)"
  (cd "$tree" && build_kubernetes "$out")
  rm -rf "$WORK/go"
}

fetch_go() {
  [[ ! -d $WORK/go-tools ]] || return 0
  step "fetching ${GO_PACKAGES[*]}"
  unpack_packages "$WORK/go-tools" "${GO_PACKAGES[@]}"
}

# run_go ARGUMENTS...: Debian's Go, with nothing taken from the caller's settings. GOPATH mode: the source is older than its Go.
run_go() {
  nice env -i PATH=/usr/bin:/bin HOME="$WORK" GOROOT="$WORK/go-tools/usr/lib/go-1.19" \
    GOPATH="$WORK/go" GOCACHE="$WORK/go-cache" GOTMPDIR="$WORK" GO111MODULE=off CGO_ENABLED=0 \
    "$WORK/go-tools/usr/lib/go-1.19/bin/go" "$@" >&2
}

fetch_kubernetes_source() {
  local tree=$1
  step "fetching Debian's source package kubernetes"
  mkdir -p "$WORK/source" "$(dirname "$tree")"
  (cd "$WORK/source" && private_apt source kubernetes >"$WORK/source.log" 2>&1) ||
    { cat "$WORK/source.log" >&2; die "the source package kubernetes could not be had from the machine's Debian mirror"; }
  mv "$WORK"/source/kubernetes-*/ "$tree"
  head -n 1 "$tree/debian/changelog" | grep -qF "$KUBERNETES_VERSION-" ||
    die "Debian's kubernetes is $(head -n 1 "$tree/debian/changelog"), and this needs $KUBERNETES_VERSION (Debian 12)"
}

# The vendored reflect2 is older than Go 1.18's maps: an API server that was built with it dies of a custom object.
renew_reflect2() {
  local vendored=$1/vendor/github.com/modern-go/reflect2
  rm -rf "$vendored"
  cp -r "$WORK/go-tools/usr/share/gocode/src/github.com/modern-go/reflect2" "$vendored"
}

# What "make gen_openapi" does for the API server, without the rsync and the copy of the tree it wants. The source lacks
# just this one file. The generator's report of rule violations equals the checked-in one when the same types were read.
generate_openapi() {
  local packages
  packages=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg staging/src/k8s.io |
    grep -v -e /code-generator/ -e /sample-apiserver/ | xargs -n1 dirname |
    sed 's,^staging/src/,vendor/,; s,^,k8s.io/kubernetes/,' | LC_ALL=C sort -u | paste -sd,)
  run_go run ./vendor/k8s.io/kube-openapi/cmd/openapi-gen --logtostderr -i "$packages" \
    -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$WORK/violations"
  diff "$WORK/violations" api/api-rules/violation_exceptions.list >&2 || die "the generated OpenAPI definitions are not those of this version"
}

# Without the in-tree cloud providers and the Docker shim, whose kubelet looks for a Docker engine for five seconds.
build_kubernetes() {
  local out=$1
  mkdir "$out"
  run_go build -o "$out/" -tags providerless,dockerless -ldflags "-s -w $(version_flags)" \
    ./cmd/kube-apiserver ./cmd/kube-controller-manager ./cmd/kube-scheduler ./cmd/kubelet ./cmd/kubectl
}

# What `--version` says is in one package, what the API server answers at /version in the other.
version_flags() {
  local major=${KUBERNETES_VERSION%%.*} rest=${KUBERNETES_VERSION#*.} package
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    printf -- '-X %s=%s ' "$package.gitVersion" "v$KUBERNETES_VERSION+kubesync.$BUILD_REVISION" "$package.gitMajor" "$major" \
      "$package.gitMinor" "${rest%%.*}" "$package.gitTreeState" clean "$package.buildDate" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  done
}
