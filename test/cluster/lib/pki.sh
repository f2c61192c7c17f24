# shellcheck shell=bash
# Certificates from an own authority, and the kubeconfigs that use them.

make_pki() {
  [[ ! -e $PKI/complete ]] || return 0
  step "making certificates"
  mkdir -p "$PKI"
  chmod 0700 "$PKI"
  make_authority
  make_key "$PKI/service-accounts.key"
  openssl pkey -in "$PKI/service-accounts.key" -pubout -out "$PKI/service-accounts.pub"
  make_certificate apiserver /CN=kube-apiserver serverAuth \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$SERVICE_IP,IP:$NODE_IP"
  make_certificate kubelet-server "/O=system:nodes/CN=system:node:$NODE_NAME" serverAuth "DNS:$NODE_NAME,IP:127.0.0.1,IP:$NODE_IP"
  make_certificate etcd /CN=etcd serverAuth,clientAuth DNS:localhost,IP:127.0.0.1
  make_certificate apiserver-etcd /CN=kube-apiserver clientAuth
  make_certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  make_certificate admin /O=system:masters/CN=kubernetes-admin clientAuth
  make_certificate controller-manager /CN=system:kube-controller-manager clientAuth
  make_certificate scheduler /CN=system:kube-scheduler clientAuth
  make_certificate kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" clientAuth
  write_kubeconfig admin "$KUBECONFIG_FILE"
  write_kubeconfig controller-manager "$PKI/controller-manager.kubeconfig"
  write_kubeconfig scheduler "$PKI/scheduler.kubeconfig"
  write_kubeconfig kubelet "$PKI/kubelet.kubeconfig"
  touch "$PKI/complete"
}

make_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

make_authority() {
  make_key "$PKI/ca.key"
  openssl req -x509 -new -key "$PKI/ca.key" -subj /CN=kubesync-cluster -days 3650 -out "$PKI/ca.crt" \
    -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign
}

# make_certificate NAME SUBJECT USAGE [ALTERNATIVE NAMES]
make_certificate() {
  local path=$PKI/$1 subject=$2 usage=$3 names=${4:-}
  make_key "$path.key"
  openssl req -new -key "$path.key" -subj "$subject" -out "$path.csr"
  openssl x509 -req -in "$path.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 -out "$path.crt" \
    -extfile <(printf '%s\n' "keyUsage=critical,digitalSignature" "extendedKeyUsage=$usage" ${names:+"subjectAltName=$names"}) 2>/dev/null
  rm "$path.csr"
}

# write_kubeconfig CERTIFICATE FILE: everything inside the one file, so that it can be copied.
write_kubeconfig() {
  local certificate=$1 file=$2
  (umask 077 && cat >"$file") <<EOF
apiVersion: v1
kind: Config
clusters:
- name: kubesync-test
  cluster:
    server: $API_URL
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $certificate
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$certificate.crt")
    client-key-data: $(base64 -w0 "$PKI/$certificate.key")
contexts:
- name: kubesync-test
  context:
    cluster: kubesync-test
    user: $certificate
current-context: kubesync-test
EOF
}
