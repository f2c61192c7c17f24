declare const KUBESYNC_VERSION: string

/** The package's version, set when it is built. */
export const version: string = KUBESYNC_VERSION
