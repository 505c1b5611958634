# Read by sshjob-server, which is the same script here as everywhere: how a container shim starts Node.js, with what lies
# in this directory, wherever that is, and nothing of the image's.
case $sshjob_here in
  /*) sshjob_shim=${sshjob_here%/*} ;;
  *) sshjob_shim=$PWD/${sshjob_here%/*} ;;
esac
sshjob_node=$sshjob_shim/@LOADER@
sshjob_busybox=$sshjob_shim/bin/busybox

# The job's variables (LD_PRELOAD, NODE_OPTIONS) may have the loader and Node.js run other code. So they are not given to
# them, but handed on beside: byte for byte, and with those whose names no shell can export. sshjob-server.cjs takes them.
sshjob_become() {
  set -- "$sshjob_node" --library-path "$sshjob_shim/lib" "$sshjob_shim/bin/node" --preserve-symlinks \
    --preserve-symlinks-main "--openssl-config=$sshjob_shim/lib/openssl.cnf" "$sshjob_shim/sshjob-server.cjs" "$@"
  if [ -r "$sshjob_proc/environ" ]; then
    sshjob_bytes=$("$sshjob_busybox" base64 -w 65536 "$sshjob_proc/environ") || exit 255
  else
    # Without /proc, as well as this shell hands them on.
    sshjob_bytes=$("$sshjob_busybox" env -0 | "$sshjob_busybox" base64 -w 65536) || exit 255
  fi
  sshjob_number=0
  for sshjob_piece in $sshjob_bytes; do
    set -- "SSHJOB_SHIM_ENVIRONMENT_$sshjob_number=$sshjob_piece" "$@"
    sshjob_number=$((sshjob_number + 1))
  done
  exec "$sshjob_busybox" env -i ${SSHJOB_WRAPPER:+"SSHJOB_WRAPPER=$SSHJOB_WRAPPER"} \
    ${SSHJOB_DESCRIPTORS:+"SSHJOB_DESCRIPTORS=$SSHJOB_DESCRIPTORS"} "SSHJOB_SHIM_ENVIRONMENT=$sshjob_number" "$@"
}
