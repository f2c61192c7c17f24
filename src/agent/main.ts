import { compileLess } from '../tuning.ts'
import { runMirror } from './mirror.ts'
import { runNode } from './node.ts'

/** The loader starts this file as the agent of a node or of a pod, and that starts it as a mirror. */
const [role, request] = process.argv.slice(1)

compileLess()

if (role === 'mirror' && request !== undefined) void runMirror(request)
else runNode(role === 'pod' ? 'pod' : 'node')
