/** Who looks after what people do not keep in files, and how that is said of several objects. */
export const keeperReasons = {
  controllers: 'controllers make them of other objects',
  helm: 'Helm releases own them',
  cluster: 'the cluster makes them itself',
  system: 'they are in namespaces of the system',
} as const

export type Keeper = keyof typeof keeperReasons
export const keepers = Object.keys(keeperReasons) as readonly Keeper[]
