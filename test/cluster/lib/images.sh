# shellcheck shell=bash
# The images, made from what the machine and Debian have: each is an OCI layout in one tar file.

IMAGES=(pause:1 plain:1 uid1000:1 static:1 node:20 python:3)

# As a first process: end at once when asked to, and reap what is orphaned.
WAIT_COMMAND='["/bin/sh", "-c", "trap \"exit 0\" TERM INT; while :; do sleep 3600 & wait $!; done"]'

# The directory of the finished images; its name changes with everything they are made from.
images_path() {
  local sum
  sum=$(cat "$LIB/images.sh" "$HERE/images/hold/main.go" "$TOOLS/versions" <(node --version) | sha256sum)
  printf '%s' "$CACHE/images-${sum:0:16}"
}

prepare_images() {
  command -v node >/dev/null || die "no node on PATH; the image node:20 is made from it"
  product "$(images_path)" make_images
}

make_images() {
  local out=$1 image
  step "making images"
  mkdir -p "$out"
  for image in "${IMAGES[@]}"; do
    local name=${image%:*}
    image_begin
    "image_$name"
    image_end "$IMAGE_PREFIX/$image" "$out/$name.tar"
  done
}

# import_images: into containerd, unless it has them already.
import_images() {
  local path image
  path=$(images_path)
  [[ $(cat "$STATE/images" 2>/dev/null) != "$path" ]] || return 0
  for image in "${IMAGES[@]}"; do
    in_room ctr --namespace k8s.io images import "$path/${image%:*}.tar" >"$LOGS/import.log" 2>&1 ||
      die "cannot import $image: $(cat "$LOGS/import.log")"
  done
  printf '%s' "$path" >"$STATE/images"
}

# --- what is in them

image_pause() {
  add_busybox
  IMAGE_COMMAND=$WAIT_COMMAND
}

image_plain() {
  add_busybox
  add_base_files
  image_layer
  add_app
  IMAGE_COMMAND=$WAIT_COMMAND
}

image_uid1000() {
  image_plain
  image_layer
  mkdir -p "$ROOT/home/dev"
  printf 'a file of the image\n' >"$ROOT/home/dev/hello.txt"
  chown -R 1000:1000 "$ROOT/home/dev"
  IMAGE_USER=1000:1000
  IMAGE_DIRECTORY=/home/dev
}

image_static() {
  fetch_go
  mkdir -p "$ROOT/data" "$ROOT/tmp"
  chmod 0777 "$ROOT/data"
  chmod 1777 "$ROOT/tmp"
  run_go build -ldflags '-s -w' -o "$ROOT/hold" "$HERE/images/hold/main.go"
  IMAGE_COMMAND='["/hold"]'
}

image_node() {
  local node library
  node=$(node -p process.execPath)
  install -D "$node" "$ROOT/usr/local/bin/node"
  for library in $(ldd "$node" | grep -o '/[^ ]*'); do
    install -D "$library" "$ROOT$library"
  done
  add_base_files
  IMAGE_COMMAND='["node"]'
}

image_python() {
  unpack_packages "$ROOT" "${PYTHON_PACKAGES[@]}"
  rm "$ROOT/versions"
  add_busybox
  add_base_files
  IMAGE_COMMAND='["python3.11"]'
}

add_busybox() {
  local applet
  install -D "$TOOLS/bin/busybox" "$ROOT/bin/busybox"
  "$TOOLS/bin/busybox" --list-full | while read -r applet; do
    mkdir -p "$ROOT/$(dirname "$applet")"
    [[ -e $ROOT/$applet ]] || ln -s /bin/busybox "$ROOT/$applet"
  done
}

add_base_files() {
  mkdir -p "$ROOT/etc" "$ROOT/tmp" "$ROOT/root" "$ROOT/var"
  chmod 1777 "$ROOT/tmp"
  chmod 0700 "$ROOT/root"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh dev:x:1000:1000:dev:/home/dev:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false >"$ROOT/etc/passwd"
  printf '%s\n' root:x:0: dev:x:1000: nobody:x:65534: >"$ROOT/etc/group"
}

# A directory that containers see in a lower layer of their root.
add_app() {
  mkdir -p "$ROOT/app/lib"
  printf 'a file of the image\n' >"$ROOT/app/hello.txt"
  printf 'PORT=8080\n' >"$ROOT/app/settings.env"
  printf 'another file of the image\n' >"$ROOT/app/lib/deep.txt"
}

# --- the format

# Start an image: files go to $ROOT, image_layer closes a layer, image_end writes the tar file.
image_begin() {
  LAYOUT=$WORK/layout
  ROOT=$WORK/root
  LAYERS=()
  IMAGE_USER=0:0 IMAGE_DIRECTORY=/ IMAGE_COMMAND='[]'
  rm -rf "$LAYOUT" "$ROOT"
  mkdir -p "$LAYOUT/blobs/sha256" "$ROOT"
}

image_layer() {
  tar --create --file "$WORK/layer.tar" --directory "$ROOT" --sort=name --numeric-owner --mtime=@1700000000 .
  LAYERS+=("$(add_blob "$WORK/layer.tar")")
  rm -rf "$ROOT"
  mkdir "$ROOT"
}

image_end() {
  local name=$1 file=$2 config manifest
  image_layer
  image_config >"$WORK/config.json"
  config=$(add_blob "$WORK/config.json")
  image_manifest "$config" >"$WORK/manifest.json"
  manifest=$(add_blob "$WORK/manifest.json")
  printf '{"imageLayoutVersion": "1.0.0"}' >"$LAYOUT/oci-layout"
  printf '{"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", %s, "annotations": {"io.containerd.image.name": "%s"}}]}' \
    "$(blob_fields "$manifest")" "$name" >"$LAYOUT/index.json"
  tar --create --file "$file" --directory "$LAYOUT" .
  rm -rf "$LAYOUT" "$ROOT"
}

image_config() {
  local layer digests=()
  for layer in "${LAYERS[@]}"; do
    digests+=("\"sha256:$layer\"")
  done
  printf '{"architecture": "%s", "os": "linux", ' "$(dpkg --print-architecture)"
  printf '"config": {"User": "%s", "WorkingDir": "%s", "Cmd": %s, ' "$IMAGE_USER" "$IMAGE_DIRECTORY" "$IMAGE_COMMAND"
  printf '"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}, '
  printf '"rootfs": {"type": "layers", "diff_ids": [%s]}}' "$(join_with ', ' "${digests[@]}")"
}

image_manifest() {
  local layer fields=()
  for layer in "${LAYERS[@]}"; do
    fields+=("{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar\", $(blob_fields "$layer")}")
  done
  printf '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", '
  printf '"config": {"mediaType": "application/vnd.oci.image.config.v1+json", %s}, ' "$(blob_fields "$1")"
  printf '"layers": [%s]}' "$(join_with ', ' "${fields[@]}")"
}

# add_blob FILE: moves it into the layout and prints its digest.
add_blob() {
  local sum
  sum=$(sha256sum "$1")
  sum=${sum%% *}
  mv "$1" "$LAYOUT/blobs/sha256/$sum"
  printf '%s' "$sum"
}

blob_fields() { printf '"digest": "sha256:%s", "size": %d' "$1" "$(stat -c %s "$LAYOUT/blobs/sha256/$1")"; }

join_with() {
  local separator=$1 result=$2
  shift 2
  printf '%s' "$result" "${@/#/$separator}"
}
