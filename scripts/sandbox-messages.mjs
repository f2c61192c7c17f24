// How Kubernetes' own types look in protobuf, read from the Go sources that say it: field numbers and types.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Types with an encoding of their own. */
const special = {
  'apimachinery.pkg.apis.meta.v1.Time': 'time',
  'apimachinery.pkg.apis.meta.v1.MicroTime': 'micro-time',
  'apimachinery.pkg.api.resource.Quantity': 'quantity',
  'apimachinery.pkg.util.intstr.IntOrString': 'int-or-string',
  'apimachinery.pkg.runtime.RawExtension': 'json',
  'apimachinery.pkg.apis.meta.v1.FieldsV1': 'json',
  'api.authentication.v1.ExtraValue': 'strings',
  'api.authorization.v1.ExtraValue': 'strings',
  'api.certificates.v1.ExtraValue': 'strings',
}
const plain = { string: 'string', bool: 'bool', int: 'int', int32: 'int', int64: 'int', '[]byte': 'bytes' }

/**
 * The messages that kinds are made of, by id, as lists of [number, name, type]: a type is one of those above or a message's id,
 * with `*` before it where a zero says something, `[]` for a list, `{}` for a map. A field without a name is inlined in JSON.
 */
export function messagesOf(ids, modules) {
  const packages = new Map()
  const messages = {}
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id in messages) continue
    const fields = fieldsOf(id)
    if (fields === undefined) continue
    messages[id] = fields
    open.push(
      ...fields
        .map(([, , type]) => type.replace(/^(\*|\[\]|\{\})*/, ''))
        .filter((type) => type.includes('.')),
    )
  }
  return messages

  function packageOf(path) {
    if (!packages.has(path))
      packages.set(path, readPackage(join(modules[path.split('.')[0]] ?? '', ...path.split('.').slice(1))))
    return packages.get(path)
  }
  function fieldsOf(id) {
    const [, path, name] = /^(.*)\.(\w+)$/.exec(id)
    const { structs, imports } = packageOf(path)
    return structs
      .get(name)
      ?.map(([number, field, type]) => [number, field, typeOf(type, path, imports.get(name))])
  }
  function typeOf(go, path, imports) {
    if (go in plain) return plain[go]
    if (go.startsWith('*')) return `*${typeOf(go.slice(1), path, imports)}`
    if (go.startsWith('[]')) return `[]${typeOf(go.slice(2), path, imports)}`
    const map = /^map\[[^\]]+\](.*)$/.exec(go)
    if (map !== null) return `{}${typeOf(map[1], path, imports)}`
    const [name, from] = go.split('.').reverse()
    const home = from === undefined ? path : imports[from]
    const id = `${home}.${name}`
    if (id in special) return special[id]
    const { structs, aliases, imports: there } = packageOf(home)
    if (structs.has(name)) return id
    const alias = aliases.get(name)
    if (alias === undefined) throw new Error(`unknown type ${go} in ${path}`)
    return typeOf(alias, home, there.get(name) ?? {})
  }
}

function readPackage(dir) {
  const found = { structs: new Map(), aliases: new Map(), imports: new Map() }
  for (const file of readdirSync(dir).filter(
    (name) => /^[a-z_]+\.go$/.test(name) && !name.endsWith('_test.go'),
  )) {
    readFile(readFileSync(join(dir, file), 'utf8'), found)
  }
  return found
}

function readFile(text, { structs, aliases, imports }) {
  const imported = Object.fromEntries(
    [...text.matchAll(/^\s*(?:import )?(\w+)? ?"k8s\.io\/([^"]+)"$/gm)].map(([, alias, path]) => [
      alias ?? path.split('/').at(-1),
      path.replaceAll('/', '.'),
    ]),
  )
  for (const [, name, body] of text.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
    imports.set(name, imported)
    const lines = [
      ...body.matchAll(/^\s*(?:(\w+)\s+)?(\S+)\s+`json:"([^",]*)[^"]*"[^`]*protobuf:"\w+,(\d+)/gm),
    ]
    const fields = lines.map(([, , type, json, number]) => [Number(number), json, type])
    if (fields.length > 0 || body.trim() === '') structs.set(name, fields)
  }
  for (const [, name, type] of text.matchAll(/^type (\w+) (?!struct|interface|func)(\S+)$/gm)) {
    imports.set(name, imported)
    aliases.set(name, type)
  }
}
