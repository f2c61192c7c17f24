import type { KubeObject } from './object.ts'
import type { ResourceInfo, TypeSchema } from './schema.ts'

/** A resource in one of its versions, as it is served. */
export interface ResourceType {
  readonly info: ResourceInfo
  readonly schema: TypeSchema
  /** What the store files its objects under. */
  readonly key: string
  readonly apiVersion: string
  readonly custom: boolean
  /** What a CRD says of it. */
  readonly definition?: CustomVersion
}

/** What a CRD says of one version of its resource. */
export interface CustomVersion {
  readonly listKind: string
  /** The version that objects are stored in. */
  readonly storage: string
  readonly columns: readonly PrinterColumn[]
  readonly scale: ScalePaths | undefined
}

/** A column of a table as a CRD describes it. */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  readonly jsonPath: string
}

/** Where a resource keeps what its scale subresource shows, as paths of fields. */
export interface ScalePaths {
  readonly spec: string
  readonly status: string
  readonly selector: string | undefined
}

/** An object as it reads in another version of its resource: with conversion strategy None only the apiVersion differs. */
export function inVersion(object: KubeObject, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion }
}

/** The version that objects of a type are stored in. */
export function storedVersion({ apiVersion, definition }: ResourceType): string {
  return definition?.storage ?? apiVersion
}

export function hasSubresource({ info }: ResourceType, subresource: string): boolean {
  return info.subresources.some(({ name }) => name === subresource)
}
