import type { IncomingMessage } from 'node:http'
import { type Client, cut } from './client.ts'
import { at, nameOf, type Thing, text, thing } from './json.ts'

export interface WatchEvent {
  readonly type: string
  readonly object: Thing
}

/** A watch: `for await` gives its events, `next` the next one, until the server ends it or `close` is called. */
export interface Watch extends AsyncIterable<WatchEvent> {
  next(): Promise<WatchEvent>
  /** Events up to the first that fits, which is the last of them. */
  until(fits: (event: WatchEvent) => boolean): Promise<WatchEvent[]>
  /** All events until the server ends the watch. */
  rest(): Promise<WatchEvent[]>
  close(): void
}

const patience = 60_000

export async function watch(client: Client, path: string): Promise<Watch> {
  const response = await client.open(path)
  if (response.statusCode !== 200) {
    cut(response)
    throw new Error(`the watch ${path} was answered with ${response.statusCode}`)
  }
  const events = eventsOf(response)
  const next = async () => {
    const result = await inTime(events.next(), `no event came: ${path}`)
    if (result.done) throw new Error(`the watch ended: ${path}`)
    return result.value
  }
  return {
    next,
    [Symbol.asyncIterator]: () => events,
    async until(fits) {
      const seen: WatchEvent[] = []
      for (;;) {
        const event = await next()
        seen.push(event)
        if (fits(event)) return seen
      }
    },
    async rest() {
      const seen: WatchEvent[] = []
      for await (const event of events) seen.push(event)
      return seen
    },
    close: () => cut(response),
  }
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<WatchEvent, void> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield eventOf(line)
  }
}

function eventOf(line: string): WatchEvent {
  const event: unknown = JSON.parse(line)
  return { type: text(event, 'type'), object: thing(at(event, 'object')) }
}

/**
 * Waits until an object is as wanted. It is looked at first and then watched; undefined stands for one that
 * is not there.
 */
export async function settled(
  client: Client,
  of: { readonly collection: string; readonly name: string },
  wanted: (object: Thing | undefined) => boolean,
): Promise<Thing | undefined> {
  const selector = `fieldSelector=metadata.name%3D${of.name}`
  const list = await client.get(`${of.collection}?${selector}`)
  let seen = at(list, 'items', 0) === undefined ? undefined : thing(at(list, 'items', 0))
  if (wanted(seen)) return seen
  const from = text(list, 'metadata', 'resourceVersion')
  const events = await watch(client, `${of.collection}?watch=1&resourceVersion=${from}&${selector}`)
  try {
    for (;;) {
      const event = await events.next()
      seen = event.type === 'DELETED' ? undefined : event.object
      if (wanted(seen)) return seen
    }
  } catch (error) {
    throw new Error(
      `${of.collection}/${of.name} did not become as wanted; last seen: ${JSON.stringify(seen)}`,
      {
        cause: error,
      },
    )
  } finally {
    events.close()
  }
}

/** The same for an object that must be there. */
export async function became(
  client: Client,
  of: { readonly collection: string; readonly name: string },
  wanted: (object: Thing) => boolean,
): Promise<Thing> {
  return thing(await settled(client, of, (object) => object !== undefined && wanted(object)))
}

export function gone(client: Client, of: { readonly collection: string; readonly name: string }) {
  return settled(client, of, (object) => object === undefined)
}

/** `ADDED a`, `MODIFIED b`: what events tell, without the objects. */
export function told(events: readonly WatchEvent[]): string[] {
  return events.map(({ type, object }) => `${type} ${nameOf(object)}`)
}

export async function inTime<T>(promise: Promise<T>, complaint: string, limit = patience): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} (${limit} ms)`)), limit)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
