/** Does a work for each item, so many at a time; the results in the order of the items. Rejects with the first failure. */
export async function forEachOf<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>()
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results.set(index, await work(item))
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return items.flatMap((_, index) => (results.has(index) ? [results.get(index) as R] : []))
}
