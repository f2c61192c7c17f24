import { formatPath, isList, isMap, type Json, type JsonMap, type Operation, type Path } from './value.ts'

/** An operation that does not fit the value it is for. */
export class Misfit extends Error {
  readonly path: Path

  constructor(path: Path, why: string) {
    super(`${formatPath(path) || 'the document'}: ${why}`)
    this.path = path
  }
}

/** What operations make of a value, one after the other. Throws Misfit where a path leads nowhere. */
export function operate(value: Json, operations: readonly Operation[]): Json {
  return operations.reduce((now, operation) => change(now, operation, 0), value)
}

function change(value: Json, operation: Operation, depth: number): Json {
  const { path } = operation
  const step = path[depth]
  if (step === undefined) {
    if (operation.op === 'set') return operation.value
    throw new Misfit(path, `a whole document cannot be the target of ${operation.op}`)
  }
  const isLast = depth === path.length - 1
  if (typeof step === 'number') {
    if (!isList(value)) throw new Misfit(path.slice(0, depth), 'is no list')
    return changeList(value, step, { operation, depth, isLast })
  }
  if (!isMap(value)) throw new Misfit(path.slice(0, depth), 'is no map')
  return changeMap(value, step, { operation, depth, isLast })
}

interface Here {
  readonly operation: Operation
  readonly depth: number
  readonly isLast: boolean
}

function changeMap(value: JsonMap, key: string, { operation, depth, isLast }: Here): Json {
  const { op, path } = operation
  if (isLast && op === 'insert') throw new Misfit(path, 'a map has no places to insert at')
  if (!Object.hasOwn(value, key) && !(isLast && op === 'set')) {
    throw new Misfit(path.slice(0, depth + 1), 'is not there')
  }
  if (isLast && op === 'remove') {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
  }
  const next = isLast && op === 'set' ? operation.value : change(value[key] ?? null, operation, depth + 1)
  return Object.fromEntries([...Object.entries(value).filter(([name]) => name !== key), [key, next]])
}

function changeList(value: readonly Json[], index: number, { operation, depth, isLast }: Here): Json {
  const { op, path } = operation
  const last = isLast && op === 'insert' ? value.length : value.length - 1
  if (index < 0 || index > last) throw new Misfit(path.slice(0, depth + 1), 'is not there')
  if (isLast && op === 'insert') return value.toSpliced(index, 0, operation.value)
  if (isLast && op === 'remove') return value.toSpliced(index, 1)
  return value.with(index, change(value[index] ?? null, operation, depth + 1))
}
