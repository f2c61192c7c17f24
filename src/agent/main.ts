import { runMirror } from './mirror.ts'
import { runNode } from './node.ts'

/** The loader starts this file as the node's agent, and the node's agent starts it as a mirror. */
const [role, request] = process.argv.slice(1)

if (role === 'mirror' && request !== undefined) void runMirror(request)
else runNode()
