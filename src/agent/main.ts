import { compileLess } from '../tuning.ts'
import { runMirror } from './mirror.ts'
import { runNode } from './node.ts'
import { runGate } from './strict/gate.ts'

/** A loader starts this file as the agent of a node or of a pod, or as a strict one, and that starts it as a mirror. */
const [role] = process.argv.slice(1)

compileLess()

if (role === 'mirror') void runMirror()
else if (role === 'gate') runGate()
else runNode(role === 'pod' ? 'pod' : 'node')
