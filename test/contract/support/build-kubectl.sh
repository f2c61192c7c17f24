#!/bin/bash
# usage: build-kubectl.sh v1.36.3 /path/of/the/binary
# Builds the real kubectl from its Go modules: two minutes on two cores.
set -euo pipefail

version=$1
binary=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >go.mod <<EOF
module kubectl
require k8s.io/kubectl v0${version#v1}
EOF
cat >main.go <<'EOF'
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
EOF

info=k8s.io/component-base/version
minor=${version#v1.}
go build -mod=mod -o kubectl -ldflags \
  "-s -w -X $info.gitVersion=$version -X $info.gitMajor=1 -X $info.gitMinor=${minor%%.*}" .
mkdir -p "$(dirname "$binary")"
mv kubectl "$binary"
