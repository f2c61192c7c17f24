import { writeMessage } from '../wire/messages.ts'
import { stdioDuplex } from '../wire/stdio.ts'
import { become, openContainer, storageOf } from './container.ts'
import { openInside } from './jail.ts'
import { type ReplicaRequest, refused, toJson } from './protocol.ts'
import type { ProcessRef } from './radar.ts'

/** What the node's agent starts a mirror with, in its arguments; it was validated there. */
export type MirrorRequest = ReplicaRequest & { readonly process: ProcessRef }
