/** Where a strict agent listens, on the loopback address of its pod: only the API server's port-forward gets there. */
export const gatePort = 7070
