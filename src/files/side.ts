export type Side = 'local' | 'remote'

export const otherSide: Readonly<Record<Side, Side>> = { local: 'remote', remote: 'local' }
