# shellcheck shell=bash
# A bridge that the pods are attached to. The machine reaches pods and they reach each other; there is no forwarding,
# no address translation and no firewall rule.

open_network() {
  ! ip link show "$BRIDGE" >/dev/null 2>&1 || return 0
  ip link add "$BRIDGE" type bridge
  ip address add "$NODE_IP/${POD_SUBNET#*/}" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

close_network() {
  local link
  for link in $(ip -o link show master "$BRIDGE" 2>/dev/null | sed -E 's/^[0-9]+: ([^@:]+).*/\1/'); do
    ip link delete "$link" 2>/dev/null || true # its namespace may be taking it away right now
  done
  ! ip link show "$BRIDGE" >/dev/null 2>&1 || ip link delete "$BRIDGE"
}

write_cni_config() {
  mkdir -p "$CONFIG/cni"
  cat >"$CONFIG/cni/10-kubesync.conflist" <<EOF
{
  "cniVersion": "0.4.0",
  "name": "kubesync",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "$BRIDGE",
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "$POD_SUBNET", "gateway": "$NODE_IP"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    }
  ]
}
EOF
}
