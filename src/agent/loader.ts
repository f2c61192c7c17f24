import { createHash } from 'node:crypto'

/**
 * What `node -e` runs before there is any code of ours: it reads the agent from stdin (16 hex digits of
 * length, 64 of SHA-256, the code), checks the digest and evaluates it from memory, so that nothing has to
 * be written on the node and the agent always is the command line's own. It must stay valid on Node 18 and
 * fit a command line.
 */
export const loader = `
const fs = require('fs'), crypto = require('crypto'), Module = require('module');
if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error('kubesync needs Node 20 or newer in the agent image, this is ' + process.version);
  process.exit(70);
}
function read(length) {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    let got;
    try { got = fs.readSync(0, buffer, at, length - at, null); }
    catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      continue;
    }
    if (got === 0) process.exit(71);
    at += got;
  }
  return buffer;
}
const header = read(80).toString('latin1');
const size = parseInt(header.slice(0, 16), 16);
if (!(size > 0 && size < 16777216)) { console.error('kubesync: no agent came in'); process.exit(72); }
const code = read(size);
if (crypto.createHash('sha256').update(code).digest('hex') !== header.slice(16)) {
  console.error('kubesync: the agent that came in is damaged');
  process.exit(73);
}
globalThis[Symbol.for('kubesync.agent')] = code;
const agent = new Module('kubesync-agent');
agent.paths = [];
agent._compile(code.toString(), 'kubesync-agent.cjs');
`.trim()

/** The same for code that was put into the pod, with the path of the gzipped file as the first argument: none is a caller's. */
export const fileLoader = `
const code = require('zlib').gunzipSync(require('fs').readFileSync(process.argv[1])), Module = require('module');
process.argv.splice(1, 1);
globalThis[Symbol.for('kubesync.agent')] = code;
const agent = new Module('kubesync-agent');
agent.paths = [];
agent._compile(code.toString(), 'kubesync-agent.cjs');
`.trim()

/** What has to be written to the loader's stdin before anything else. */
export function framed(code: Buffer): Buffer {
  const size = code.length.toString(16).padStart(16, '0')
  return Buffer.concat([Buffer.from(size + digestOf(code), 'latin1'), code])
}

/** SHA-256 of the agent's code, in hex. */
export function digestOf(code: Buffer): string {
  return createHash('sha256').update(code).digest('hex')
}

/** The agent's own code, as the loader left it, to start a mirror with. */
export function ownCode(): Buffer {
  const code: unknown = Reflect.get(globalThis, Symbol.for('kubesync.agent'))
  if (!Buffer.isBuffer(code)) throw new Error('the agent was not started by its loader')
  return code
}
