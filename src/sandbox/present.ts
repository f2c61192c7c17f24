import { columnsOf } from './columns.ts'
import type { Context } from './context.ts'
import { ApiFailure } from './failure.ts'
import type { KubeObject } from './object.ts'
import type { Page } from './read.ts'
import type { ResourceType } from './resource.ts'

/** How a client wants objects: whole or as rows of a table, as JSON or YAML. */
export interface Form {
  readonly as: 'object' | 'table'
  readonly yaml: boolean
}

const representations = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'

/** The first form of an Accept header that can be given. Throws 406. */
export function formOf(accept: string | undefined, watch = false): Form {
  for (const range of (accept ?? '*/*').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const yaml = type === 'application/yaml'
    const as = shapeOf(Object.fromEntries(parameters.map((parameter) => parameter.split('='))))
    const known = yaml ? !watch : ['application/json', 'application/*', '*/*'].includes(type)
    if (known && as !== undefined) return { as, yaml }
  }
  const only = `only the following media types are accepted: ${streams}`
  const message = watch ? only : `406: Not Acceptable\n\nAvailable representations: ${representations}`
  throw new ApiFailure(406, 'NotAcceptable', message, {})
}

function shapeOf({ as = '', g, v }: Record<string, string | undefined>): Form['as'] | undefined {
  if (as === '') return 'object'
  return as === 'Table' && g === 'meta.k8s.io' && v === 'v1' ? 'table' : undefined
}

/** What a request wants to see of its objects. */
export interface View {
  readonly form: Form
  readonly type: ResourceType
  /** Which part of an object goes with its row in a table. */
  readonly includeObject: string | null
}

/** An object as a client asked to see it. */
export function presented({ now }: Context, view: View, object: KubeObject): unknown {
  if (view.form.as === 'object') return object
  const { resourceVersion } = object.metadata
  return { ...tableOf(view, [object], now()), metadata: { resourceVersion } }
}

/** The same for the events of one watch: only the first table tells its columns. */
export function presenter(context: Context, view: View): (object: KubeObject) => unknown {
  let first = true
  return (object) => {
    const shown = presented(context, view, object)
    if (view.form.as !== 'table') return shown
    const table = first ? shown : { ...(shown as object), columnDefinitions: null }
    first = false
    return table
  }
}

/** A list, or a page of it. */
export function presentedList({ now }: Context, view: View, page: Page): unknown {
  const { form, type } = view
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  }
  if (form.as === 'table') return { ...tableOf(view, page.items, now()), metadata }
  // Kubernetes' own kinds are not named again in each item.
  const items = type.custom ? page.items : page.items.map(({ kind: _, apiVersion: __, ...item }) => item)
  const kind = type.definition?.listKind ?? `${type.info.kind}List`
  return { kind, apiVersion: type.apiVersion, metadata, items }
}

function metadataOf({ metadata }: KubeObject) {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

function tableOf({ type, includeObject }: View, objects: readonly KubeObject[], now: Date) {
  const shown = columnsOf(type)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    columnDefinitions: shown.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: shown.map(({ cell }) => cell(object, now)),
      object: includeObject === 'None' ? null : includeObject === 'Object' ? object : metadataOf(object),
    })),
  }
}
