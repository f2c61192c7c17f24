import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { readPattern } from './pattern.ts'
import { noRules, type RuleFile, type RuleSet } from './rule-set.ts'
import { Rules } from './rules.ts'

function gitignore(text: string, directory = ''): RuleFile {
  return { directory, kind: 'gitignore', text }
}

function ksyncignore(text: string, directory = ''): RuleFile {
  return { directory, kind: 'ksyncignore', text }
}

function rulesOf(...files: RuleFile[]): Rules {
  return new Rules({ ...noRules, files })
}

/** `dir/` is a directory. */
function covers(rules: Rules, path: string): boolean {
  return rules.covers(path.replace(/\/$/, ''), path.endsWith('/'))
}

describe('patterns', () => {
  test.each([
    ['a name at any depth', 'foo', ['foo', 'a/foo', 'a/foo/', 'foo/x'], ['foox', 'xfoo']],
    ['a leading slash', '/foo', ['foo', 'foo/x'], ['a/foo']],
    ['a slash within', 'a/foo', ['a/foo'], ['b/a/foo']],
    ['a slash at the end', 'foo/', ['foo/', 'a/foo/', 'foo/x'], ['foo', 'a/foo']],
    ['a star', '*.log', ['x.log', 'a/.log'], ['x.logs']],
    ['a star in a path', 'a/*.log', ['a/x.log'], ['a/b/x.log', 'x.log']],
    ['two stars', '**/foo/bar', ['foo/bar', 'a/b/foo/bar'], ['foo/x/bar']],
    ['a comment', '#foo', [], ['#foo', 'foo']],
    ['an escaped hash', '\\#foo', ['#foo'], ['foo']],
    ['an escaped mark', '\\!foo', ['!foo'], ['foo']],
    ['spaces at the end', 'foo  ', ['foo'], ['foo  ']],
    ['an escaped space at the end', 'foo\\ ', ['foo '], ['foo']],
    ['a tab at the end', 'foo\t', ['foo\t'], ['foo']],
    ['nothing but a slash', '/', [], ['a', 'a/']],
    ['carriage returns', 'foo\r\nbar\r\n', ['foo', 'bar'], ['foo\r']],
    ['a byte order mark', '\ufefffoo', ['foo'], []],
    ['everything', '*', ['a', 'a/b'], []],
  ])('%s', (_what, text, ignored, kept) => {
    const rules = rulesOf(gitignore(text))
    for (const path of ignored) expect([path, covers(rules, path)]).toEqual([path, true])
    for (const path of kept) expect([path, covers(rules, path)]).toEqual([path, false])
  })

  test('the last one that matches decides', () => {
    const rules = rulesOf(gitignore('*.log\n!keep.log\n/a/keep.log'))
    expect(covers(rules, 'keep.log')).toBe(false)
    expect(covers(rules, 'a/keep.log')).toBe(true)
  })

  test('nothing in an ignored directory comes back, unless the directory does', () => {
    expect(covers(rulesOf(gitignore('dir/\n!dir/keep')), 'dir/keep')).toBe(true)
    const rules = rulesOf(gitignore('/*\n!/dir\n/dir/*\n!/dir/keep'))
    expect([covers(rules, 'dir/keep'), covers(rules, 'dir/other'), covers(rules, 'other')]).toEqual([
      false,
      true,
      true,
    ])
  })
})

describe('rule files', () => {
  test('count from where they are, and the nearer one decides', () => {
    const rules = rulesOf(gitignore('*.o\n/out'), gitignore('!*.o\n/out2', 'lib'))
    expect(covers(rules, 'a.o')).toBe(true)
    expect(covers(rules, 'lib/a.o')).toBe(false)
    expect(covers(rules, 'lib/deep/a.o')).toBe(false)
    expect(covers(rules, 'lib/out2')).toBe(true)
    expect(covers(rules, 'lib/out')).toBe(false)
  })

  test('.ksyncignore comes before .gitignore, wherever either is, and the spec before both', () => {
    const files = [gitignore('*.env\n!secret', 'app'), ksyncignore('!local.env\nsecret')]
    const rules = new Rules({ ...noRules, files, patterns: ['!/app/secret/'] })
    expect(covers(rules, 'app/local.env')).toBe(false)
    expect(covers(rules, 'app/other.env')).toBe(true)
    expect(covers(rules, 'app/secret')).toBe(true)
    expect(covers(rules, 'app/secret/')).toBe(false)
  })

  test('cannot bring version control back; the spec can', () => {
    const files = [ksyncignore('!.git\n!*')]
    const paths = ['.git', '.git/', 'a/.git/hooks/x', '.GIT/config', 'Git~1/x', '.hg/', 'a/CVS/']
    const safe = new Rules({ ...noRules, files, vcs: true })
    for (const path of paths) expect([path, covers(safe, path)]).toEqual([path, true])
    for (const path of ['.github/x', '.gitignore', 'git', 'bin/cvs', 'CVS'])
      expect(covers(safe, path)).toBe(false)
    expect(covers(new Rules({ ...noRules, files, vcs: true, patterns: ['!.git'] }), '.git/config')).toBe(
      false,
    )
  })

  test('that say the same change nothing', () => {
    const rules = rulesOf(gitignore('a'), gitignore('b', 'lib'))
    const before = rules.ruleSet
    expect(rules.replace({ ...noRules, files: [gitignore('b', 'lib'), gitignore('a')] })).toEqual([])
    expect(rules.setFiles('lib', [gitignore('b', 'lib')])).toBe(false)
    expect(rules.replace({ ...noRules, files: [gitignore('a')] })).toEqual(['lib'])
    expect(rules.ruleSet).not.toEqual(before)
  })
})

describe('a name of unknown kind', () => {
  test.each([
    ['foo', 'ignored'],
    ['foo/', 'by-kind'],
    ['!foo/', 'kept'],
    ['foo\n!foo/', 'by-kind'],
    ['foo/\nfoo', 'ignored'],
    ['*\n!*/', 'by-kind'],
    ['bar', 'kept'],
  ])('with %j is %s', (text, verdict) => {
    expect(rulesOf(gitignore(text)).verdict('', 'foo')).toBe(verdict)
  })

  test('is judged as both kinds are', () => {
    fc.assert(
      fc.property(anyRuleSet, anyPath, (set, path) => {
        const rules = new Rules(set)
        const [directory, name] = ['a', path.split('/').at(-1) ?? '']
        const both = [rules.ignores(directory, name, true), rules.ignores(directory, name, false)]
        const expected = both[0] === both[1] ? (both[0] ? 'ignored' : 'kept') : 'by-kind'
        expect(rules.verdict(directory, name)).toBe(expected)
      }),
    )
  })
})

const piece = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '?', '[ab]', '[!a]', '**', '.x', '*.x')
const anyLine = fc
  .record({
    negated: fc.boolean(),
    anchored: fc.boolean(),
    names: fc.array(piece, { minLength: 1, maxLength: 3 }),
    directory: fc.boolean(),
  })
  .map(
    ({ negated, anchored, names, directory }) =>
      `${negated ? '!' : ''}${anchored ? '/' : ''}${names.join('/')}${directory ? '/' : ''}`,
  )
const anyText = fc.array(anyLine, { maxLength: 5 }).map((lines) => lines.join('\n'))
const anyName = fc.constantFrom('a', 'b', 'ab', 'c', '.x', 'a.x', 'b.x')
const anyPath = fc.array(anyName, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const anyRuleSet: fc.Arbitrary<RuleSet> = fc
  .record({ root: anyText, nested: anyText, deep: anyText })
  .map(({ root, nested, deep }) => ({
    ...noRules,
    files: [gitignore(root), gitignore(nested, 'a'), gitignore(deep, 'a/b')],
  }))

/** gitignore(5), said once more: one pattern after the other, and no index. */
function plainly({ files }: RuleSet, path: string, isDirectory: boolean): boolean {
  const names = path.split('/')
  if (names.length > 1 && plainly({ ...noRules, files }, names.slice(0, -1).join('/'), true)) return true
  for (let depth = names.length - 1; depth >= 0; depth--) {
    const directory = names.slice(0, depth).join('/')
    const text = files.find((file) => file.directory === directory)?.text ?? ''
    for (const line of text.split('\n').reverse()) {
      if (readPattern(line) === undefined) continue
      if (lineMatches(line.replace(/^!/, ''), names.slice(depth), isDirectory)) return !line.startsWith('!')
    }
  }
  return false
}

function lineMatches(line: string, names: readonly string[], isDirectory: boolean): boolean {
  if (line.endsWith('/') && !isDirectory) return false
  const text = line.replace(/\/$/, '')
  if (!text.includes('/')) return new RegExp(`^${regExpOf(text)}$`).test(names.at(-1) ?? '')
  const parts = text.replace(/^\//, '').split('/')
  const regExps = parts.map((part, i) => {
    const isLast = i === parts.length - 1
    if (part === '**') return isLast ? '(?:[^/]+/)*[^/]+' : '(?:[^/]+/)*'
    return regExpOf(part) + (isLast ? '' : '/')
  })
  return new RegExp(`^${regExps.join('')}$`).test(names.join('/'))
}

function regExpOf(name: string): string {
  return name.replaceAll('.', '\\.').replaceAll('[!', '[^').replace(/\*+/g, '[^/]*').replaceAll('?', '[^/]')
}

describe('rules', () => {
  test('say what the manual of gitignore says', () => {
    fc.assert(
      fc.property(anyRuleSet, anyPath, fc.boolean(), (set, path, isDirectory) => {
        expect(new Rules(set).covers(path, isDirectory)).toBe(plainly(set, path, isDirectory))
      }),
      { numRuns: 3_000 },
    )
  })

  const hasGit = spawnSync('git', ['--version']).status === 0
  test.runIf(hasGit)('say what git says', () => {
    const root = temporaryRoot()
    execFileSync('git', ['init', '-q', root])
    const texts = [
      'node_modules/\n*.log\n!keep.log\n/build\n/a/*\n!/a/b\ndoc/**/*.txt\n[a-c]?.o\n\\#x\n\\!y\nsp\\ \n**/deep/z',
      '*.x\n!*/\n/*.md\n!README.md\n[[:upper:]]*\n***\n!a\n!a/**',
      'foo/***/bar\na**b\n[]x]\n[!]x]q\n[a\ntrail/ \n//double\n**/\n!**/a/\nü?\n',
      '',
    ]
    const candidates = [
      ...[
        'node_modules/',
        'f/node_modules',
        'q/node_modules/y',
        'a.log',
        'keep.log',
        'f/keep.log',
        'build/',
        'f/build',
      ],
      ...[
        'a/',
        'a/b/',
        'a/c',
        'a/b/c',
        'doc/x.txt',
        'doc/a/b/x.txt',
        'a1.o',
        'd1.o',
        '#x',
        '!y',
        'sp ',
        'deep/z',
      ],
      ...[
        'q/deep/z',
        'f/deep/z/y',
        'README.md',
        'x.md',
        'f/x.md',
        'Abc',
        'z.x',
        'f/z.x/',
        'foo/bar',
        'foo/1/2/bar',
      ],
      ...[
        'aXb',
        'a/x/b',
        ']',
        'x',
        'aq',
        ']q',
        '[a',
        'trail/',
        'f/trail',
        'double',
        'üa',
        'üé',
        'a b',
        'é/ü/x.log',
      ],
    ]
    makeAll(root, candidates)
    const pairs = texts.flatMap((text) => texts.map((nested) => [text, nested] as const))
    for (const [text, nested] of pairs) {
      const files = [gitignore(text), gitignore(nested, 'a')]
      writeIgnoreFiles(root, files)
      const said = askGit(root, candidates)
      const rules = rulesOf(...files)
      for (const path of candidates) {
        expect([text, nested, path, covers(rules, path)]).toEqual([
          text,
          nested,
          path,
          said.has(path.replace(/\/$/, '')),
        ])
      }
    }
  })

  test.runIf(hasGit)('say what git says of whatever patterns', () => {
    const root = temporaryRoot()
    execFileSync('git', ['init', '-q', root])
    const paths = fc.sample(anyPath, { numRuns: 120, seed: 1 })
    const candidates = makeAll(root, [...new Set(paths.map((path, i) => (i % 3 === 0 ? `${path}/` : path)))])
    expect(candidates.length).toBeGreaterThan(40)
    fc.assert(
      fc.property(anyRuleSet, (set) => {
        writeIgnoreFiles(root, set.files)
        const said = askGit(root, candidates)
        const rules = new Rules(set)
        for (const path of candidates)
          expect([path, covers(rules, path)]).toEqual([path, said.has(path.replace(/\/$/, ''))])
      }),
      { numRuns: 60, interruptAfterTimeLimit: 8_000 },
    )
  })
})

function writeIgnoreFiles(root: string, files: readonly RuleFile[]): void {
  for (const { directory, text } of files) {
    const path = join(root, directory, '.gitignore')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

/** Makes what can be made, as one path may be in the way of another; returns what is there. */
function makeAll(root: string, paths: readonly string[]): string[] {
  for (const path of ['a/b/', ...paths]) {
    const at = join(root, path)
    try {
      mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true })
      if (!path.endsWith('/')) writeFileSync(at, '', { flag: 'wx' })
    } catch {}
  }
  return paths.filter(
    (path) =>
      existsSync(join(root, path)) && lstatSync(join(root, path)).isDirectory() === path.endsWith('/'),
  )
}

/** Which of these paths git ignores. It looks at them itself: a slash at the end would mislead it. */
function askGit(root: string, paths: readonly string[]): Set<string> {
  const { stdout } = spawnSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], {
    cwd: root,
    input: paths.map((path) => path.replace(/\/$/, '')).join('\0'),
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  })
  return new Set(stdout.split('\0').filter((path) => path !== ''))
}
