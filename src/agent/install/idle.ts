/** The exit code, and the words before the version, by which an image with too old a Node is recognised. */
export const oldNodeMessage = 'kubesync needs Node 20 or newer, this image has'

/**
 * What the container does all day: nothing, and end at once when told to. Agents are started beside it by
 * exec, with the code of the command line that connects. It must stay valid on any Node, to say that it is too old.
 */
export const idle = [
  'var version = process.versions.node;',
  'if (parseInt(version) < 20) {',
  `  console.error('${oldNodeMessage} ' + version);`,
  '  process.exit(70);',
  '}',
  "process.on('SIGTERM', function () { process.exit(0); });",
  'setInterval(function () {}, 1e9);',
].join('\n')
