/** Which way changes travel between a folder of manifests and a cluster. */
export const keepModes = ['two-way', 'to-cluster', 'to-files'] as const
/** What becomes of what both sides changed. */
export const conflictPolicies = ['ask', 'local', 'remote', 'stop'] as const
/** What becomes of what was deleted on one side. */
export const deletionPolicies = ['ask', 'carry', 'restore'] as const
