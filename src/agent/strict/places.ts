/** Where a strict agent listens, on the loopback address of its pod: only the API server's port-forward gets there. */
export const gatePort = 7070

/** Where its pod has a token of its service account, and the API server's certificate; in its working directory. */
export const accountDirectory = 'kubesync-account'
