# shellcheck shell=bash
# The six servers: how each is configured, started, found and stopped.

component_binary() {
  case $1 in
    containerd | etcd) printf '%s' "$TOOLS/usr/bin/$1" ;;
    *) printf '%s' "$KUBERNETES/$1" ;;
  esac
}

# The pid on the machine of a component in the room.
component_pid() {
  local room
  room=$(room_pid) || return 1
  pgrep --ns "$room" --nslist pid --oldest --full "^$(component_binary "$1") "
}

is_running() { component_pid "$1" >/dev/null; }

STARTED_COMPONENTS=() # by this run, or found running

start_component() {
  STARTED_COMPONENTS+=("$1")
  ! is_running "$1" || return 0
  step "starting $1"
  local -a arguments
  "arguments_of_$1"
  # shellcheck disable=SC2016 # for the inner shell
  in_room setsid -f sh -c 'log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null' sh "$LOGS/$1.log" "$(component_binary "$1")" "${arguments[@]}"
  local end=$((SECONDS + 5))
  until is_running "$1"; do
    ((SECONDS < end)) || die_with_log "$1" "$1 did not start"
    sleep 0.02
  done
}

kill_component() {
  local pid
  pid=$(component_pid "$1") || return 0
  kill -KILL "$pid"
  wait_for_end "$pid"
}

arguments_of_containerd() { arguments=(--config "$CONFIG/containerd.toml"); }

arguments_of_etcd() {
  arguments=(
    --name "$NODE_NAME" --data-dir "$STATE/etcd"
    --listen-client-urls "https://127.0.0.1:$ETCD_PORT" --advertise-client-urls "https://127.0.0.1:$ETCD_PORT"
    --listen-peer-urls "https://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "https://127.0.0.1:$ETCD_PEER_PORT"
    --initial-cluster "$NODE_NAME=https://127.0.0.1:$ETCD_PEER_PORT"
    --client-cert-auth --trusted-ca-file "$PKI/ca.crt" --cert-file "$PKI/etcd.crt" --key-file "$PKI/etcd.key"
    --peer-client-cert-auth --peer-trusted-ca-file "$PKI/ca.crt" --peer-cert-file "$PKI/etcd.crt" --peer-key-file "$PKI/etcd.key"
  )
}

arguments_of_kube-apiserver() {
  arguments=(
    --bind-address=127.0.0.1 --secure-port="$API_PORT" --advertise-address="$NODE_IP"
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt"
    --etcd-servers="https://127.0.0.1:$ETCD_PORT" --etcd-cafile="$PKI/ca.crt"
    --etcd-certfile="$PKI/apiserver-etcd.crt" --etcd-keyfile="$PKI/apiserver-etcd.key"
    --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key"
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=Hostname
    "--authorization-mode=Node,RBAC" --enable-admission-plugins=NodeRestriction --allow-privileged=true
    --service-account-issuer=https://kubernetes.default.svc.cluster.local
    --service-account-key-file="$PKI/service-accounts.pub" --service-account-signing-key-file="$PKI/service-accounts.key"
    --service-cluster-ip-range="$SERVICE_SUBNET"
  )
}

arguments_of_kube-controller-manager() {
  local kubeconfig=$PKI/controller-manager.kubeconfig
  arguments=(
    --kubeconfig="$kubeconfig" --authentication-kubeconfig="$kubeconfig" --authorization-kubeconfig="$kubeconfig"
    --bind-address=127.0.0.1 --secure-port="$CONTROLLER_PORT" --port=0 --leader-elect=false
    --use-service-account-credentials --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt"
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key"
    --flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins
  )
}

arguments_of_kube-scheduler() {
  local kubeconfig=$PKI/scheduler.kubeconfig
  arguments=(
    --kubeconfig="$kubeconfig" --authentication-kubeconfig="$kubeconfig" --authorization-kubeconfig="$kubeconfig"
    --bind-address=127.0.0.1 --secure-port="$SCHEDULER_PORT" --port=0 --leader-elect=false
  )
}

arguments_of_kubelet() {
  arguments=(
    --config="$CONFIG/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig"
    --hostname-override="$NODE_NAME" --node-ip="$NODE_IP"
    --container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock
  )
}

write_configs() {
  printf '%s\n' '127.0.0.1 localhost' "127.0.0.1 $NODE_NAME" >"$CONFIG/hosts"
  write_cni_config
  write_containerd_config
  write_kubelet_config
}

write_containerd_config() {
  cat >"$CONFIG/containerd.toml" <<EOF
version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$IMAGE_PREFIX/pause:1"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true # a machine without CAP_SYS_RESOURCE cannot lower it

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$TOOLS/usr/lib/cni"
    conf_dir = "$CONFIG/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "$TOOLS/usr/sbin/runc"
EOF
}

write_kubelet_config() {
  cat >"$CONFIG/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $KUBELET_PORT
healthzPort: $KUBELET_HEALTH_PORT
tlsCertFile: $PKI/kubelet-server.crt
tlsPrivateKeyFile: $PKI/kubelet-server.key
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI/ca.crt}
authorization: {mode: Webhook}
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failSwapOn: false
nodeStatusUpdateFrequency: 1s
nodeStatusReportFrequency: 1m
makeIPTablesUtilChains: false
volumePluginDir: /var/lib/kubelet/volume-plugins
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
EOF
}
