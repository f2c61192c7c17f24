import type { Registry } from './registry.ts'
import type { ResourceType } from './resource.ts'

const asked = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const aggregated = `application/json;${asked}`

/** A discovery document and its media type; undefined for a path that is none. */
export function discovery(
  registry: Registry,
  path: string,
  accept = '',
): { body: object; type: string } | undefined {
  const type = 'application/json'
  const [, root, group, version, ...rest] = path.replace(/\/$/, '').split('/')
  if (rest.length > 0 || (root !== 'api' && root !== 'apis')) return undefined
  if (group === undefined && accept.includes(asked))
    return { body: allGroups(registry, root), type: aggregated }
  const body = root === 'api' ? core(registry, group, version) : named(registry, group, version)
  return body && { body, type }
}

function core(registry: Registry, version?: string, more?: string): object | undefined {
  if (more !== undefined) return undefined
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }]
  if (version === undefined) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs }
  return resourceList(registry, version)
}

function named(registry: Registry, group?: string, version?: string): object | undefined {
  const groups = groupsOf(registry).filter(({ name }) => name !== '')
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) }
  if (version !== undefined) return resourceList(registry, `${group}/${version}`)
  const found = groups.find(({ name }) => name === group)
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) }
}

interface Group {
  readonly name: string
  readonly versions: readonly string[]
}

function groupsOf(registry: Registry): Group[] {
  const names = new Set(registry.all().map(({ info }) => info.group))
  return [...names].map((name) => ({ name, versions: versionsOf(registry, name) }))
}

function versionsOf(registry: Registry, group: string): string[] {
  const versions = registry.all().flatMap(({ info }) => (info.group === group ? [info.version] : []))
  return [...new Set(versions)].sort(byPriority)
}

/** v2 before v1 before v1beta2 before v1alpha1, as apimachinery/pkg/version orders them. */
function byPriority(a: string, b: string): number {
  const stage = (version: string) => (version.includes('alpha') ? 2 : version.includes('beta') ? 1 : 0)
  return stage(a) - stage(b) || b.localeCompare(a, 'en', { numeric: true })
}

function groupOf({ name, versions }: Group) {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

function typesOf(registry: Registry, apiVersion: string): ResourceType[] {
  return registry.all().filter((type) => type.apiVersion === apiVersion)
}

function resourceList(registry: Registry, groupVersion: string): object | undefined {
  const types = typesOf(registry, groupVersion)
  if (types.length === 0) return undefined
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: types.flatMap(resourcesOf) }
}

function resourcesOf({ info }: ResourceType): object[] {
  const { plural, singular, namespaced, kind, verbs } = info
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...otherNames(info),
  }
  const subresources = info.subresources.map(({ name, group, version, kind, verbs }) => {
    const other = group === info.group && version === info.version ? {} : { group, version }
    return { name: `${plural}/${name}`, singularName: '', namespaced, ...other, kind, verbs }
  })
  return [main, ...subresources]
}

function otherNames({ shortNames, categories }: ResourceType['info']) {
  return {
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  }
}

function allGroups(registry: Registry, root: string): object {
  const groups = groupsOf(registry).filter(({ name }) => (name === '') === (root === 'api'))
  const items = groups.map(({ name, versions }) => ({
    metadata: name === '' ? {} : { name },
    versions: versions.map((version) => ({
      version,
      resources: typesOf(registry, name === '' ? version : `${name}/${version}`).map(discovered),
      freshness: 'Current',
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function discovered({ info }: ResourceType): object {
  const { plural, singular, kind, namespaced, verbs, group, version } = info
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...otherNames(info),
    subresources: info.subresources.map((sub) => ({
      subresource: sub.name,
      responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
      verbs: sub.verbs,
    })),
  }
}
