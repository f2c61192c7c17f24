# shellcheck shell=bash disable=SC2034
# Names, versions, addresses and places. Nothing here does anything.

KUBERNETES_VERSION=1.20.2
BUILD_REVISION=3 # raise it when the way of building changes, so that old products are not used

NODE_NAME=node1
IMAGE_PREFIX=docker.io/kubesync-test

# Every server listens on 127.0.0.1. The node's own address is the bridge's: it only has to be one that is not loopback.
BRIDGE=kubesync0
NODE_IP=10.199.0.1
POD_SUBNET=10.199.0.0/24
SERVICE_SUBNET=10.198.0.0/24
SERVICE_IP=10.198.0.1
DNS_IP=10.198.0.10 # nobody answers there; without it every pod gets a warning
API_PORT=16443
ETCD_PORT=16479
ETCD_PEER_PORT=16480
KUBELET_PORT=16250
KUBELET_HEALTH_PORT=16248
CONTROLLER_PORT=16257
SCHEDULER_PORT=16259
API_URL=https://127.0.0.1:$API_PORT

CACHE=${KUBESYNC_CLUSTER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kubesync/cluster}
STATE=${KUBESYNC_CLUSTER_STATE:-/run/kubesync-cluster}

TOOLS=$CACHE/tools-r$BUILD_REVISION
KUBERNETES=$CACHE/kubernetes-$KUBERNETES_VERSION-r$BUILD_REVISION

PKI=$STATE/pki
LOGS=$STATE/log
CONFIG=$STATE/config
KUBECONFIG_FILE=$STATE/kubeconfig
KUBECTL=$KUBERNETES/kubectl

CGROUP=kubesync-cluster
COMPONENTS=(containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet)
