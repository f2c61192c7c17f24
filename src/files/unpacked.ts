/** Directories that were looked into last stay unpacked: whoever looks for one name mostly looks for more. */
const UNPACKED = 16
const unpacked = new Map<object, ReadonlyMap<string, unknown>>()

/** What was made of a directory, if that is among the last; to be asked with the same kind of values always. */
export function unpackedOnce<V>(
  directory: object,
  unpack: () => ReadonlyMap<string, V>,
): ReadonlyMap<string, V> {
  const known = unpacked.get(directory)
  // Only the directory itself puts anything there by this key.
  if (known !== undefined) return known as ReadonlyMap<string, V>
  const whole = unpack()
  const [oldest] = unpacked.size >= UNPACKED ? unpacked.keys() : []
  if (oldest !== undefined) unpacked.delete(oldest)
  unpacked.set(directory, whole)
  return whole
}

/** What is in no tree any more would keep its bytes. */
export function forgetUnpacked(): void {
  unpacked.clear()
}
